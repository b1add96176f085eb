//! What is attested of one slot of one feeder. Pure.

use crate::boundary::Attestable;
use crate::evidence::merkle_root;
use crate::residual::{LossRegisters, add_residual};
use jirani_store::{AttestedRow, HouseholdKind, HouseholdRecord, SlotRecord};
use jirani_units::{HouseholdId, Timestamp};
use std::collections::BTreeMap;

/// A slot ready to be stored and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPlan {
    /// As it is stored.
    pub record: SlotRecord,
    /// The loss record's registers when this has landed; `None` when it is not part
    /// of the slot.
    pub loss: Option<LossRegisters>,
}

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

/// The rows of a slot: every metered record whose registers are known at its end,
/// in household order, and the loss record when they all are (E4). `None` when
/// nothing is known of anybody.
pub fn plan_slot(
    feeder: u16,
    end: Timestamp,
    households: &[HouseholdRecord],
    known: &BTreeMap<HouseholdId, Attestable>,
    loss: LossRegisters,
) -> Option<SlotPlan> {
    let mut rows = Vec::new();
    let mut evidence = Vec::new();
    let mut all = true;
    let mut metered: Vec<&HouseholdRecord> =
        households.iter().filter(|record| is_metered(record, feeder, end)).collect();
    metered.sort_by_key(|record| record.id);
    for record in metered {
        let Some(registers) = known.get(&record.id) else {
            all = false;
            continue;
        };
        rows.push(AttestedRow {
            household: record.id,
            export_wh: registers.export_wh,
            import_wh: registers.import_wh,
            estimated: registers.estimated,
        });
        evidence.extend(registers.evidence.iter().map(Vec::as_slice));
    }
    if rows.is_empty() {
        return None;
    }
    let loss_id = loss_record(households, feeder).filter(|_| all);
    let loss = loss_id.and_then(|id| {
        let registers = rows.iter().map(|row| (row.export_wh, row.import_wh));
        Some((id, add_residual(loss, registers)?))
    });
    if let Some((id, loss)) = loss {
        let estimated = rows.iter().any(|row| row.estimated);
        rows.push(AttestedRow {
            household: id,
            export_wh: loss.export_wh,
            import_wh: loss.import_wh,
            estimated,
        });
        rows.sort_by_key(|row| row.household);
    }
    let record = SlotRecord {
        feeder,
        end,
        evidence_root: merkle_root(evidence),
        rows,
        signatures: Vec::new(),
        attested_at: None,
    };
    Some(SlotPlan { record, loss: loss.map(|(_, loss)| loss) })
}

/// The name of a slot's piece of work for the chain.
pub fn chunk_key(feeder: u16, end: Timestamp, chunk: usize) -> String {
    format!("attest/{feeder}/{}/{chunk}", end.seconds())
}
