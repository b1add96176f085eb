//! Slots and their blockhashes: 400 ms of real time each, valid for 150 slots.
//!
//! A slot's hash is a function of the chain and the slot's number, so a hash
//! that was handed out before a restart is still known after it.

use sha2::{Digest, Sha256};
use solana_hash::Hash;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How many slots after its own a blockhash may be used.
pub const BLOCKHASH_AGE_MAX: u64 = 150;

/// How far ahead of the visible slot the stored ceiling runs: well under
/// [`BLOCKHASH_AGE_MAX`], so that a restart leaves blockhashes alive.
const AHEAD: u64 = 64;

/// Where the chain stands in real time.
pub struct Slots {
    genesis: Hash,
    slot_time: Duration,
    started: Instant,
    first: u64,
    now: u64,
    ceiling: u64,
    recent: VecDeque<Hash>,
    slot_of: HashMap<Hash, u64>,
}

impl Slots {
    /// Continues at `first`, the stored ceiling (0 for a new chain).
    pub fn continue_at(first: u64, genesis: Hash, slot_time: Duration) -> Self {
        let mut slots = Self {
            genesis,
            slot_time: slot_time.max(Duration::from_micros(1)),
            started: Instant::now(),
            first,
            now: first,
            ceiling: first,
            recent: VecDeque::new(),
            slot_of: HashMap::new(),
        };
        slots.remember(first.saturating_sub(BLOCKHASH_AGE_MAX));
        slots
    }

    /// Moves to the present. Some new ceiling must be stored before anything of
    /// this slot is shown, so that no restart goes back behind it.
    pub fn tick(&mut self) -> Option<u64> {
        let passed = self.started.elapsed().as_nanos() / self.slot_time.as_nanos();
        let now = self.first.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        if now > self.now {
            let from = (self.now + 1).max(now.saturating_sub(BLOCKHASH_AGE_MAX));
            self.now = now;
            self.remember(from);
        }
        (self.now >= self.ceiling).then(|| {
            self.ceiling = self.now + AHEAD;
            self.ceiling
        })
    }

    /// The current slot, also the block height.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The current slot's blockhash and the last block height it is good for.
    pub fn latest(&self) -> (Hash, u64) {
        (self.hash_of(self.now), self.now + BLOCKHASH_AGE_MAX)
    }

    /// Whether a transaction with this blockhash may run now.
    pub fn is_valid(&self, blockhash: &Hash) -> bool {
        self.slot_of.contains_key(blockhash)
    }

    /// Adds the hashes of `from..=now` and forgets those too old to be used.
    fn remember(&mut self, from: u64) {
        for slot in from..=self.now {
            let hash = self.hash_of(slot);
            self.recent.push_back(hash);
            self.slot_of.insert(hash, slot);
        }
        while self.recent.len() as u64 > BLOCKHASH_AGE_MAX + 1 {
            if let Some(old) = self.recent.pop_front() {
                self.slot_of.remove(&old);
            }
        }
    }

    fn hash_of(&self, slot: u64) -> Hash {
        let mut hasher = Sha256::new_with_prefix(b"jirani localnet block");
        hasher.update(self.genesis.as_bytes());
        hasher.update(slot.to_le_bytes());
        Hash::new_from_array(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_hash_of_the_last_150_slots_is_valid_and_an_older_one_is_not() {
        let mut slots = Slots::continue_at(1_000, Hash::default(), HOUR);
        let at = |slots: &Slots, slot| slots.is_valid(&slots.hash_of(slot));
        assert!(at(&slots, 1_000) && at(&slots, 850));
        assert!(!at(&slots, 849) && !at(&slots, 1_001));
        slots.now = 1_001;
        slots.remember(1_001);
        assert!(!at(&slots, 850));
        assert_eq!(slots.latest().1, 1_151);
    }

    #[test]
    fn what_was_valid_before_a_restart_is_valid_after_it() {
        let mut before = Slots::continue_at(0, Hash::default(), HOUR);
        let ceiling = before.tick().expect("a new chain stores a ceiling first");
        let (hash, _) = before.latest();
        let after = Slots::continue_at(ceiling, Hash::default(), HOUR);
        assert!(after.now() >= before.now());
        assert!(after.is_valid(&hash));
    }

    #[test]
    fn two_chains_share_no_blockhash() {
        let one = Slots::continue_at(7, Hash::new_from_array([1; 32]), HOUR);
        let two = Slots::continue_at(7, Hash::new_from_array([2; 32]), HOUR);
        assert!(!two.is_valid(&one.latest().0));
    }
}
