//! When to read: every minute, until a day of minutes waits to be acknowledged; from
//! then on at the slots' boundaries only, so that the queue lasts for a month.

/// Seconds between readings.
pub const INTERVAL_S: u32 = 60;
/// Seconds of a settlement slot.
pub const SLOT_S: u32 = 900;
/// Readings that may wait before only the slots' boundaries are read: a day of minutes.
pub const MINUTES_KEPT: usize = 24 * 60;
/// Readings that the queue must hold: a day of minutes and thirty days of slots.
pub const KEPT_MIN: usize = MINUTES_KEPT + 30 * 24 * 4;

const SECOND_US: u64 = 1_000_000;

/// Remembers when it was read last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    last_us: Option<u64>,
}

impl Schedule {
    /// How often it is read while `kept` readings wait, seconds.
    pub fn interval_s(kept: usize) -> u32 {
        if kept < MINUTES_KEPT { INTERVAL_S } else { SLOT_S }
    }

    /// Whether a boundary was passed since the last time this said so. The first
    /// reading after a start is due at once.
    pub fn is_due(&mut self, time_us: u64, kept: usize) -> bool {
        let interval_us = u64::from(Self::interval_s(kept)) * SECOND_US;
        let due = self.last_us.is_none_or(|last_us| time_us / interval_us != last_us / interval_us);
        if due {
            self.last_us = Some(time_us);
        }
        due
    }
}
