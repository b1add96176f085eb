//! The last days of a feeder, hour by hour.

use jirani_forecast::Place;
use jirani_plausibility::{Day, DaySky, FeederHour, HISTORY_DAYS, HOURS};
use jirani_store::{HouseholdKind, HouseholdRecord};
use jirani_units::{HouseholdId, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Days of a feeder that are judged together.
const WINDOW_DAYS: usize = 7;

/// A feeder's last days, as long as the same meters hang on it.
#[derive(Debug, Default)]
pub(super) struct FeederPast {
    homes: Vec<HouseholdId>,
    days: VecDeque<Vec<FeederHour>>,
}

impl FeederPast {
    /// Adds a day that is over: the hours of which everybody's registers are known. Without a
    /// record of the operator's own there is no source to compare with, and nothing is kept.
    pub(super) fn push(&mut self, own: &[&HouseholdRecord], days: &BTreeMap<HouseholdId, Day>) {
        let of_kind = |home: bool| {
            own.iter()
                .filter(move |record| (record.kind == HouseholdKind::Home) == home)
                .map(|record| record.id)
        };
        let homes: Vec<HouseholdId> = of_kind(true).collect();
        let sources: Vec<HouseholdId> = of_kind(false).collect();
        if homes != self.homes {
            self.days.clear();
            self.homes = homes;
        }
        if sources.is_empty() {
            return;
        }
        let hour = |hour: usize| {
            let registers = |id: &HouseholdId| days.get(id).and_then(|day| day.registers(hour));
            let mut supply_wh = 0;
            for source in &sources {
                let [import, export, _] = registers(source)?;
                supply_wh += i64::from(export) - i64::from(import);
            }
            let meters: Option<Vec<[u32; 3]>> = self.homes.iter().map(registers).collect();
            Some(FeederHour { supply_wh, meters: meters? })
        };
        let hours = (0..HOURS).filter_map(hour).collect();
        if self.days.len() == WINDOW_DAYS {
            self.days.pop_front();
        }
        self.days.push_back(hours);
    }

    /// The homes, in the order of [`FeederHour::meters`].
    pub(super) fn homes(&self) -> &[HouseholdId] {
        &self.homes
    }

    /// All hours, oldest first.
    pub(super) fn window(&self) -> Vec<FeederHour> {
        self.days.iter().flatten().cloned().collect()
    }
}

/// The days that rules look back at, from the first whole one of a meter on, and today.
pub(super) fn days_of(place: Place, enrolled_at: Timestamp, today: i64) -> std::ops::RangeInclusive<i64> {
    let (first, _) = DaySky::day_of(place, enrolled_at);
    let back = i64::try_from(HISTORY_DAYS).unwrap_or(0);
    first.max(today - back)..=today
}
