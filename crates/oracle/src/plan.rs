//! What is attested of one slot of one feeder. Pure.

use crate::boundary::Attestable;
use crate::evidence::merkle_root;
use jirani_store::{AttestedRow, HouseholdKind, HouseholdRecord, SlotRecord};
use jirani_units::{HouseholdId, Timestamp, Wh};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a record has a meter whose registers are attested on `feeder` at `end`.
pub(crate) fn is_metered(record: &HouseholdRecord, feeder: u16, end: Timestamp) -> bool {
    is_on_chain(record, feeder)
        && record.kind != HouseholdKind::Loss
        && record.meter.is_some()
        && record.enrolled_at <= end
}

fn is_on_chain(record: &HouseholdRecord, feeder: u16) -> bool {
    record.feeder == feeder && record.chain_address.is_some()
}

/// The feeder's loss record, if it has one.
pub(crate) fn loss_record(households: &[HouseholdRecord], feeder: u16) -> Option<HouseholdId> {
    households
        .iter()
        .find(|record| is_on_chain(record, feeder) && record.kind == HouseholdKind::Loss)
        .map(|record| record.id)
}

/// The rows of a slot: every metered record whose registers are known at its end, in
/// household order. The loss record follows when they have landed ([`loss_after`]). `None`
/// when nothing is known of anybody.
pub fn plan_slot(
    feeder: u16,
    end: Timestamp,
    households: &[HouseholdRecord],
    known: &BTreeMap<HouseholdId, Attestable>,
) -> Option<SlotRecord> {
    let mut rows = Vec::new();
    let mut evidence = Vec::new();
    let mut metered: Vec<&HouseholdRecord> =
        households.iter().filter(|record| is_metered(record, feeder, end)).collect();
    metered.sort_by_key(|record| record.id);
    for record in metered {
        let Some(registers) = known.get(&record.id) else { continue };
        rows.push(AttestedRow {
            household: record.id,
            export_wh: registers.export_wh,
            import_wh: registers.import_wh,
            estimated: registers.estimated,
        });
        evidence.extend(registers.evidence.iter().map(Vec::as_slice));
    }
    let evidence_root = merkle_root(evidence);
    let (signatures, attested_at) = (Vec::new(), None);
    (!rows.is_empty()).then_some(SlotRecord { feeder, end, evidence_root, rows, signatures, attested_at })
}

/// Those who have no meter any more, with what the chain has of them as (export, import): no
/// slot has a row of them, and losses do not wait for one.
pub type Gone = BTreeMap<HouseholdId, (Wh, Wh)>;

/// The metered records that a slot has no row of.
pub(crate) fn silent<'a>(
    slot: &SlotRecord,
    households: &'a [HouseholdRecord],
) -> impl Iterator<Item = &'a HouseholdRecord> {
    let told: BTreeSet<HouseholdId> = slot.rows.iter().map(|row| row.household).collect();
    let (feeder, end) = (slot.feeder, slot.end);
    let metered = households.iter().filter(move |record| is_metered(record, feeder, end));
    metered.filter(move |record| !told.contains(&record.id))
}

/// The feeder's loss record, if a slot's rows and `gone` are those of every metered record:
/// then their residual is its (E4). `None`, too, for a slot that has a row of it already.
pub fn loss_after(slot: &SlotRecord, households: &[HouseholdRecord], gone: &Gone) -> Option<HouseholdId> {
    let loss = loss_record(households, slot.feeder)?;
    let is_told = slot.rows.iter().any(|row| row.household == loss);
    let is_whole = silent(slot, households).all(|record| gone.contains_key(&record.id));
    (is_whole && !is_told).then_some(loss)
}

/// The name of a slot's piece of work for the chain.
pub fn chunk_key(feeder: u16, end: Timestamp, chunk: usize) -> String {
    format!("attest/{feeder}/{}/{chunk}", end.seconds())
}

/// The name of the loss record's, which comes after all chunks.
pub fn loss_key(feeder: u16, end: Timestamp) -> String {
    format!("attest/{feeder}/{}/loss", end.seconds())
}

/// The name of a piece of work that goes out without some of its rows. Other rows are other
/// work: one key has one outcome.
pub fn key_without(key: &str, left_out: &BTreeSet<HouseholdId>) -> String {
    let ids: Vec<String> = left_out.iter().map(ToString::to_string).collect();
    if ids.is_empty() { key.to_owned() } else { format!("{key}-{}", ids.join(".")) }
}
