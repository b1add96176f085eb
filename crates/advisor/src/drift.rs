//! Whether a home changed: a new fridge, panels that broke.
//!
//! A one-sided cumulative sum (E. S. Page, "Continuous inspection schemes", Biometrika 41,
//! 1954) over the pinball loss of each day, measured by the home's own days before: how many
//! usual deviations the day lost more than usual, less [`ALLOWED`]. What is looked at is the
//! loss of what is usual, which takes weeks to get used to a change and is the same method
//! whoever makes the forecasts; what changed is told until forecasts by it are as good as
//! before, or for [`DAYS_TOLD`] days. Pure and in whole numbers.

use crate::track::Score;
use jirani_forecast::Tongue;
use jirani_units::Timestamp;

/// Days of the past that a day is measured by.
const DAYS_USUAL: usize = 28;
/// Days below which nothing can be said.
const DAYS_MIN: usize = 10;
/// The longest that a change is told, in days: by then what is usual knows it.
const DAYS_TOLD: i64 = 28;
/// So much more than usual is nothing, in hundredths of the usual deviation.
const ALLOWED: i64 = 100;
/// One day counts no more than this: a feast is no change.
const DAY_MOST: i64 = 400;
/// The sum at which a change is told.
const RAISED_AT: i64 = 800;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the panels make.
    Production,
    /// What is used.
    Consumption,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// More than in the weeks before.
    More,
    /// Less.
    Less,
}

/// A change of a home that its forecasts have not learned yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What changed.
    pub kind: Kind,
    /// Which way.
    pub way: Way,
    /// The first local day that looked different.
    pub since: Timestamp,
}

impl Drift {
    /// It in a sentence.
    pub const fn sentence(self, tongue: Tongue) -> &'static str {
        match (tongue, self.kind, self.way) {
            (Tongue::English, Kind::Consumption, Way::More) => {
                "You use more than in the weeks before; forecasts need some days to learn it."
            }
            (Tongue::Kiswahili, Kind::Consumption, Way::More) => {
                "Unatumia umeme mwingi kuliko wiki zilizopita; makadirio yanahitaji siku kadhaa kujifunza."
            }
            (Tongue::English, Kind::Consumption, Way::Less) => {
                "You use less than in the weeks before; forecasts need some days to learn it."
            }
            (Tongue::Kiswahili, Kind::Consumption, Way::Less) => {
                "Unatumia umeme kidogo kuliko wiki zilizopita; makadirio yanahitaji siku kadhaa kujifunza."
            }
            (Tongue::English, Kind::Production, Way::More) => {
                "Your panels make more than in the weeks before; forecasts need some days to learn it."
            }
            (Tongue::Kiswahili, Kind::Production, Way::More) => {
                "Paneli zako zinatoa umeme mwingi kuliko wiki zilizopita; makadirio yanahitaji siku kadhaa kujifunza."
            }
            (Tongue::English, Kind::Production, Way::Less) => {
                "Your panels make less than in the weeks before: look whether clouds, dirt, shade or a fault are why."
            }
            (Tongue::Kiswahili, Kind::Production, Way::Less) => {
                "Paneli zako zinatoa umeme kidogo kuliko wiki zilizopita: angalia kama ni mawingu, uchafu, kivuli au hitilafu."
            }
        }
    }
}

/// A day per slot: what was lost in hundredths of a Wh, what came in hundredths of a Wh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Day(i64, i64);

/// What is remembered of one kind of one home.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    usual: Vec<Day>,
    sum: i64,
    /// The local day on which the sum left nothing.
    left: Option<i64>,
    told: Option<Way>,
    last: i64,
}

impl Watch {
    /// Takes a local day in; one of which a quarter is unknown says nothing.
    pub fn see(&mut self, day: i64, score: Score, slots: usize) {
        let (Ok(known), Ok(slots)) = (i64::try_from(score.slots), i64::try_from(slots)) else { return };
        if known == 0 || known * 4 < slots * 3 {
            return;
        }
        let per_slot = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX) / known;
        let seen = Day(per_slot(score.loss), per_slot(score.truth_wh.saturating_mul(100)));
        self.last = day;
        if self.usual.len() >= DAYS_MIN {
            self.judge(day, seen);
        }
        // What is told is unusual by that, and must not become the measure of itself.
        if self.told.is_none() {
            self.usual.push(seen);
            let surplus = self.usual.len().saturating_sub(DAYS_USUAL);
            self.usual.drain(..surplus);
        }
    }

    fn judge(&mut self, day: i64, seen: Day) {
        let usual = mean(self.usual.iter().map(|day| day.0));
        let deviation = mean(self.usual.iter().map(|day| day.0.abs_diff(usual).cast_signed()));
        // Of few or very even days a deviation says little: a quarter of the loss at least.
        let deviation = deviation.max(usual / 4).max(1);
        let more = (seen.0 - usual).saturating_mul(100) / deviation;
        self.sum = (self.sum + more.clamp(-DAY_MOST, DAY_MOST) - ALLOWED).clamp(0, 2 * RAISED_AT);
        if self.sum == 0 {
            (self.left, self.told) = (None, None);
            return;
        }
        let left = *self.left.get_or_insert(day);
        if self.told.is_none() && self.sum > RAISED_AT {
            let came = mean(self.usual.iter().map(|day| day.1));
            self.told = Some(if seen.1 > came { Way::More } else { Way::Less });
        }
        if self.told.is_some() && day - left >= DAYS_TOLD {
            *self = Self { last: day, ..Self::default() };
        }
    }

    /// The change that is to be told, with the local day on which it began.
    pub fn told(&self) -> Option<(Way, i64)> {
        self.told.zip(self.left)
    }

    /// The last local day taken in.
    pub const fn last(&self) -> i64 {
        self.last
    }
}

fn mean(of: impl Iterator<Item = i64>) -> i64 {
    let (sum, count) = of.fold((0_i64, 0), |(sum, count), value| (sum.saturating_add(value), count + 1));
    sum / count.max(1)
}
