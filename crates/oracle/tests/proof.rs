//! A proof holds for what was attested, and for nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_meter::{Signer as _, message};
use jirani_oracle::{Claim, Part, PathStep, ProofError, SlotProof, merkle_root};
use jirani_readings::{Leaf, Offsets};
use jirani_store::AttestedRow;
use jirani_units::{HouseholdId, Timestamp, Wh};
use proptest::prelude::*;
use support::{START, key_of, meter_of, read};

type Spoil<'a> = &'a dyn Fn(&mut SlotProof);

/// A home's part of the slot that ends at [`START`]: read there, or `around` it.
fn part(home: u32, around: bool) -> Part {
    let mut meter = meter_of(home);
    let moments: &[i64] = if around { &[-300, 600] } else { &[0] };
    for moment in moments {
        read(&mut meter, *moment, 300, 60);
    }
    let sent = meter.message().unwrap();
    let evidence = message::split(&sent).unwrap().map(|signed| signed.unwrap().bytes.to_vec()).collect();
    let (import, export) = if around { (400, 80) } else { (300, 60) };
    let row = AttestedRow {
        household: HouseholdId(home),
        export_wh: Wh(export),
        import_wh: Wh(import),
        estimated: around,
    };
    Part { row, evidence }
}

fn claim(home: u32) -> Claim {
    Claim {
        program: "program".to_owned(),
        transaction: "transaction".to_owned(),
        feeder: 1,
        slot_end: START,
        household: HouseholdId(home),
        meter_key: key_of(home).public_key(),
        meter_epoch: 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_row_of_every_slot_can_be_proven(homes in prop::collection::vec(any::<bool>(), 1..20)) {
        let parts: Vec<Part> = (1..).zip(&homes).map(|(home, around)| part(home, *around)).collect();
        let root = merkle_root(parts.iter().flat_map(|part| &part.evidence).map(Vec::as_slice));
        for (home, around) in (1..).zip(&homes) {
            let proof = SlotProof::of(&claim(home), &parts).unwrap();
            let shown = proof.check().unwrap();
            prop_assert_eq!((shown.root, shown.meter_key), (root, key_of(home).public_key()));
            prop_assert_eq!((shown.meter, shown.estimated), (support::id_of(home), *around));
        }
    }
}

#[test]
fn nothing_else_can_be_proven() {
    let parts: Vec<Part> = (1..=5).map(|home| part(home, home == 3)).collect();
    let good = SlotProof::of(&claim(3), &parts).unwrap();
    let spoilt = |spoil: Spoil<'_>| {
        let mut proof = good.clone();
        spoil(&mut proof);
        proof.check().unwrap_err()
    };
    let another = |home| SlotProof::of(&claim(home), &parts).unwrap();
    let table: [(ProofError, Spoil<'_>); 11] = [
        (ProofError::WrongRegisters, &|proof| proof.export_wh += 1),
        (ProofError::WrongRegisters, &|proof| proof.import_wh -= 1),
        (ProofError::WrongRegisters, &|proof| proof.slot_end += 100),
        (ProofError::WrongRegisters, &|proof| drop(proof.readings.pop())),
        (ProofError::WrongRegisters, &|proof| proof.readings.reverse()),
        (ProofError::WrongEpoch, &|proof| proof.meter_epoch += 1),
        (ProofError::NotSigned, &|proof| proof.meter_key = another(2).meter_key),
        (ProofError::WrongPath, &|proof| proof.evidence_root = "00".repeat(32)),
        (ProofError::WrongPath, &|proof| drop(proof.readings[0].path.pop())),
        (ProofError::WrongPath, &|proof| {
            let step = proof.readings[0].path.pop().unwrap();
            proof.readings[0].path.push(match step {
                PathStep::Left(hash) => PathStep::Right(hash),
                PathStep::Right(hash) => PathStep::Left(hash),
            });
        }),
        (ProofError::Malformed("the file's version is not 1, nor 2 with a span"), &|proof| proof.version = 2),
    ];
    for (expected, spoil) in table {
        assert_eq!(spoilt(spoil), expected);
    }
    // Another's reading, wholly in the evidence, is not this meter's.
    assert_eq!(spoilt(&|proof| proof.readings = another(2).readings), ProofError::NotSigned);
    let long = vec![PathStep::Left("00".repeat(32)); 33];
    let is_malformed = matches!(spoilt(&|p| p.readings[0].path = long.clone()), ProofError::Malformed(_));
    assert!(is_malformed);
    assert_eq!(SlotProof::of(&claim(9), &parts).unwrap_err(), ProofError::NoEvidence);
}

#[test]
fn a_later_meters_row_is_proven_with_its_span_and_with_no_other() {
    let span = Leaf {
        household: HouseholdId(2),
        number: 1,
        meter: support::id_of(2),
        epoch: 1,
        chain_epoch: 4,
        from: Timestamp(START.0 - 1),
        offsets: Offsets { import_wh: 1_000, export_wh: -20, generation_wh: 0 },
    };
    let later = |span: Leaf| {
        let mut part = part(2, false);
        part.evidence.insert(0, span.encode());
        (part.row.import_wh, part.row.export_wh) = (Wh(1_300), Wh(40));
        SlotProof::of(
            &Claim { meter_epoch: 4, ..claim(2) },
            &[self::part(1, true), part, self::part(3, false)],
        )
        .unwrap()
    };
    let good = later(span);
    assert_eq!((good.version, good.readings.len()), (2, 1));
    assert_eq!(good.check().unwrap().meter, support::id_of(2));
    for (what, wrong, error) in [
        ("another household's", Leaf { household: HouseholdId(3), ..span }, ProofError::WrongSpan),
        ("another meter's", Leaf { meter: support::id_of(3), ..span }, ProofError::WrongSpan),
        ("of another row epoch", Leaf { chain_epoch: 5, ..span }, ProofError::WrongSpan),
        ("begun later", Leaf { from: Timestamp(START.0 + 1), ..span }, ProofError::WrongSpan),
        ("of another epoch", Leaf { epoch: 2, ..span }, ProofError::WrongEpoch),
        (
            "with other offsets",
            Leaf { offsets: Offsets { import_wh: 999, ..span.offsets }, ..span },
            ProofError::WrongRegisters,
        ),
    ] {
        assert_eq!(later(wrong).check().unwrap_err(), error, "{what}");
    }
    // Bytes that are not in the slot's evidence.
    let mut foreign = good.clone();
    foreign.span.as_mut().unwrap().signed = hex_of(&Leaf { number: 2, ..span });
    assert_eq!(foreign.check().unwrap_err(), ProofError::WrongPath);
    // Without it the readings alone give other registers, and the version says there is one.
    let bare = SlotProof { span: None, version: 1, ..good };
    assert!(bare.check().is_err());
}

fn hex_of(leaf: &Leaf) -> String {
    hex::encode(leaf.encode())
}
