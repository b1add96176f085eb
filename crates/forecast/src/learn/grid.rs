//! A household's past on an even grid of slots, with its gaps.

use super::LearnError;
use super::sky::Skies;
use crate::history::SlotEnergy;
use crate::place::Place;

/// What is forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Generated.
    Production,
    /// Used.
    Consumption,
    /// Generated and not used in the same slot: what can be offered. A target of its own,
    /// for quantiles of a difference are not differences of quantiles.
    Surplus,
}

/// The longest past that is looked at: three years of quarter hours.
pub const SLOTS_MAX: usize = 105_216;

/// Energies per slot in Wh; what is not known is NaN.
#[derive(Clone, Debug)]
pub struct Grid {
    step_s: u32,
    /// Number of the first slot, counted from 1970.
    first: i64,
    production: Vec<f32>,
    consumption: Vec<f32>,
}

/// A household, with what is known of it besides its past.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// A number of its own, for models that tell homes apart.
    pub number: u16,
    /// Its past.
    pub grid: &'a Grid,
    /// Where it is.
    pub place: Option<Place>,
    /// Rated power of the panels in W; 0 if nobody knows.
    pub rated_w: u32,
    /// What local clocks are ahead of UTC, in seconds.
    pub clock_offset_s: i64,
    /// Weather, past and forecast.
    pub skies: Option<&'a Skies>,
}

impl Grid {
    /// From slots in any order. Of two with one start the later counts; slots off the
    /// grid or older than [`SLOTS_MAX`] slots before the last are left out. What is absurdly large is
    /// judged when a forecast is made, by what was known then: see [`super::Scene`].
    pub fn of(history: &[SlotEnergy], step_s: u32) -> Result<Self, LearnError> {
        if step_s == 0 || !86_400_u32.is_multiple_of(step_s) {
            return Err(LearnError::SlotLength);
        }
        let number = |slot: &SlotEnergy| {
            let seconds = slot.start.seconds();
            (seconds.rem_euclid(i64::from(step_s)) == 0).then(|| seconds.div_euclid(i64::from(step_s)))
        };
        let span = i64::try_from(SLOTS_MAX).unwrap_or(i64::MAX);
        let last = history.iter().filter_map(number).max().unwrap_or(0);
        let recent = |slot: &SlotEnergy| number(slot).filter(|number| *number > last.saturating_sub(span));
        let first = history.iter().filter_map(recent).min().unwrap_or(0);
        let length = if history.is_empty() {
            0
        } else {
            usize::try_from(last - first + 1).unwrap_or(0).min(SLOTS_MAX)
        };
        let mut grid =
            Self { step_s, first, production: vec![f32::NAN; length], consumption: vec![f32::NAN; length] };
        for slot in history {
            let Some(place) = recent(slot).and_then(|number| usize::try_from(number - first).ok()) else {
                continue;
            };
            if let (Some(production), Some(consumption)) =
                (grid.production.get_mut(place), grid.consumption.get_mut(place))
            {
                *production = narrow(crate::number::fraction(slot.production_wh));
                *consumption = narrow(crate::number::fraction(slot.consumption_wh));
            }
        }
        Ok(grid)
    }

    /// Length of a slot in seconds.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// Slots of a day.
    pub fn per_day(&self) -> i64 {
        i64::from(86_400 / self.step_s)
    }

    /// Numbers of the first slot and of the one after the last.
    pub fn span(&self) -> (i64, i64) {
        (self.first, self.first + i64::try_from(self.production.len()).unwrap_or(0))
    }

    /// Energy of the slot with this number, in Wh.
    pub fn value(&self, target: Target, number: i64) -> Option<f32> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let value = match target {
            Target::Production => *self.production.get(place)?,
            Target::Consumption => *self.consumption.get(place)?,
            Target::Surplus => (self.production.get(place)? - self.consumption.get(place)?).max(0.0),
        };
        // `max` takes a number over none: a surplus of something unknown is unknown.
        let known = self.production.get(place)?.is_finite() && self.consumption.get(place)?.is_finite();
        (known && value.is_finite()).then_some(value)
    }
}

/// As the learner keeps it: seven digits are more than a meter has.
#[expect(clippy::cast_possible_truncation, reason = "a forecast needs no more digits")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
