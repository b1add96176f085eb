//! The rules once more, plainly: who owns, owes, may do and pays what, in maps and
//! whole numbers, without a byte of the program's layouts or a line of its code.
//!
//! Promises: [`Model::take`] says of every instruction whether it is accepted, and
//! changes itself exactly as the chain must; of a refusal it says which rule was broken,
//! unless another program refuses ([`Why::Elsewhere`]).

mod admin;
mod attest;
mod call;
mod home;
mod lamports;
mod numbers;
mod outside;
mod rules;
mod tokens;
mod trade;

pub use home::{Bucket, Home};
pub use numbers::Numbers;
pub use rules::{Daily, KeyCap, Level, Rules};
pub use trade::{Held, Lot, Mark};

use super::deed::Deed;
use super::place::{Numbered, Place};
use jirani_energy_interface::{EnergyError, Key};
use std::collections::{BTreeMap, BTreeSet};

/// Why an instruction must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The energy program says this.
    Ours(EnergyError),
    /// Token-2022, the system program or the runtime refuses, in its own words; or our
    /// program in words that depend on which of two wrongs it meets first.
    Elsewhere,
}

impl From<EnergyError> for Why {
    fn from(error: EnergyError) -> Self {
        Self::Ours(error)
    }
}

/// What a rule gives.
pub type Verdict<T = ()> = Result<T, Why>;

/// Requires what must hold.
pub(super) fn need(holds: bool, error: EnergyError) -> Verdict {
    if holds { Ok(()) } else { Err(Why::Ours(error)) }
}

/// The whole world as it should be.
#[derive(Clone)]
pub struct Model {
    /// The chain's time, Unix seconds.
    pub now: i64,
    /// Rent, by the chain's sysvar.
    pub lamports_per_byte: u64,
    /// The Config.
    pub rules: Rules,
    /// Households.
    pub homes: BTreeMap<u32, Home>,
    /// Offers.
    pub lots: BTreeMap<Numbered, Lot>,
    /// Orders.
    pub orders: BTreeMap<Numbered, Held>,
    /// Markers of used proofs, by their place.
    pub markers: BTreeMap<Place, Mark>,
    /// Tokens in every account of the mint, Wh.
    pub tokens: BTreeMap<Place, u64>,
    /// Lamports of everybody and everything that is followed.
    pub lamports: BTreeMap<Place, u64>,
    /// Feeders whose evidence exists, with the newest root.
    pub evidence: BTreeMap<u16, (i64, Key)>,
    /// Places that the last instructions touched.
    pub touched: BTreeSet<Place>,
}

impl Model {
    /// Takes the instructions of one transaction: all of them, or none and why. The
    /// number is that of the instruction that is refused.
    pub fn take_all(&mut self, deeds: &[Deed]) -> Result<(), (usize, Why)> {
        let mut after = self.clone();
        after.touched.clear();
        for (index, deed) in deeds.iter().enumerate() {
            after.take(deed).map_err(|why| (index, why))?;
        }
        after.rent_is_paid(self).map_err(|why| (deeds.len(), why))?;
        *self = after;
        Ok(())
    }

    /// Takes one instruction. On a refusal the model is spoiled: take it on a copy.
    pub fn take(&mut self, deed: &Deed) -> Verdict {
        match deed.program {
            Place::Token => self.token_program(deed),
            Place::System => self.system_program(deed),
            _ => self.energy_program(deed),
        }
    }

    /// The supply, Wh.
    pub fn supply(&self) -> u64 {
        self.tokens.values().sum()
    }
}
