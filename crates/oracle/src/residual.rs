//! What a feeder lost: the operator's loss record. Pure.

use crate::plan::Gone;
use jirani_store::AttestedRow;
use jirani_units::{HouseholdId, Wh};

/// Registers of the loss record; both only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossRegisters {
    /// What the residual rose by, so far.
    pub import_wh: Wh,
    /// What it fell by, so far.
    pub export_wh: Wh,
}

/// The loss record's row after `rows`, which have landed and are, with `gone`, everybody's
/// (E4). `None` when a register would pass `u64::MAX`, and when losses would fall while
/// somebody is gone: what the gone still feed in unseen is nobody's gain.
pub fn loss_row(
    loss: HouseholdId,
    before: LossRegisters,
    rows: &[AttestedRow],
    gone: &Gone,
) -> Option<AttestedRow> {
    let told = rows.iter().map(|row| (row.export_wh, row.import_wh));
    // Registers are cumulative: what was attested of who is gone stays in the residual.
    let left = gone.iter().filter(|(id, _)| rows.iter().all(|row| row.household != **id));
    let after = add_residual(before, told.chain(left.map(|(_, registers)| *registers)))?;
    let LossRegisters { import_wh, export_wh } = after;
    let is_whole = gone.keys().all(|id| rows.iter().any(|row| row.household == *id));
    if !is_whole && export_wh > before.export_wh {
        return None;
    }
    let estimated = rows.iter().any(|row| row.estimated);
    Some(AttestedRow { household: loss, export_wh, import_wh, estimated })
}

/// Moves the loss registers so that import less export is the feeder's residual:
/// everything its meters exported less everything they imported. Registers are
/// (export, import). `None` when a register would pass `u64::MAX`.
pub fn add_residual(
    loss: LossRegisters,
    registers: impl IntoIterator<Item = (Wh, Wh)>,
) -> Option<LossRegisters> {
    let residual: i128 =
        registers.into_iter().map(|(export, import)| i128::from(export.0) - i128::from(import.0)).sum();
    let attested = i128::from(loss.import_wh.0) - i128::from(loss.export_wh.0);
    let rise = u64::try_from((residual - attested).unsigned_abs()).ok().map(Wh)?;
    if residual >= attested {
        Some(LossRegisters { import_wh: loss.import_wh.checked_add(rise)?, ..loss })
    } else {
        Some(LossRegisters { export_wh: loss.export_wh.checked_add(rise)?, ..loss })
    }
}
