//! Compute limits, learned from simulation. In transaction format v1 a limit that is
//! not set is zero, so there always is one.
//!
//! What a piece of work uses depends on its shape (an attestation of 28 rows, a
//! settlement of two fills) and little else: the first of a shape is simulated, and
//! the largest simulation so far, a tenth more, is the shape's limit. One that runs
//! out all the same is simulated itself and signed anew.

use crate::work::Work;
use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The chain's limit per transaction.
pub(crate) const UNITS_MAX: u32 = 1_400_000;
/// No transaction of ours uses less.
const UNITS_MIN: u32 = 1_000;

/// What units depend on: the kind of work and how many rows or fills it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape(u8, usize);

impl Shape {
    pub(crate) fn of(work: &Work) -> Self {
        match work {
            Work::Enrol { .. } => Self(0, 0),
            Work::Attest { rows, .. } => Self(1, rows.len()),
            Work::PostOffer { .. } => Self(2, 0),
            Work::CancelOffer { .. } => Self(3, 0),
            Work::PlaceOrder { fills, .. } => Self(4, fills.len()),
            Work::Settle { fills, .. } => Self(5, fills.len()),
            Work::PlaceAndSettle { fills, .. } => Self(6, fills.len()),
            Work::Release { fills, .. } => Self(7, fills.len()),
            Work::ReplaceMeter { .. } => Self(8, 0),
        }
    }
}

/// The limits learned so far.
#[derive(Default)]
pub(crate) struct Units(Mutex<HashMap<Shape, Limit>>);

#[derive(Clone, Copy)]
struct Limit {
    units: u32,
    /// Ran out: the next is simulated.
    doubted: bool,
}

impl Units {
    /// The limit of a shape; `None` when it must be simulated.
    pub(crate) fn known(&self, shape: Shape) -> Option<u32> {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limits.get(&shape).filter(|limit| !limit.doubted).map(|limit| limit.units)
    }

    /// Learns from a simulation that used `used`; says the shape's limit.
    pub(crate) fn learn(&self, shape: Shape, used: u64) -> u32 {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = with_margin(used);
        let units = limits.get(&shape).map_or(wanted, |limit| limit.units.max(wanted));
        limits.insert(shape, Limit { units, doubted: false });
        units
    }

    /// A transaction of that shape ran out of units.
    pub(crate) fn doubt(&self, shape: Shape) {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = limits.get_mut(&shape) {
            limit.doubted = true;
        }
    }
}

/// A tenth more, within what the chain allows.
fn with_margin(used: u64) -> u32 {
    let units = u32::try_from(used.saturating_mul(11).div_ceil(10)).unwrap_or(UNITS_MAX);
    units.clamp(UNITS_MIN, UNITS_MAX)
}

/// Whether a transaction failed for want of compute units.
pub(crate) fn ran_out(err: &TransactionError) -> bool {
    matches!(
        err,
        TransactionError::InstructionError(
            _,
            InstructionError::ComputationalBudgetExceeded | InstructionError::ProgramFailedToComplete
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_largest_simulation_and_a_tenth() {
        let units = Units::default();
        let shape = Shape(1, 28);
        assert_eq!(units.known(shape), None);
        assert_eq!(units.learn(shape, 100_000), 110_000);
        assert_eq!(units.known(shape), Some(110_000));
        assert_eq!(units.known(Shape(1, 27)), None, "another shape");
        units.doubt(shape);
        assert_eq!(units.known(shape), None);
        assert_eq!(units.learn(shape, 50_000), 110_000, "never less than was needed before");
        assert_eq!(units.learn(shape, 200_001), 220_002);
    }

    #[test]
    fn a_limit_is_never_zero_nor_above_the_chains() {
        assert_eq!(with_margin(0), UNITS_MIN);
        assert_eq!(with_margin(u64::MAX), UNITS_MAX);
    }
}
