//! How sure a slot is: what `processed`, `confirmed` and `finalized` mean here.

use solana_rpc_client_api::config::{CommitmentConfig, CommitmentLevel};

/// Slots after which a block of a cluster is never taken back
/// (`solana_vote_program::MAX_LOCKOUT_HISTORY` + 1).
pub const SLOTS_TO_FINAL: u64 = 32;
/// Slots after which two thirds of a cluster have usually voted for a block.
const SLOTS_TO_CONFIRMED: u64 = 1;

/// When a transaction is final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finality {
    /// As soon as it is executed and on disk: there is one node, and it forgets nothing.
    #[default]
    Instant,
    /// As on a cluster: confirmed one slot later, final after 32 slots. What the
    /// chain tells at a commitment is what was true at that commitment's slot.
    Realistic,
}

/// The newest slot of each commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// The current slot.
    pub processed: u64,
    /// The newest confirmed slot.
    pub confirmed: u64,
    /// The newest final slot, the root.
    pub finalized: u64,
}

impl Finality {
    /// The levels when `now` is the current slot.
    pub fn levels(self, now: u64) -> Levels {
        match self {
            Self::Instant => Levels { processed: now, confirmed: now, finalized: now },
            Self::Realistic => Levels {
                processed: now,
                confirmed: now.saturating_sub(SLOTS_TO_CONFIRMED),
                finalized: now.saturating_sub(SLOTS_TO_FINAL),
            },
        }
    }
}

impl Levels {
    /// The slot of a commitment.
    pub fn at(&self, level: CommitmentLevel) -> u64 {
        match level {
            CommitmentLevel::Processed => self.processed,
            CommitmentLevel::Confirmed => self.confirmed,
            CommitmentLevel::Finalized => self.finalized,
        }
    }

    /// How sure a block of `slot` is.
    pub fn of(&self, slot: u64) -> CommitmentLevel {
        if slot <= self.finalized {
            CommitmentLevel::Finalized
        } else if slot <= self.confirmed {
            CommitmentLevel::Confirmed
        } else {
            CommitmentLevel::Processed
        }
    }
}

/// The level that a caller asks for; `finalized` when it asks for none.
pub fn asked(commitment: Option<CommitmentConfig>) -> CommitmentLevel {
    commitment.unwrap_or_default().commitment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_chain_is_as_sure_of_now_as_of_ever() {
        let levels = Finality::Instant.levels(7);
        assert_eq!(levels.of(7), CommitmentLevel::Finalized);
        assert_eq!(levels.at(CommitmentLevel::Finalized), 7);
    }

    #[test]
    fn a_realistic_chain_takes_32_slots() {
        let levels = Finality::Realistic.levels(100);
        assert_eq!(levels.of(100), CommitmentLevel::Processed);
        assert_eq!(levels.of(99), CommitmentLevel::Confirmed);
        assert_eq!(levels.of(69), CommitmentLevel::Confirmed);
        assert_eq!(levels.of(68), CommitmentLevel::Finalized);
        for level in [CommitmentLevel::Processed, CommitmentLevel::Confirmed, CommitmentLevel::Finalized] {
            assert_eq!(levels.of(levels.at(level)), level);
        }
    }
}
