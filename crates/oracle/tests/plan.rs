//! Slots as arithmetic: boundaries, the loss record, and what is left out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_oracle::{
    Attestable, Gone, LossRegisters, add_residual, at_boundary, key_without, loss_after, loss_row,
    merkle_root, plan_slot,
};
use jirani_store::{AttestedRow, ReadingRow};
use jirani_units::{HouseholdId, Timestamp, Wh};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{START, id_of, loss, record};

fn row(time: Timestamp, export_wh: u64, import_wh: u64) -> ReadingRow {
    ReadingRow {
        meter: id_of(1),
        epoch: 1,
        seq: 1,
        household: HouseholdId(1),
        time,
        import_wh: Wh(import_wh),
        export_wh: Wh(export_wh),
        generation_wh: Wh::ZERO,
        power_w: 0,
        bytes: time.0.to_be_bytes().to_vec(),
        received_at: time,
    }
}

fn known(export_wh: u64, import_wh: u64) -> Attestable {
    Attestable {
        export_wh: Wh(export_wh),
        import_wh: Wh(import_wh),
        estimated: false,
        evidence: vec![export_wh.to_be_bytes().to_vec()],
    }
}

#[test]
fn a_reading_at_the_boundary_is_taken_as_it_is() {
    let at = at_boundary(Some(&row(START, 7, 9)), None, START).unwrap();
    assert_eq!((at.export_wh, at.import_wh, at.estimated), (Wh(7), Wh(9), false));
    assert_eq!(at.evidence, [START.0.to_be_bytes().to_vec()]);
}

#[test]
fn between_two_readings_registers_grow_evenly_and_say_that_they_are_estimated() {
    let (before, after) = (row(START, 100, 0), row(START.plus_seconds(900), 200, 9));
    let at = at_boundary(Some(&before), Some(&after), START.plus_seconds(300)).unwrap();
    assert_eq!((at.export_wh, at.import_wh, at.estimated), (Wh(133), Wh(3), true));
    assert_eq!(at.evidence.len(), 2);
}

#[test]
fn beyond_the_last_reading_nothing_is_said() {
    let (earlier, later) = (row(START.plus_seconds(-900), 1, 1), row(START.plus_seconds(900), 1, 1));
    assert_eq!(at_boundary(Some(&earlier), None, START), None);
    assert_eq!(at_boundary(None, Some(&later), START), None);
    assert_eq!(at_boundary(None, None, START), None);
}

#[test]
fn the_loss_record_waits_until_every_meter_is_known() {
    let mut unplugged = record(4);
    unplugged.chain_address = None;
    let mut elsewhere = record(5);
    elsewhere.feeder = 2;
    let mut later = record(6);
    later.enrolled_at = START.plus_seconds(1);
    let homes = [record(1), record(2), loss(3), unplugged, elsewhere, later];
    let mut registers = BTreeMap::from([(HouseholdId(1), known(100, 0))]);
    let slot = plan_slot(1, START, &homes, &registers).unwrap();
    assert_eq!(loss_after(&slot, &homes, &Gone::new()), None);
    assert_eq!(slot.rows.len(), 1);

    registers.insert(HouseholdId(2), known(0, 90));
    let mut slot = plan_slot(1, START, &homes, &registers).unwrap();
    let told = |row: &AttestedRow| (row.household.0, row.export_wh.0, row.import_wh.0);
    assert_eq!(slot.rows.iter().map(told).collect::<Vec<_>>(), [(1, 100, 0), (2, 0, 90)]);
    let evidence: Vec<Vec<u8>> = registers.values().flat_map(|known| known.evidence.clone()).collect();
    assert_eq!(slot.evidence_root, merkle_root(evidence.iter().map(Vec::as_slice)));
    let loss = loss_after(&slot, &homes, &Gone::new()).unwrap();
    let row = loss_row(loss, LossRegisters::default(), &slot.rows, &Gone::new()).unwrap();
    assert_eq!(told(&row), (3, 0, 10));

    // A slot that was stored with its losses is sent as it was stored.
    slot.rows.push(row);
    assert_eq!(loss_after(&slot, &homes, &Gone::new()), None);
}

#[test]
fn what_goes_out_without_a_row_is_other_work_with_a_name_of_its_own() {
    let name = |ids: &[u32]| key_without("attest/1/900/0", &ids.iter().copied().map(HouseholdId).collect());
    assert_eq!(name(&[]), "attest/1/900/0");
    assert_eq!(name(&[12]), "attest/1/900/0-12");
    assert_eq!(name(&[12, 3]), "attest/1/900/0-3.12");
}

#[test]
fn who_is_gone_has_no_row_and_stays_in_the_residual() {
    let homes = [record(1), record(2), loss(3)];
    let known = BTreeMap::from([(HouseholdId(1), known(100, 0))]);
    let gone = Gone::from([(HouseholdId(2), (Wh(0), Wh(90)))]);
    let slot = plan_slot(1, START, &homes, &known).unwrap();
    assert_eq!(loss_after(&slot, &homes, &Gone::new()), None, "losses wait for a silent meter");
    let loss = loss_after(&slot, &homes, &gone).unwrap();
    let row = loss_row(loss, LossRegisters::default(), &slot.rows, &gone).unwrap();
    assert_eq!((row.household, row.export_wh, row.import_wh), (HouseholdId(3), Wh(0), Wh(10)));
    // Losses that fall would be minted to the operator.
    let before = LossRegisters { import_wh: Wh(11), export_wh: Wh(0) };
    assert_eq!(loss_row(loss, before, &slot.rows, &gone), None);
    assert!(loss_row(loss, before, &slot.rows, &Gone::new()).is_some());
}

#[test]
fn a_slot_of_which_nothing_is_known_is_no_slot() {
    let homes = [record(1), loss(3)];
    assert_eq!(plan_slot(1, START, &homes, &BTreeMap::new()), None);
}

#[test]
fn a_falling_residual_raises_the_loss_records_export() {
    let mut loss = LossRegisters::default();
    for (export, import, expected) in [(100, 90, (10, 0)), (200, 195, (10, 5)), (300, 260, (45, 5))] {
        loss = add_residual(loss, [(Wh(export), Wh(import))]).unwrap();
        assert_eq!((loss.import_wh.0, loss.export_wh.0), expected);
    }
}

proptest! {
    #[test]
    fn a_line_between_readings_never_falls_and_never_overshoots(
        export in (0..1u64 << 40, 0..1u64 << 40),
        import in (0..1u64 << 40, 0..1u64 << 40),
        length_us in 1..1_000_000_000_000i64,
        places in prop::collection::vec(0..1_000u64, 1..20),
    ) {
        let after = Timestamp(START.0 + length_us);
        let (a, b) = (row(START, export.0, import.0), row(after, export.0 + export.1, import.0 + import.1));
        let mut places = places;
        places.sort_unstable();
        let mut last = (a.export_wh, a.import_wh);
        for place in places {
            let at = Timestamp(START.0 + length_us * i64::try_from(place).unwrap() / 1_000);
            let known = at_boundary(Some(&a), Some(&b), at).unwrap();
            prop_assert!(known.export_wh >= last.0 && known.import_wh >= last.1);
            prop_assert!(known.export_wh <= b.export_wh && known.import_wh <= b.import_wh);
            last = (known.export_wh, known.import_wh);
        }
    }

    #[test]
    fn with_the_loss_record_every_exported_wh_is_imported_by_somebody(
        slots in prop::collection::vec(prop::collection::vec((0..5_000u64, 0..5_000u64), 3), 1..30),
    ) {
        let mut homes = [(0u64, 0u64); 3];
        let mut loss = LossRegisters::default();
        for slot in slots {
            for (home, (export, import)) in homes.iter_mut().zip(slot) {
                *home = (home.0 + export, home.1 + import);
            }
            let next = add_residual(loss, homes.map(|(export, import)| (Wh(export), Wh(import)))).unwrap();
            prop_assert!(next.import_wh >= loss.import_wh && next.export_wh >= loss.export_wh);
            loss = next;
            let exported = homes.iter().map(|home| home.0).sum::<u64>() + loss.export_wh.0;
            let imported = homes.iter().map(|home| home.1).sum::<u64>() + loss.import_wh.0;
            prop_assert_eq!(exported, imported);
        }
    }
}
