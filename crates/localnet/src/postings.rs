//! Which transactions touched an address.
//!
//! Positions are cut into segments of 4,096. The unfinished segment is in memory
//! and made anew from the transactions at a start; a finished one is written at
//! once, sorted by address, so that a transaction costs the index nothing when it
//! is stored, deleting the oldest is deleting a range, and memory does not grow
//! with history.

use solana_address::Address;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Transactions per segment.
pub const SEGMENT: u64 = 4_096;

/// The segment of a position.
pub fn segment(seq: u64) -> u64 {
    seq / SEGMENT
}

/// A finished segment: offsets within it by address.
pub type Finished = BTreeMap<Address, Vec<u16>>;

/// The unfinished segment, shared by the thread that writes and those who ask.
#[derive(Clone, Default)]
pub struct Tail(Arc<Mutex<Unfinished>>);

#[derive(Default)]
struct Unfinished {
    segment: u64,
    touched: Finished,
}

/// What the unfinished segment knows of an address.
pub struct TailPage {
    /// The unfinished segment: all below it are on disk.
    pub segment: u64,
    /// Positions between the bounds, newest first.
    pub seqs: Vec<u64>,
}

impl Tail {
    /// Starts with the segment of the next position.
    pub fn starting_at(next_seq: u64) -> Self {
        let unfinished = Unfinished { segment: segment(next_seq), touched: Finished::new() };
        Self(Arc::new(Mutex::new(unfinished)))
    }

    /// Plans to add transactions once they are durable.
    pub fn plan(&self) -> Plan {
        Plan { segment: self.lock().segment, new: Finished::new(), moved: false }
    }

    /// Adds what is durable now.
    pub fn add(&self, plan: Plan) {
        let mut tail = self.lock();
        if plan.moved {
            tail.segment = plan.segment;
            tail.touched.clear();
        }
        for (address, mut offsets) in plan.new {
            tail.touched.entry(address).or_default().append(&mut offsets);
        }
    }

    /// The newest at most `limit` positions of an address with
    /// `after < seq < before`, as far as this segment knows.
    pub fn newest(&self, address: &Address, before: u64, after: u64, limit: usize) -> TailPage {
        let tail = self.lock();
        let seqs = tail
            .touched
            .get(address)
            .map(|offsets| newest(tail.segment, offsets, before, after, limit))
            .unwrap_or_default();
        TailPage { segment: tail.segment, seqs }
    }

    fn lock(&self) -> MutexGuard<'_, Unfinished> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Transactions on their way into the index: nobody sees them before they are durable.
pub struct Plan {
    segment: u64,
    new: Finished,
    moved: bool,
}

impl Plan {
    /// Adds a transaction; positions rise. Gives the segment that it finished, which
    /// must be stored in the same commit.
    pub fn insert(
        &mut self,
        tail: &Tail,
        seq: u64,
        addresses: impl Iterator<Item = Address>,
    ) -> Option<(u64, Finished)> {
        let finished = (segment(seq) > self.segment).then(|| {
            let mut whole = if self.moved { Finished::new() } else { tail.lock().touched.clone() };
            for (address, mut offsets) in std::mem::take(&mut self.new) {
                whole.entry(address).or_default().append(&mut offsets);
            }
            (std::mem::replace(&mut self.segment, segment(seq)), whole)
        });
        self.moved |= finished.is_some();
        if let Ok(offset) = u16::try_from(seq % SEGMENT) {
            for address in addresses {
                let offsets = self.new.entry(address).or_default();
                // An address that a table repeats is touched once.
                if offsets.last() != Some(&offset) {
                    offsets.push(offset);
                }
            }
        }
        finished
    }
}

/// The newest at most `limit` positions of a segment with `after < seq < before`.
pub fn newest(segment: u64, offsets: &[u16], before: u64, after: u64, limit: usize) -> Vec<u64> {
    let position = |offset: &u16| segment * SEGMENT + u64::from(*offset);
    let end = offsets.partition_point(|offset| position(offset) < before);
    offsets
        .get(..end)
        .unwrap_or_default()
        .iter()
        .rev()
        .map(position)
        .take_while(|seq| *seq > after)
        .take(limit)
        .collect()
}

/// Offsets as they are stored.
pub fn encode(offsets: &[u16]) -> Vec<u8> {
    offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

/// Stored offsets; an odd byte at the end is ignored.
pub fn decode(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
}

/// Every address that a transaction touches.
pub fn touched<'a>(
    transaction: &'a VersionedTransaction,
    loaded: &'a [Address],
) -> impl Iterator<Item = Address> + 'a {
    transaction.message.static_account_keys().iter().chain(loaded).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_segment_that_is_full_is_stored_and_then_forgotten() {
        let tail = Tail::starting_at(1);
        let address = Address::new_from_array([1; 32]);
        let mut plan = tail.plan();
        for seq in 1..SEGMENT - 1 {
            assert!(plan.insert(&tail, seq, [address, address].into_iter()).is_none());
        }
        assert!(tail.newest(&address, u64::MAX, 0, 2).seqs.is_empty(), "nothing of it is durable yet");
        tail.add(plan);
        let mut plan = tail.plan();
        assert!(plan.insert(&tail, SEGMENT - 1, [address].into_iter()).is_none());
        let (number, stored) = plan.insert(&tail, SEGMENT, [address].into_iter()).expect("a full segment");
        assert_eq!((number, stored[&address].len()), (0, 4_095));
        assert_eq!(tail.newest(&address, u64::MAX, 0, 2).seqs, [4_094, 4_093], "shown until it is stored");
        tail.add(plan);
        let page = tail.newest(&address, u64::MAX, 0, 2);
        assert_eq!((page.segment, page.seqs), (1, vec![SEGMENT]));
        assert_eq!(decode(&encode(&stored[&address])), stored[&address]);
    }

    proptest! {
        #[test]
        fn a_page_is_what_a_filter_would_find(
            mut offsets in prop::collection::btree_set(0u16..4_096, 0..200),
            number in 0u64..4, before in 0u64..20_000, after in 0u64..20_000, limit in 0usize..50,
        ) {
            let offsets: Vec<u16> = std::mem::take(&mut offsets).into_iter().collect();
            let expected: Vec<u64> = offsets.iter().rev()
                .map(|offset| number * SEGMENT + u64::from(*offset))
                .filter(|seq| *seq < before && *seq > after)
                .take(limit)
                .collect();
            prop_assert_eq!(newest(number, &offsets, before, after, limit), expected);
        }
    }
}
