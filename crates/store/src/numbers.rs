//! Numbers handed out from blocks that are set aside durably: a number costs no
//! fsync, and no number is ever handed out twice.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Numbers set aside at once; a restart skips what was left of them.
pub const BLOCK: u64 = 64;

/// What is set aside and not handed out yet, by sequence.
#[derive(Default)]
pub struct Numbers(Mutex<HashMap<&'static str, BTreeMap<u64, u64>>>);

impl Numbers {
    /// The lowest number left.
    pub fn take(&self, sequence: &'static str) -> Option<u64> {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = sequences.get_mut(sequence)?;
        let (start, end) = blocks.pop_first()?;
        if start + 1 < end {
            blocks.insert(start + 1, end);
        }
        Some(start)
    }

    /// Adds a block that was set aside.
    pub fn add(&self, sequence: &'static str, block: Range<u64>) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.entry(sequence).or_default().insert(block.start, block.end);
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn the_lowest_number_goes_first_whatever_block_came_first() {
        let numbers = Numbers::default();
        assert_eq!(numbers.take("offer"), None);
        numbers.add("offer", 65..67);
        numbers.add("offer", 1..3);
        let taken: Vec<_> = std::iter::from_fn(|| numbers.take("offer")).collect();
        assert_eq!(taken, [1, 2, 65, 66]);
        assert_eq!(numbers.take("order"), None);
    }
}
