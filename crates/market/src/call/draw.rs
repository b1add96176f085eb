//! The tie-break: a draw that was fixed before anybody could know whom it favours.
//!
//! Orders of one price, one party and one moment are served in the order of
//! SHA-256(SHA-256(domain, seed, beacon, slot), household). The *seed* is the operator's, bound
//! long before by a hash chain: the seed of each slot is the preimage of the seed
//! before it, so one published number binds a year of draws. The *beacon* is the
//! evidence root of the slot before, made of readings that the households' own meters
//! signed after the chain was published. Whoever makes the seed cannot know the beacon,
//! whoever bends a meter cannot know the seed, and both are public afterwards, so
//! anybody can draw again. The household is drawn, not the order: splitting an order
//! into a hundred gives no second ticket.

use jirani_units::{HouseholdId, Slot};
use sha2::{Digest as _, Sha256};

const SEED: &[u8] = b"jirani.call.seed.v1\0";
const TICKET: &[u8] = b"jirani.call.ticket.v1\0";

/// A seed that was not the one promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// The seed does not lead to the commitment.
    #[error("market.draw_seed: this seed is not the one that was committed to; the slot is not cleared")]
    WrongSeed,
}

/// What decides between equals in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Everything but the household.
    key: [u8; 32],
}

impl Draw {
    /// What a seed is bound by: published before, and itself the seed of the slot
    /// before.
    pub fn commitment(seed: &[u8; 32]) -> [u8; 32] {
        Sha256::new().chain_update(SEED).chain_update(seed).finalize().into()
    }

    /// Opens the draw of `slot` if `seed` is the one that `commitment` promised.
    /// `beacon`: evidence root of the slot before.
    pub fn open(
        commitment: &[u8; 32],
        seed: [u8; 32],
        beacon: [u8; 32],
        slot: Slot,
    ) -> Result<Self, DrawError> {
        if Self::commitment(&seed) != *commitment {
            return Err(DrawError::WrongSeed);
        }
        let key = Sha256::new()
            .chain_update(TICKET)
            .chain_update(seed)
            .chain_update(beacon)
            .chain_update(slot.start.0.to_le_bytes())
            .chain_update(slot.length_s.to_le_bytes());
        Ok(Self { key: key.finalize().into() })
    }

    /// A household's ticket: the first 128 bits of its hash, big-endian. The lowest goes
    /// first.
    pub fn ticket(&self, household: HouseholdId) -> u128 {
        let hash: [u8; 32] =
            Sha256::new().chain_update(self.key).chain_update(household.0.to_le_bytes()).finalize().into();
        hash.iter().take(16).fold(0, |ticket, byte| ticket << 8 | u128::from(*byte))
    }
}
