//! Days of a meter, hour by hour, and the few weeks that are remembered of it.

use crate::sky::DaySky;
use std::collections::VecDeque;

/// Hours of a day.
pub const HOURS: usize = 24;
/// Days of a meter's past that rules look at.
pub const HISTORY_DAYS: usize = 21;

/// What is known of one hour while its day lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Hour {
    /// Import.
    pub import_wh: u32,
    /// Export.
    pub export_wh: u32,
    /// Generation.
    pub generation_wh: u32,
    /// Least and greatest power that readings of this hour told, in W, export positive;
    /// `None` without any.
    pub power_w: Option<(i32, i32)>,
    /// Readings whose voltage and current did not make their power.
    pub incoherent: u16,
}

/// A day as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Today {
    /// Its number by the place's sun, from 1970.
    pub day: i64,
    /// Its hours; `None` where the meter was silent.
    pub hours: [Option<Hour>; HOURS],
    /// How often the meter restarted.
    pub restarts: u32,
}

/// What is remembered of a day: 340 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its number.
    pub day: i64,
    known: u32,
    import_wh: [u32; HOURS],
    export_wh: [u32; HOURS],
    generation_wh: [u32; HOURS],
    /// Generation in thousandths of the clear sky's ceiling; 0 where that is low.
    yield_permille: [u16; HOURS],
}

impl Day {
    /// From a day that is over, under its sky, for panels of `panels_w`.
    pub fn of(today: &Today, sky: &DaySky, panels_w: u32) -> Self {
        let mut day = Self {
            day: today.day,
            known: 0,
            import_wh: [0; HOURS],
            export_wh: [0; HOURS],
            generation_wh: [0; HOURS],
            yield_permille: [0; HOURS],
        };
        for (index, hour) in today.hours.iter().enumerate() {
            let Some(hour) = hour else { continue };
            day.known |= 1 << index;
            day.import_wh[index] = hour.import_wh;
            day.export_wh[index] = hour.export_wh;
            day.generation_wh[index] = hour.generation_wh;
            let ceiling = sky.hours[index].ceiling_wh(panels_w);
            // A low sun says little: small numbers over small numbers.
            if sky.hours[index].ceiling_wh_per_kw > 200 && ceiling > 0 {
                let permille = u64::from(hour.generation_wh) * 1_000 / ceiling;
                day.yield_permille[index] = u16::try_from(permille).unwrap_or(u16::MAX);
            }
        }
        day
    }

    /// Whether an hour is known.
    pub fn knows(&self, hour: usize) -> bool {
        self.known >> hour & 1 == 1
    }

    /// Import, export and generation of an hour in Wh; `None` when it is not known.
    pub fn registers(&self, hour: usize) -> Option<[u32; 3]> {
        self.knows(hour).then(|| [self.import_wh[hour], self.export_wh[hour], self.generation_wh[hour]])
    }

    /// Generation of the day in Wh.
    pub fn generation_wh(&self) -> u64 {
        self.generation_wh.iter().copied().map(u64::from).sum()
    }

    /// The minute of the day around which generation lies; `None` without any.
    pub fn middle_minute(&self) -> Option<u32> {
        let sum = self.generation_wh();
        let moment: u64 =
            (0_u64..).zip(&self.generation_wh).map(|(hour, wh)| (hour * 60 + 30) * u64::from(*wh)).sum();
        moment.checked_div(sum).and_then(|minute| u32::try_from(minute).ok())
    }
}

/// The last days of a meter, oldest first, and the best of each hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    days: VecDeque<Day>,
    best_permille: [u16; HOURS],
}

impl History {
    /// Adds a day that is over; the oldest is forgotten.
    pub fn push(&mut self, day: Day) {
        if self.days.len() == HISTORY_DAYS {
            self.days.pop_front();
        }
        self.days.push_back(day);
        for hour in 0..HOURS {
            self.best_permille[hour] =
                self.days.iter().map(|day| day.yield_permille[hour]).max().unwrap_or_default();
        }
    }

    /// The days, oldest first.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = &Day> {
        self.days.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The best generation at an hour and its neighbours, in thousandths of the clear sky's
    /// ceiling; `None` while less than a week is remembered, or where the sun is low.
    pub fn best_permille(&self, hour: usize) -> Option<u16> {
        if self.days.len() < 7 {
            return None;
        }
        let around = hour.saturating_sub(1)..=(hour + 1).min(HOURS - 1);
        let best = around.filter_map(|hour| self.best_permille.get(hour)).max().copied();
        best.filter(|best| *best > 0)
    }
}
