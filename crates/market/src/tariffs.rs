//! The schedule in force, as every service reads it: one handle, many clones.
//!
//! Promises: whoever asks at a moment gets the one tariff of that moment; a schedule is
//! replaced as a whole, so nobody ever sees half of a change. Which schedule that is, and
//! when it may change, is decided by whoever keeps the announcements.

use crate::schedule::{Schedule, ScheduleError, Version};
use crate::tariff::Tariff;
use jirani_units::Timestamp;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A handle on the schedule in force. Clones see the same one.
#[derive(Clone)]
pub struct Tariffs(Arc<RwLock<Arc<Schedule>>>);

impl Tariffs {
    /// A handle on `schedule`.
    pub fn new(schedule: Schedule) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(schedule))))
    }

    /// One tariff for all times, unless another is announced. Refused when its prices
    /// contradict each other.
    pub fn always(tariff: Tariff) -> Result<Self, ScheduleError> {
        Schedule::new(Timestamp(0), tariff).map(Self::new)
    }

    /// The tariff at a moment, for a slot at its start. Before the first begins it is the
    /// first: no moment is without prices.
    pub fn at(&self, at: Timestamp) -> Tariff {
        let schedule = self.schedule();
        schedule.in_force(at).copied().unwrap_or_else(|| schedule.first())
    }

    /// When prices change next after `at`, and to what.
    pub fn next_change(&self, at: Timestamp) -> Option<Version> {
        self.schedule().next_change(at).copied()
    }

    /// The schedule as of now.
    pub fn schedule(&self) -> Arc<Schedule> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everybody reads `schedule` from now on.
    pub fn replace(&self, schedule: Schedule) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(schedule);
    }
}

impl fmt::Debug for Tariffs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.schedule().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::Price;

    #[test]
    fn every_clone_reads_the_new_schedule_and_the_past_stays() {
        let before =
            Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
        let after = Tariff { retail: Price(3_600), ..before };
        let (tariffs, change) = (Tariffs::always(before).unwrap(), Timestamp::from_seconds(900));
        let reader = tariffs.clone();
        assert_eq!(reader.next_change(Timestamp(0)), None);
        tariffs.replace(tariffs.schedule().announce(Timestamp(0), change, after).unwrap());
        assert_eq!(
            (reader.at(Timestamp(-1)), reader.at(Timestamp(0)), reader.at(change)),
            (before, before, after)
        );
        assert_eq!(reader.next_change(Timestamp(0)).map(|next| next.from), Some(change));
        assert!(Tariffs::always(Tariff { buy_back: Price(3_400), ..before }).is_err());
    }
}
