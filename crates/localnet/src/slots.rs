//! Slots and their blockhashes: one every 400 ms, valid for 150 slots.
//!
//! A slot's hash is a function of the chain and the slot's number, so a hash
//! that was handed out before a restart is still known after it. Every slot has
//! a block, so a slot's number is also its block height.

use jirani_units::Clock;
use sha2::{Digest, Sha256};
use solana_hash::Hash;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many slots after its own a blockhash may be used.
pub const BLOCKHASH_AGE_MAX: u64 = 150;

/// How far ahead of the visible slot the stored ceiling runs: well under
/// [`BLOCKHASH_AGE_MAX`], so that a restart leaves blockhashes alive.
const AHEAD: u64 = 64;
/// How near to the ceiling the next one is asked for: it is stored, with whatever
/// else is, before anybody has to wait for it.
const EARLY: u64 = 32;

/// What makes slots pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotPace {
    /// Time as the machine feels it. A clock that leaps, as a simulated village's
    /// does, leaps over no slots: a blockhash outlives the leap.
    #[default]
    RealTime,
    /// The chain's clock: the same transactions at the same times have the same
    /// slots and blockhashes.
    Clock,
}

/// Where the chain stands.
pub struct Slots {
    genesis: Hash,
    slot_time: Duration,
    pace: Pace,
    first: u64,
    now: u64,
    ceiling: u64,
    recent: VecDeque<Hash>,
    slot_of: HashMap<Hash, u64>,
}

enum Pace {
    RealTime(Instant),
    Clock(Arc<dyn Clock>, i64),
}

impl Slots {
    /// Continues at `first`, the stored ceiling (0 for a new chain).
    pub fn continue_at(
        first: u64,
        genesis: Hash,
        slot_time: Duration,
        pace: SlotPace,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let pace = match pace {
            SlotPace::RealTime => Pace::RealTime(Instant::now()),
            SlotPace::Clock => Pace::Clock(clock.clone(), clock.now().0),
        };
        let mut slots = Self {
            genesis,
            slot_time: slot_time.max(Duration::from_micros(1)),
            pace,
            first,
            now: first,
            ceiling: first,
            recent: VecDeque::new(),
            slot_of: HashMap::new(),
        };
        slots.remember(first.saturating_sub(BLOCKHASH_AGE_MAX));
        slots
    }

    /// Moves to the present. A new ceiling must be stored before a slot above the
    /// last one is shown, so that no restart goes back behind it.
    pub fn tick(&mut self) -> Option<u64> {
        let passed = match &self.pace {
            Pace::RealTime(started) => started.elapsed().as_nanos(),
            Pace::Clock(clock, started) => {
                u128::from(clock.now().0.saturating_sub(*started).max(0).unsigned_abs()) * 1_000
            }
        } / self.slot_time.as_nanos();
        let now = self.first.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        self.move_to(now)
    }

    /// Moves ahead by `slots` at once.
    pub fn skip(&mut self, slots: u64) -> Option<u64> {
        self.first = self.first.saturating_add(slots);
        self.move_to(self.now.saturating_add(slots))
    }

    fn move_to(&mut self, now: u64) -> Option<u64> {
        if now > self.now {
            let from = (self.now + 1).max(now.saturating_sub(BLOCKHASH_AGE_MAX));
            self.now = now;
            self.remember(from);
        }
        (self.now + EARLY >= self.ceiling).then(|| {
            self.ceiling = self.now + AHEAD;
            self.ceiling
        })
    }

    /// The current slot, also the block height.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The blockhash of a slot and the last block height it is good for.
    pub fn blockhash(&self, slot: u64) -> (Hash, u64) {
        (self.hash_of(slot), slot + BLOCKHASH_AGE_MAX)
    }

    /// The slot of a blockhash with which a transaction may run now.
    pub fn slot_of(&self, blockhash: &Hash) -> Option<u64> {
        self.slot_of.get(blockhash).copied()
    }

    /// The slots before this one whose hashes are kept, newest first.
    pub fn past(&self) -> impl Iterator<Item = (u64, Hash)> {
        let before = (0..self.now).rev();
        before.zip(self.recent.iter().rev().skip(1).copied())
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

    /// The blockhash of any slot.
    pub fn hash_of(&self, slot: u64) -> Hash {
        let mut hasher = Sha256::new_with_prefix(b"jirani localnet block");
        hasher.update(self.genesis.as_bytes());
        hasher.update(slot.to_le_bytes());
        Hash::new_from_array(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::Timestamp;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct HandClock(AtomicI64);

    impl Clock for HandClock {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::SeqCst))
        }
    }

    const SLOT: Duration = Duration::from_millis(400);

    fn at(first: u64, genesis: Hash) -> (Slots, Arc<HandClock>) {
        let hand = Arc::new(HandClock(AtomicI64::new(1_000)));
        let clock: Arc<dyn Clock> = hand.clone();
        (Slots::continue_at(first, genesis, SLOT, SlotPace::Clock, &clock), hand)
    }

    #[test]
    fn a_hash_of_the_last_150_slots_is_valid_and_an_older_one_is_not() {
        let (mut slots, clock) = at(1_000, Hash::default());
        let known = |slots: &Slots, slot| slots.slot_of(&slots.hash_of(slot));
        assert_eq!((known(&slots, 1_000), known(&slots, 850)), (Some(1_000), Some(850)));
        assert_eq!((known(&slots, 849), known(&slots, 1_001)), (None, None));
        clock.0.fetch_add(400_000, Ordering::SeqCst);
        slots.tick();
        assert_eq!((slots.now(), known(&slots, 850), known(&slots, 851)), (1_001, None, Some(851)));
        assert_eq!(slots.blockhash(1_001).1, 1_151);
        clock.0.fetch_add(3_600_000_000, Ordering::SeqCst);
        slots.tick();
        assert_eq!((slots.now(), slots.slot_of.len()), (10_001, 151));
    }

    #[test]
    fn what_was_valid_before_a_restart_is_valid_after_it() {
        let (mut before, clock) = at(0, Hash::default());
        let mut ceiling = before.tick().expect("a new chain stores a ceiling first");
        for _ in 0..500 {
            let (hash, _) = before.blockhash(before.now());
            let (after, _) = at(ceiling, Hash::default());
            assert!(after.now() > before.now(), "no slot is shown twice");
            assert!(after.slot_of(&hash).is_some());
            clock.0.fetch_add(400_000, Ordering::SeqCst);
            ceiling = before.tick().unwrap_or(ceiling);
        }
    }

    #[test]
    fn two_chains_share_no_blockhash() {
        let (one, _) = at(7, Hash::new_from_array([1; 32]));
        let (two, _) = at(7, Hash::new_from_array([2; 32]));
        assert_eq!(two.slot_of(&one.blockhash(7).0), None);
    }
}
