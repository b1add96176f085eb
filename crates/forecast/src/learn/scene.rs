//! A household at the moment of issue: the only door to its past, which shows nothing
//! that was not known then.

use super::grid::{Home, Target, narrow};
use super::sky::Sky;
use super::usual::{DAYS, Usual, mean};
use crate::clear_sky::{mean_irradiance, pv_wh};
use jirani_units::Timestamp;

/// Days of own past below which nothing is forecast by what was learned.
pub const DAYS_MIN: i64 = 3;

/// A household, what is forecast of it, and when.
pub struct Scene<'a> {
    home: &'a Home<'a>,
    target: Target,
    issued_at: Timestamp,
    /// The first slot that had not ended.
    now: i64,
    /// What values are measured in, in Wh: a home's mean use, or its panels' full power.
    unit_wh: f32,
    /// How the last two hours, day and week were, in units.
    pub(crate) recent: Recent,
}

/// Means of the immediate past, in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recent {
    pub hours: f32,
    /// The last two hours less what is usual for them.
    pub unusual: f32,
    pub day: f32,
    pub week: f32,
}

impl<'a> Scene<'a> {
    /// Set at `issued_at`; `None` with less than [`DAYS_MIN`] days known, or with nothing to
    /// measure in.
    pub fn new(home: &'a Home<'a>, target: Target, issued_at: Timestamp) -> Option<Self> {
        let now = issued_at.seconds().div_euclid(i64::from(home.grid.step_s()));
        let per_day = home.grid.per_day();
        let known = |from: i64| (from..now).filter_map(|number| home.grid.value(target, number));
        let days = known(now - DAYS * per_day).count();
        if days < usize::try_from(DAYS_MIN * per_day).unwrap_or(usize::MAX) {
            return None;
        }
        let unit_wh = match target {
            Target::Consumption => mean(known(now - DAYS * per_day)),
            Target::Production | Target::Surplus if home.rated_w > 0 => full_wh(home),
            Target::Production | Target::Surplus => {
                let (first, _) = home.grid.span();
                (first..now)
                    .filter_map(|number| home.grid.value(Target::Production, number))
                    .fold(0.0, f32::max)
            }
        };
        if unit_wh.is_nan() || unit_wh <= 0.0 {
            return None;
        }
        let unknown = Recent { hours: f32::NAN, unusual: f32::NAN, day: f32::NAN, week: f32::NAN };
        let mut scene = Self { home, target, issued_at, now, unit_wh, recent: unknown };
        let two_hours = (7_200 / i64::from(home.grid.step_s())).max(1);
        let unusual = (now - two_hours..now)
            .map(|number| scene.value(number).unwrap_or(f32::NAN) - scene.usual_before(number).mean());
        let unusual = mean(unusual);
        let over = |slots: i64| mean((now - slots..now).filter_map(|number| scene.value(number)));
        scene.recent =
            Recent { hours: over(two_hours), unusual, day: over(per_day), week: over(7 * per_day) };
        Some(scene)
    }

    /// The household.
    pub const fn home(&self) -> &Home<'a> {
        self.home
    }

    /// What is forecast.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// Number of the first slot that had not ended when the forecast was issued.
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// What a value of 1 is, in Wh.
    pub const fn unit_wh(&self) -> f32 {
        self.unit_wh
    }

    /// Value of a past slot in units; `None` for what was not known.
    pub fn value(&self, number: i64) -> Option<f32> {
        if number >= self.now {
            return None;
        }
        Some(self.home.grid.value(self.target, number)? / self.unit_wh)
    }

    /// The fewest whole days before a slot at which its time of day was known.
    pub fn nearest(&self, number: i64) -> i64 {
        let per_day = self.home.grid.per_day();
        1 + (number - self.now).max(0).div_euclid(per_day)
    }

    /// Values at the slot's time of day on the last `days` days known, the latest first.
    pub fn same_time(&self, number: i64, days: i64) -> impl Iterator<Item = f32> {
        let (nearest, per_day) = (self.nearest(number), self.home.grid.per_day());
        (nearest..nearest + days).map(move |day| self.value(number - day * per_day).unwrap_or(f32::NAN))
    }

    /// What is usual at the slot's time of day.
    pub fn usual(&self, number: i64) -> Usual {
        Usual::of(self.same_time(number, DAYS).collect())
    }

    /// What was usual for a past slot before it came.
    fn usual_before(&self, number: i64) -> Usual {
        let per_day = self.home.grid.per_day();
        Usual::of((1..=DAYS).filter_map(|day| self.value(number - day * per_day)).collect())
    }

    /// Weather of a slot as known at the time of issue.
    pub fn sky(&self, number: i64) -> Sky {
        self.home.skies.map_or(Sky::UNKNOWN, |skies| skies.at(number, self.issued_at))
    }

    /// Start of a slot.
    pub fn start(&self, number: i64) -> Timestamp {
        Timestamp::from_seconds(number.saturating_mul(i64::from(self.home.grid.step_s())))
    }

    /// Clear-sky irradiance of a slot in kW/m2; NaN where no place is known.
    pub fn clear(&self, number: i64) -> f32 {
        self.home.place.map_or(f32::NAN, |place| {
            narrow(mean_irradiance(place, self.start(number), self.home.grid.step_s()) / 1_000.0)
        })
    }

    /// The most that the slot can be, in units: no sun at night, nothing above the rated
    /// power. No bound for use.
    pub fn most(&self, number: i64) -> f32 {
        if self.target == Target::Consumption {
            return f32::MAX;
        }
        let night = self.clear(number) <= 0.0;
        let cap = if self.home.rated_w > 0 { full_wh(self.home) / self.unit_wh } else { 1.25 };
        if night { 0.0 } else { cap }
    }
}

/// Energy of a slot at the rated power.
fn full_wh(home: &Home<'_>) -> f32 {
    // Irradiance far above what full power needs: `pv_wh` stops at the rated power.
    narrow(pv_wh(home.rated_w, 10_000.0, home.grid.step_s()))
}
