//! When to try again: later each time, and never all at once.

/// Waits that double up to a bound. A whole village loses its broker at one moment and
/// would come back at one moment; so each wait is between half and all of what the
/// doubling says, by a random number that is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    first_ms: u32,
    last_ms: u32,
    failures: u32,
}

impl Retry {
    /// Waits from `first_ms` (0 counts as 1) to `last_ms` milliseconds.
    pub const fn new(first_ms: u32, last_ms: u32) -> Self {
        Self { first_ms: if first_ms == 0 { 1 } else { first_ms }, last_ms, failures: 0 }
    }

    /// How long to wait after one more failure, milliseconds.
    pub fn wait_ms(&mut self, random: u32) -> u32 {
        let doubled = u64::from(self.first_ms) << self.failures.min(32);
        self.failures = self.failures.saturating_add(1);
        // INVARIANT: not above `last_ms`, which is a u32.
        let most = u32::try_from(doubled).unwrap_or(u32::MAX).min(self.last_ms);
        let half = most / 2;
        half + random % (most - half + 1)
    }

    /// It worked: the next failure waits as the first one did.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}
