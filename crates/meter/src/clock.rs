//! What the meter knows of the time: it has no battery, so after a power cut it knows
//! only that it is later than its last reading.

use crate::reading::TimeQuality;

/// How long a time from the network is trusted fully, microseconds.
const DAY_US: u64 = 24 * 3_600 * 1_000_000;

/// The time, from a counter that begins with power and the network's word.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    floor_us: u64,
    /// The time that was told, and the counter's then.
    set: Option<(u64, u64)>,
    /// Until when on the counter it is trusted fully.
    trusted_us: u64,
}

impl Clock {
    /// A clock that was never set; `floor_us` is the time of the last reading.
    pub fn new(floor_us: u64) -> Self {
        Self { floor_us, set: None, trusted_us: 0 }
    }

    /// Takes the network's time at `counter_us`.
    pub fn set(&mut self, time_us: u64, counter_us: u64) {
        self.set = Some((time_us, counter_us));
        self.trusted_us = counter_us.saturating_add(DAY_US);
    }

    /// Takes the operator's time at `counter_us`, which may have been under way for as
    /// long as an interval: good enough to run on, never as good as the network's.
    pub fn take(&mut self, time_us: u64, counter_us: u64) {
        self.set = Some((time_us, counter_us));
        self.trusted_us = 0;
    }

    /// The time at `counter_us` and what it is worth.
    pub fn time(&self, counter_us: u64) -> (u64, TimeQuality) {
        match self.set {
            None => (self.floor_us.saturating_add(counter_us), TimeQuality::Unset),
            Some((time_us, then_us)) => {
                let since_us = counter_us.saturating_sub(then_us);
                let is_trusted = counter_us < self.trusted_us;
                let quality = if is_trusted { TimeQuality::Synchronised } else { TimeQuality::HeldOver };
                (time_us.saturating_add(since_us), quality)
            }
        }
    }
}
