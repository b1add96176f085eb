//! When to read: at every boundary of the interval, which divides a slot, so that every
//! slot's boundary is read.

use crate::SLOT_S;

/// Seconds between readings when the operator has not said otherwise.
pub const INTERVAL_S: u32 = 60;
/// Readings that may wait before none is made oftener than every [`INTERVAL_S`]: a queue
/// that keeps a day of minutes does not keep a day of seconds.
pub const WAITING_MAX: usize = 120;

const SECOND_US: u64 = 1_000_000;

/// The slot that a moment lies in, counted from 1970.
pub const fn slot_of(time_us: u64) -> u64 {
    time_us / (SLOT_S as u64 * SECOND_US)
}

/// Remembers when it was read last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    last_us: Option<u64>,
}

impl Schedule {
    /// How often to read, seconds: as the operator `told` (0: never), while `waiting`
    /// readings wait to be acknowledged.
    pub const fn interval_s(told: u32, waiting: usize) -> u32 {
        let wanted = if told == 0 { INTERVAL_S } else { told };
        if waiting > WAITING_MAX && wanted < INTERVAL_S { INTERVAL_S } else { wanted }
    }

    /// Whether a boundary was passed since the last time this said so. The first reading
    /// after a start is due at once.
    pub fn is_due(&mut self, time_us: u64, interval_s: u32) -> bool {
        let interval_us = u64::from(interval_s.max(1)) * SECOND_US;
        let due = self.last_us.is_none_or(|last_us| time_us / interval_us != last_us / interval_us);
        if due {
            self.last_us = Some(time_us);
        }
        due
    }
}
