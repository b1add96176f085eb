//! How registers begin anew: when a meter has lost its state, or its measuring part was
//! replaced.
//!
//! Readings of one epoch never fall and are numbered without a gap, so a meter that does
//! not know what it said last may not go on in it. It begins a greater epoch, with the
//! last registers that it can still find, and every reading says why until one is
//! acknowledged.

use crate::meter::MeterState;
use crate::reading::{Flags, Reading};

/// Why an epoch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anew {
    /// What the meter must not forget was lost or damaged.
    StateLost,
    /// The meter, or the part of it that measures, is another one.
    Replaced,
}

impl Anew {
    const fn flag(self) -> u32 {
        match self {
            Self::StateLost => Flags::STATE_LOST,
            Self::Replaced => Flags::REPLACED,
        }
    }
}

impl MeterState {
    /// The state with which a new epoch begins: `at_least` this one, and greater than
    /// that of the last reading that is still `known`, whose registers and relay go on.
    /// Without one they begin at 0, with the relay closed.
    pub fn anew(at_least: u32, why: Anew, known: Option<&Reading>) -> Self {
        let fresh = Self { epoch: at_least, untold: Flags(why.flag()), ..Self::default() };
        let Some(known) = known else { return fresh };
        Self {
            epoch: at_least.max(known.epoch.saturating_add(1)),
            last_time_us: known.time_us,
            registers: known.registers,
            relay: known.flags.relay(),
            ..fresh
        }
    }
}
