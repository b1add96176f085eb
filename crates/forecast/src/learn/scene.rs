//! A household at the moment of issue: the only door to its past, which shows nothing
//! that was not known then.

use super::grid::{Home, Target, narrow};
use super::sky::Sky;
use super::usual::{DAYS, Usual, mean};
use crate::clear_sky::{mean_irradiance, pv_wh};
use jirani_units::Timestamp;

/// Energies this many times the 99th percentile of the last days are a meter's error, not
/// a home's use.
const ABSURD: f32 = 10.0;
/// Light below which shares of a clear sky say nothing, in kW/m2.
const LIGHT_MIN: f32 = 0.05;
/// How far a past day's sun may be from another's for one to speak for the other.
const SUNS: (f32, f32) = (0.4, 2.5);

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
    /// Above these, in Wh, what was produced and used is absurd.
    highest: [f32; 2],
    /// Clear-sky irradiance of the slots from `clears_from` on.
    clears: Vec<f32>,
    clears_from: i64,
    /// How the last two hours, day and week were, in units.
    pub(crate) recent: Recent,
}

/// Means of the immediate past, in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recent {
    pub hours: f32,
    /// The last two hours less what is usual for them.
    pub unusual: f32,
    pub evening: f32,
    pub day: f32,
    pub week: f32,
    /// What the panels made of the light of the last one, three and seven days, as a share
    /// of a clear sky's.
    pub clearness: [f32; 3],
    /// What was used in the last day.
    pub used_day: f32,
}

impl Recent {
    const UNKNOWN: Self = Self {
        hours: f32::NAN,
        unusual: f32::NAN,
        evening: f32::NAN,
        day: f32::NAN,
        week: f32::NAN,
        clearness: [f32::NAN; 3],
        used_day: f32::NAN,
    };
}

impl<'a> Scene<'a> {
    /// Set at `issued_at`; `None` with less than [`DAYS_MIN`] days known, or with nothing to
    /// measure in.
    pub fn new(home: &'a Home<'a>, target: Target, issued_at: Timestamp) -> Option<Self> {
        let now = issued_at.seconds().div_euclid(i64::from(home.grid.step_s()));
        let per_day = home.grid.per_day();
        let from = now - DAYS * per_day;
        let clears_from = from - per_day;
        let mut scene = Self {
            home,
            target,
            issued_at,
            now,
            unit_wh: 1.0,
            highest: [
                highest(home, Target::Production, from..now),
                highest(home, Target::Consumption, from..now),
            ],
            clears: Vec::new(),
            clears_from,
            recent: Recent::UNKNOWN,
        };
        let known = |from: i64| (from..now).filter_map(|number| scene.known(target, number));
        let days = known(from).count();
        if days < usize::try_from(DAYS_MIN * per_day).unwrap_or(usize::MAX) {
            return None;
        }
        let unit_wh = match target {
            Target::Consumption => mean(known(from)),
            Target::Production | Target::Surplus if home.rated_w > 0 => full_wh(home),
            Target::Production | Target::Surplus => {
                let (first, _) = home.grid.span();
                (first..now).filter_map(|number| scene.known(Target::Production, number)).fold(0.0, f32::max)
            }
        };
        if unit_wh.is_nan() || unit_wh <= 0.0 {
            return None;
        }
        scene.unit_wh = unit_wh;
        // Use follows the sun only through the last week's light.
        let sunny = if target == Target::Consumption { 7 } else { DAYS + 1 };
        scene.clears_from = now - sunny * per_day;
        let clears = scene.clears_from..now + if target == Target::Consumption { 0 } else { 2 * per_day };
        scene.clears = clears.map(|number| scene.clear(number)).collect();
        scene.recent = scene.recently();
        Some(scene)
    }

    fn recently(&self) -> Recent {
        let (now, per_day) = (self.now, self.home.grid.per_day());
        let two_hours = (7_200 / i64::from(self.home.grid.step_s())).max(1);
        let unusual = (now - two_hours..now)
            .map(|number| self.value(number).unwrap_or(f32::NAN) - self.usual_before(number).mean());
        let unusual = mean(unusual);
        let over = |slots: i64| mean((now - slots..now).filter_map(|number| self.value(number)));
        let used = (now - per_day..now).filter_map(|number| self.known(Target::Consumption, number));
        Recent {
            hours: over(two_hours),
            unusual,
            evening: over(3 * two_hours),
            day: over(per_day),
            week: over(7 * per_day),
            clearness: [1, 3, 7].map(|days| self.clearness(now - days * per_day..now)),
            used_day: mean(used) / self.unit_wh,
        }
    }

    /// What the panels made of the light of past slots, as a share of a clear sky's on their
    /// full power.
    fn clearness(&self, slots: std::ops::Range<i64>) -> f32 {
        let (mut made, mut light) = (0.0, 0.0);
        for number in slots {
            if let Some(wh) = self.known(Target::Production, number) {
                made += wh;
                light += self.clear(number);
            }
        }
        let full = full_wh(self.home);
        if light > 0.0 && full > 0.0 { made / (light * full) } else { f32::NAN }
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

    /// Energy of any slot in Wh; `None` for what nobody measured, or what is absurd beside
    /// the days before the time of issue.
    fn known(&self, target: Target, number: i64) -> Option<f32> {
        let sound = |target: Target, highest: f32| {
            self.home.grid.value(target, number).is_some_and(|value| value <= highest)
        };
        let [production, consumption] = self.highest;
        (sound(Target::Production, production) && sound(Target::Consumption, consumption))
            .then(|| self.home.grid.value(target, number))
            .flatten()
    }

    /// What came in a slot, in Wh, whenever it came: for lessons and judges.
    pub fn truth(&self, number: i64) -> Option<f32> {
        self.known(self.target, number)
    }

    /// Value of a past slot in units; `None` for what was not known.
    pub fn value(&self, number: i64) -> Option<f32> {
        self.other(self.target, number)
    }

    /// What was produced or used in a past slot, in this scene's units.
    pub fn other(&self, target: Target, number: i64) -> Option<f32> {
        if number >= self.now {
            return None;
        }
        Some(self.known(target, number)? / self.unit_wh)
    }

    /// Value of a past slot as it would have been under the sun of another: days grow longer
    /// within the weeks that are looked back at. The root of the ratio of clear skies, for panels
    /// that lean towards the sun see less of its rise. Use is what it was.
    fn under_sun_of(&self, number: i64, past: i64) -> Option<f32> {
        let value = self.value(past)?;
        if self.target == Target::Consumption {
            return Some(value);
        }
        let (then, now) = (self.clear(past), self.clear(number));
        if !(then > LIGHT_MIN && now > LIGHT_MIN) {
            return Some(value);
        }
        let ratio = (now / then).sqrt().clamp(SUNS.0, SUNS.1);
        match self.target {
            Target::Surplus => {
                let made = self.other(Target::Production, past)? * ratio;
                Some((made - self.other(Target::Consumption, past)?).max(0.0))
            }
            Target::Production | Target::Consumption => Some(value * ratio),
        }
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

    /// The same, each under the sun of the slot.
    pub fn alike(&self, number: i64, days: i64) -> impl Iterator<Item = f32> {
        let (nearest, per_day) = (self.nearest(number), self.home.grid.per_day());
        (nearest..nearest + days)
            .map(move |day| self.under_sun_of(number, number - day * per_day).unwrap_or(f32::NAN))
    }

    /// What is usual at the slot's time of day, under its sun.
    pub fn expected(&self, number: i64) -> Usual {
        Usual::of(self.alike(number, DAYS).collect())
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
        let place = usize::try_from(number - self.clears_from).ok();
        if let Some(found) = place.and_then(|place| self.clears.get(place)) {
            return *found;
        }
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

/// What is absurd beside the slots given.
fn highest(home: &Home<'_>, target: Target, slots: std::ops::Range<i64>) -> f32 {
    let mut seen: Vec<f32> =
        slots.filter_map(|number| home.grid.value(target, number)).filter(|value| *value > 0.0).collect();
    let highest = ABSURD * jirani_booster::quantile(&mut seen, 0.99);
    if highest > 0.0 { highest } else { f32::INFINITY }
}

/// Energy of a slot at the rated power.
fn full_wh(home: &Home<'_>) -> f32 {
    // Irradiance far above what full power needs: `pv_wh` stops at the rated power.
    narrow(pv_wh(home.rated_w, 10_000.0, home.grid.step_s()))
}
