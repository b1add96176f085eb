//! The door by which every method of forecasting enters.

use crate::history::SlotEnergy;
use crate::place::Place;
use crate::quantiles::Quantiles;
use jirani_units::Timestamp;

/// How far ahead a forecast looks, in seconds.
pub const HORIZON_S: u32 = 48 * 3_600;

/// Says what a household will produce and use.
pub trait Forecaster: Send + Sync {
    /// Forecasts from the slot that holds `input.issued_at` on, [`HORIZON_S`] far.
    /// Looks at nothing that was not known then.
    fn forecast(&self, input: &ForecastInput<'_>) -> Forecast;

    /// Name and version, kept with what it says.
    fn name(&self) -> &'static str;
}

/// All that is known when a forecast is issued.
#[derive(Clone, Copy, Debug)]
pub struct ForecastInput<'a> {
    /// When it is issued.
    pub issued_at: Timestamp,
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// Where the panels are; `None` turns the rules of the sun off.
    pub place: Option<Place>,
    /// Rated power of the panels in W; 0 without.
    pub pv_rated_w: u32,
    /// The household's past slots, oldest first, gaps left out.
    pub history: &'a [SlotEnergy],
    /// Weather forecast for coming slots, in order; slots without are taken as clear.
    pub weather: &'a [WeatherSlot],
}

/// Weather expected in one slot. Means over the slot, stamped with its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeatherSlot {
    /// Start of the slot.
    pub start: Timestamp,
    /// Global horizontal irradiance in W/m2.
    pub irradiance: f64,
    /// Air temperature in degrees Celsius, where the provider says.
    pub temperature_c: Option<f64>,
    /// Cloud cover in percent, where the provider says.
    pub cloud_percent: Option<f64>,
}

/// How much a forecast stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Less than a day of the household's own history: typical values.
    Cold,
    /// Less than a week.
    Young,
    /// A week or more.
    Grown,
}

/// Production and consumption per slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Length of a slot in seconds.
    pub step_s: u32,
    /// What it stands on.
    pub stage: Stage,
    /// One point per slot, in order.
    pub points: Vec<Point>,
}

/// One slot of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Start of the slot.
    pub start: Timestamp,
    /// Generated, Wh.
    pub production: Quantiles,
    /// Used, Wh.
    pub consumption: Quantiles,
}
