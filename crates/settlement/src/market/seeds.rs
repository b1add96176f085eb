//! The seeds of the draws: each slot's is the preimage of the one before, so that one
//! number, published before the first, binds them all ([`jirani_market::call::draw`]).
//!
//! A chain is of [`CHAIN_SLOTS`] slots, a year of quarters of an hour. Its last seed is
//! drawn from the deployment's seed; the others follow from it.

use crate::proof::keyed_hash;
use jirani_market::call::Draw;
use jirani_units::Slot;

/// Slots of one chain.
const CHAIN_SLOTS: usize = 35_040;

/// The seeds of one chain.
pub(super) struct SeedChain {
    /// Its number: slots since 1970 divided by [`CHAIN_SLOTS`].
    pub(super) number: i64,
    length_s: u32,
    /// The published number first, then each slot's seed. 1.1 MB.
    seeds: Vec<[u8; 32]>,
}

impl SeedChain {
    /// The chain that a slot belongs to.
    pub(super) fn number_of(slot: Slot) -> i64 {
        place(slot).0
    }

    /// Makes a chain: [`CHAIN_SLOTS`] hashes.
    pub(super) fn new(secret: &[u8; 32], number: i64, length_s: u32) -> Self {
        let last =
            keyed_hash(secret, &[b"market call seeds|", &number.to_le_bytes(), &length_s.to_le_bytes()]);
        let mut seeds = vec![last];
        for _ in 0..CHAIN_SLOTS {
            let next = seeds.last().map_or(last, Draw::commitment);
            seeds.push(next);
        }
        seeds.reverse();
        Self { number, length_s, seeds }
    }

    /// Whether it holds the slot's seed.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        self.length_s == slot.length_s && Self::number_of(slot) == self.number
    }

    /// The number that binds all of it.
    pub(super) fn published(&self) -> [u8; 32] {
        self.seeds.first().copied().unwrap_or_default()
    }

    /// What the slot's seed is bound by, and the seed. `None` for a slot of another chain.
    pub(super) fn seed(&self, slot: Slot) -> Option<([u8; 32], [u8; 32])> {
        let place = place(slot).1;
        let seeds = (self.seeds.get(place)?, self.seeds.get(place + 1)?);
        self.holds(slot).then_some((*seeds.0, *seeds.1))
    }

    /// Name of the setting in which the number that binds a chain is published.
    pub(super) fn setting(number: i64, length_s: u32) -> String {
        format!("market.draws/{length_s}/{number}")
    }
}

/// Number of a slot's chain, and its place in it.
fn place(slot: Slot) -> (i64, usize) {
    let index = slot.start.seconds().div_euclid(i64::from(slot.length_s.max(1)));
    let slots = i64::try_from(CHAIN_SLOTS).unwrap_or(i64::MAX);
    (index.div_euclid(slots), usize::try_from(index.rem_euclid(slots)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::Timestamp;

    #[test]
    fn one_published_number_binds_every_slot_of_a_chain() {
        let slot = |start: i64| Slot { start: Timestamp::from_seconds(start), length_s: 900 };
        let year = 900 * i64::try_from(CHAIN_SLOTS).unwrap();
        let first = slot(56 * year);
        let chain = SeedChain::new(&[7; 32], 56, 900);
        let mut bound_by = chain.published();
        for step in 0..CHAIN_SLOTS {
            let slot = slot(56 * year + 900 * i64::try_from(step).unwrap());
            let (commitment, seed) = chain.seed(slot).unwrap();
            assert_eq!(commitment, bound_by);
            assert!(Draw::open(&commitment, seed, [1; 32], slot).is_ok());
            bound_by = seed;
        }
        assert_eq!(chain.seed(slot(57 * year)), None);
        assert_eq!(chain.seed(Slot { length_s: 1_800, ..first }), None);
        assert_ne!(SeedChain::new(&[8; 32], 56, 900).published(), chain.published());
    }
}
