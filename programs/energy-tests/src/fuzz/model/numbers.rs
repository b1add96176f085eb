//! Numbers that may be used once.

use std::collections::BTreeSet;

/// Numbers of offers or orders that a household has used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    used: BTreeSet<u64>,
}

impl Numbers {
    /// Uses a number: never zero, never twice, never more than 64 below the newest or 2^32
    /// above it.
    pub fn take(&mut self, number: u64) -> Option<()> {
        let fresh = self.is_free(number);
        if fresh {
            self.used.insert(number);
            // What is older than the window can never be asked again.
            while self.used.len() > 70 {
                self.used.pop_first();
            }
        }
        fresh.then_some(())
    }

    /// Whether it may be used.
    pub fn is_free(&self, number: u64) -> bool {
        let near = number.saturating_sub(self.newest()) <= 1 << 32;
        number > 0 && near && self.newest().saturating_sub(number) <= 64 && !self.used.contains(&number)
    }

    /// The newest; 0 for none.
    pub fn newest(&self) -> u64 {
        self.used.last().copied().unwrap_or(0)
    }
}
