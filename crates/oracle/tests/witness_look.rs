//! What the witness finds in a slot's evidence, and what it refuses to find there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_chain::witness::http::{HouseholdEvidence, Proposal, SignedBytes};
use jirani_chain::witness::registry::RegisteredMeter;
use jirani_meter::{Ed25519Signer, HeapQueue, Meter, MeterState, PublicKey, Signer as _, message};
use jirani_oracle::merkle_root;
use jirani_oracle::witness::{NotTrue, TrueSlot, look};
use jirani_readings::{Leaf, Offsets};
use jirani_store::AttestedRow;
use jirani_units::{HouseholdId, Timestamp, Wh};
use support::{START, gateway_key, key_of, read};

const SLOT_S: u32 = 900;

fn end() -> Timestamp {
    START.plus_seconds(900)
}

/// What a meter with that key signs: at so many seconds after the start, import and
/// export registers.
fn signed_by(key: Ed25519Signer, epoch: u32, readings: &[(i64, u64, u64)]) -> Vec<SignedBytes> {
    let gateway = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
    let state = MeterState { epoch, ..MeterState::default() };
    let mut meter = Meter::new(key, gateway, [1; 8], HeapQueue::with_bound(500), state);
    for (seconds, import_wh, export_wh) in readings {
        read(&mut meter, *seconds, *import_wh, *export_wh);
    }
    let sent = meter.message().unwrap();
    message::split(&sent).unwrap().map(|reading| SignedBytes(reading.unwrap().bytes.to_vec())).collect()
}

fn evidence(home: u32, readings: &[(i64, u64, u64)]) -> HouseholdEvidence {
    HouseholdEvidence { household: HouseholdId(home), readings: signed_by(key_of(home), 1, readings) }
}

fn proposal(evidence: Vec<HouseholdEvidence>) -> Proposal {
    Proposal { feeder: 1, slot_end: end(), rows: Vec::new(), evidence, message: Vec::new() }
}

/// Homes 1 and 2 with 5 kW either way, and the loss record 3, as the chain has them.
fn meters() -> Vec<RegisteredMeter> {
    let home = |id| RegisteredMeter {
        household: HouseholdId(id),
        is_loss: false,
        key: key_of(id).public_key(),
        epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        export_wh: Wh(0),
        import_wh: Wh(0),
        attested_through: START,
        enrolled_at: START,
    };
    vec![home(1), home(2), RegisteredMeter { is_loss: true, key: [0; 32], ..home(3) }]
}

/// 100 Wh out of home 1, 90 into home 2.
fn honest() -> Vec<HouseholdEvidence> {
    vec![evidence(1, &[(900, 0, 100)]), evidence(2, &[(900, 90, 0)])]
}

fn found(proposal: &Proposal) -> Result<TrueSlot, NotTrue> {
    look(proposal, &meters(), SLOT_S, end())
}

/// Why a household's row is refused, of one that alone is told of.
fn refused(told: &Proposal, meters: &[RegisteredMeter]) -> NotTrue {
    let slot = look(told, meters, SLOT_S, end()).unwrap();
    assert_eq!((slot.rows, slot.spans), (vec![], vec![]));
    let [why] = <[NotTrue; 1]>::try_from(slot.refused).unwrap();
    why
}

fn row(home: u32, export_wh: u64, import_wh: u64, estimated: bool) -> AttestedRow {
    AttestedRow {
        household: HouseholdId(home),
        export_wh: Wh(export_wh),
        import_wh: Wh(import_wh),
        estimated,
    }
}

#[test]
fn registers_losses_and_root_are_computed_from_the_readings_alone() {
    let evidence = honest();
    let root = merkle_root(evidence.iter().flat_map(|told| &told.readings).map(|told| told.0.as_slice()));
    let slot = found(&proposal(evidence)).unwrap();
    assert_eq!(slot.rows, [row(1, 100, 0, false), row(2, 0, 90, false), row(3, 0, 10, false)]);
    assert_eq!(slot.evidence_root, root);
    assert_eq!(slot.refused, []);
}

#[test]
fn what_is_wrong_with_one_meter_is_its_own_and_keeps_losses_waiting() {
    let [one, two] = <[_; 2]>::try_from(honest()).unwrap();
    let forged = HouseholdEvidence { readings: two.readings.clone(), ..one.clone() };
    let too_much = evidence(1, &[(900, 0, 1_201_251)]);
    let silent = HouseholdEvidence { readings: Vec::new(), ..one };
    let stranger = HouseholdEvidence { household: HouseholdId(0), readings: two.readings.clone() };
    for (wrong, why) in [
        (forged, NotTrue::NotSigned(HouseholdId(1))),
        (too_much, NotTrue::OverRating(HouseholdId(1))),
        (silent, NotTrue::NotContinuous(HouseholdId(1))),
        (stranger, NotTrue::OutOfPlace(HouseholdId(0))),
    ] {
        let evidence = vec![wrong, two.clone()];
        let root = merkle_root(evidence.iter().flat_map(|told| &told.readings).map(|told| told.0.as_slice()));
        let slot = found(&proposal(evidence)).unwrap();
        assert_eq!((slot.rows, slot.refused), (vec![row(2, 0, 90, false)], vec![why]));
        assert_eq!(slot.evidence_root, root, "the slot rests on all that is told");
    }
}

#[test]
fn between_two_readings_registers_grow_in_a_straight_line() {
    let around = vec![evidence(1, &[(600, 0, 90), (1_200, 0, 20)]), evidence(2, &[(900, 90, 0)])];
    let slot = found(&proposal(around)).unwrap();
    assert_eq!(slot.rows, [row(1, 100, 0, true), row(2, 0, 90, false), row(3, 0, 10, true)]);
}

#[test]
fn while_a_meter_is_silent_nothing_is_said_of_it_nor_of_losses() {
    let slot = found(&proposal(vec![evidence(2, &[(900, 90, 0)])])).unwrap();
    assert_eq!(slot.rows, [row(2, 0, 90, false)]);
}

#[test]
fn losses_do_not_wait_for_a_meter_of_which_nothing_was_attested_for_a_day() {
    let [one, two, loss] = meters().try_into().unwrap();
    let proposal = proposal(vec![evidence(2, &[(900, 90, 0)])]);
    let silent_since = |seconds: i64| RegisteredMeter {
        export_wh: Wh(130),
        import_wh: Wh(10),
        attested_through: end().plus_seconds(-seconds),
        ..one
    };
    for (seconds, rows) in
        [(86_399, vec![row(2, 0, 90, false)]), (86_400, vec![row(2, 0, 90, false), row(3, 0, 30, false)])]
    {
        let slot = look(&proposal, &[silent_since(seconds), two, loss], SLOT_S, end()).unwrap();
        assert_eq!(slot.rows, rows, "after {seconds} s");
    }
}

#[test]
fn losses_do_not_fall_while_somebody_is_silent_however_long() {
    let [one, two, loss] = meters().try_into().unwrap();
    let proposal = proposal(vec![evidence(2, &[(900, 90, 0)])]);
    let long_ago = end().plus_seconds(-200_000);
    let silent = RegisteredMeter { export_wh: Wh(80), import_wh: Wh(0), attested_through: long_ago, ..one };
    let slot = look(&proposal, &[silent, two, loss], SLOT_S, end()).unwrap();
    assert_eq!(slot.rows, [row(2, 0, 90, false)]);
}

#[test]
fn a_reading_that_the_registered_meter_did_not_sign_proves_nothing() {
    let id = HouseholdId(1);
    let of = |readings| vec![HouseholdEvidence { household: id, readings }];
    let real = signed_by(key_of(1), 1, &[(900, 0, 100)]);
    // Another key, another household's meter, one bit changed anywhere, and nonsense.
    let stranger = Ed25519Signer::from_seed(&[77; 32]);
    for readings in [
        signed_by(stranger, 1, &[(900, 0, 100)]),
        signed_by(key_of(2), 1, &[(900, 0, 100)]),
        vec![SignedBytes(Vec::new())],
        vec![SignedBytes(vec![0; 200])],
    ] {
        assert_eq!(refused(&proposal(of(readings)), &meters()), NotTrue::NotSigned(id));
    }
    for at in 0..real[0].0.len() {
        let mut forged = real[0].0.clone();
        forged[at] ^= 1;
        let told = refused(&proposal(of(vec![SignedBytes(forged)])), &meters());
        assert_eq!(told, NotTrue::NotSigned(id), "byte {at}");
    }
}

#[test]
fn evidence_stands_once_and_in_order_and_only_for_meters_of_the_feeder() {
    let [one, two] = <[_; 2]>::try_from(honest()).unwrap();
    for told in [vec![two, one.clone()], vec![one.clone(), one]] {
        assert_eq!(found(&proposal(told)), Err(NotTrue::OutOfPlace(HouseholdId(1))));
    }
    let stranger = evidence(9, &[(900, 0, 1)]);
    let loss = HouseholdEvidence { household: HouseholdId(3), ..evidence(1, &[(900, 0, 1)]) };
    for told in [stranger, loss] {
        let household = told.household;
        assert_eq!(refused(&proposal(vec![told]), &meters()), NotTrue::OutOfPlace(household));
    }
}

#[test]
fn readings_lead_through_the_slots_end_and_no_further() {
    let id = HouseholdId(1);
    for readings in [
        &[][..],
        // Before it only, after it only, both on one side, one more than is needed.
        &[(899, 0, 100)],
        &[(901, 0, 100)],
        &[(300, 0, 50), (600, 0, 90)],
        &[(901, 0, 100), (1_800, 0, 110)],
        &[(900, 0, 100), (1_800, 0, 110)],
        &[(300, 0, 50), (600, 0, 90), (1_200, 0, 110)],
    ] {
        let evidence = if readings.is_empty() {
            HouseholdEvidence { household: id, readings: Vec::new() }
        } else {
            evidence(1, readings)
        };
        assert_eq!(refused(&proposal(vec![evidence]), &meters()), NotTrue::NotContinuous(id), "{readings:?}");
    }
    // The right two in the wrong order.
    let mut swapped = evidence(1, &[(600, 0, 90), (1_200, 0, 110)]);
    swapped.readings.reverse();
    assert_eq!(refused(&proposal(vec![swapped]), &meters()), NotTrue::NotContinuous(id));
}

#[test]
fn a_reading_of_another_epoch_is_of_another_meter() {
    let readings = signed_by(key_of(1), 2, &[(900, 0, 100)]);
    let told = vec![HouseholdEvidence { household: HouseholdId(1), readings }];
    assert_eq!(refused(&proposal(told), &meters()), NotTrue::WrongEpoch(HouseholdId(1)));
}

#[test]
fn registers_go_on_from_what_the_chain_holds_and_no_faster_than_ratings_allow() {
    let told = proposal(vec![evidence(1, &[(900, 40, 100)])]);
    let with = |export_wh, import_wh, rating_w| {
        let mut meters = meters();
        (meters[0].export_wh, meters[0].import_wh) = (Wh(export_wh), Wh(import_wh));
        (meters[0].export_rating_w, meters[0].import_rating_w) = (rating_w, rating_w);
        meters
    };
    let slot = look(&told, &with(100, 40, 5_000), SLOT_S, end()).unwrap();
    assert_eq!(slot.rows, [row(1, 100, 40, false)]);
    assert_eq!(refused(&told, &with(101, 40, 5_000)), NotTrue::Lowered(HouseholdId(1)));
    assert_eq!(refused(&told, &with(100, 41, 5_000)), NotTrue::Lowered(HouseholdId(1)));
    assert_eq!(refused(&told, &with(0, 0, 0)), NotTrue::OverRating(HouseholdId(1)));
    // Ten days and a quarter of an hour of 5 kW are 1,201,250 Wh.
    let most = |export_wh| proposal(vec![evidence(1, &[(900, 0, export_wh)])]);
    assert_eq!(found(&most(1_201_250)).unwrap().rows, [row(1, 1_201_250, 0, false)]);
    assert_eq!(refused(&most(1_201_251), &meters()), NotTrue::OverRating(HouseholdId(1)));
}

#[test]
fn only_the_end_of_a_slot_that_has_ended_is_looked_at() {
    let told = proposal(honest());
    assert!(look(&told, &meters(), SLOT_S, end().plus_seconds(-60)).is_ok(), "clocks differ a little");
    for (slot_length_s, now) in [(SLOT_S, end().plus_seconds(-61)), (1_700, end()), (86_400, end())] {
        assert_eq!(look(&told, &meters(), slot_length_s, now), Err(NotTrue::NotASlot(end())));
    }
    assert!(look(&told, &meters(), 0, end()).is_ok(), "no length divides by zero");
}

#[test]
fn offsets_of_a_span_are_added_where_the_span_is_the_registered_meters() {
    let span = Leaf {
        household: HouseholdId(1),
        number: 1,
        meter: support::id_of(1),
        epoch: 7,
        chain_epoch: 1,
        from: START.plus_seconds(60),
        offsets: Offsets { import_wh: 0, export_wh: 50, generation_wh: 0 },
    };
    let told = |span: Leaf| {
        let mut readings = signed_by(key_of(1), 7, &[(900, 0, 100)]);
        readings.insert(0, SignedBytes(span.encode()));
        proposal(vec![HouseholdEvidence { household: HouseholdId(1), readings }])
    };
    let slot = found(&told(span)).unwrap();
    assert_eq!((slot.rows, slot.spans), (vec![row(1, 150, 0, false)], vec![span]));
    for (what, wrong, error) in [
        ("another's", Leaf { household: HouseholdId(2), ..span }, NotTrue::WrongSpan(HouseholdId(1))),
        ("another meter's", Leaf { meter: support::id_of(2), ..span }, NotTrue::WrongSpan(HouseholdId(1))),
        ("another row epoch's", Leaf { chain_epoch: 2, ..span }, NotTrue::WrongSpan(HouseholdId(1))),
        ("not begun", Leaf { from: START.plus_seconds(901), ..span }, NotTrue::WrongSpan(HouseholdId(1))),
        ("of other registers", Leaf { epoch: 1, ..span }, NotTrue::WrongEpoch(HouseholdId(1))),
        (
            "more than the rating",
            Leaf { offsets: Offsets { export_wh: 9_000_000, ..span.offsets }, ..span },
            NotTrue::OverRating(HouseholdId(1)),
        ),
    ] {
        assert_eq!(refused(&told(wrong), &meters()), error, "{what}");
    }
}
