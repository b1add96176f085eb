//! What the meter knows of the time: it has no battery, so after a power cut it knows
//! only that it is later than its last reading.

use jirani_meter::TimeQuality;

/// How long a time from the network is trusted fully, microseconds.
const DAY_US: u64 = 24 * 3_600 * 1_000_000;

/// The time, from a counter that begins with power and the network's word.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    floor_us: u64,
    /// The network's time, and the counter's then.
    set: Option<(u64, u64)>,
}

impl Clock {
    /// A clock that was never set; `floor_us` is the time of the last reading.
    pub fn new(floor_us: u64) -> Self {
        Self { floor_us, set: None }
    }

    /// Takes the network's time at `counter_us`.
    pub fn set(&mut self, time_us: u64, counter_us: u64) {
        self.set = Some((time_us, counter_us));
    }

    /// The time at `counter_us` and what it is worth.
    pub fn time(&self, counter_us: u64) -> (u64, TimeQuality) {
        match self.set {
            None => (self.floor_us.saturating_add(counter_us), TimeQuality::Unset),
            Some((time_us, then_us)) => {
                let since_us = counter_us.saturating_sub(then_us);
                let quality =
                    if since_us < DAY_US { TimeQuality::Synchronised } else { TimeQuality::HeldOver };
                (time_us.saturating_add(since_us), quality)
            }
        }
    }
}
