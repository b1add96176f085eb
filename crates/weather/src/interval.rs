//! From the intervals in which others forecast to slots.
//!
//! An hour's mean is spread over its quarters in the shape of a clear sky: the share of
//! clear light is taken as the same for the whole hour, so that the hour's energy stays
//! what it was and a morning rises within its hour.

use crate::{Request, WeatherError};
use jirani_forecast::{Place, WeatherSlot, clear_sky};
use jirani_units::{Slot, Timestamp};

/// The most light that reaches the ground, between clouds at noon, in W/m2.
const IRRADIANCE_MAX: f64 = 1_500.0;
/// More times a clear sky's light than this is the ratio of two small numbers, not weather.
const CLEARNESS_MAX: f64 = 2.0;
/// Light below which no share can be told, in W/m2.
const DUSK: f64 = 1.0;

/// Means over an interval; `None` for what nobody says or what cannot be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub start: Timestamp,
    pub length_s: u32,
    pub irradiance: Option<f64>,
    pub temperature_c: Option<f64>,
    pub cloud_percent: Option<f64>,
}

/// A value that can be; a tiny negative light is a sensor's or a model's zero.
pub(crate) fn possible_irradiance(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (-5.0..=IRRADIANCE_MAX).contains(value)).map(|value| value.max(0.0))
}

pub(crate) fn possible_temperature(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (-60.0..=60.0).contains(value))
}

pub(crate) fn possible_cloud(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (0.0..=100.0).contains(value))
}

impl Interval {
    pub fn end(&self) -> Timestamp {
        self.start.plus_seconds(i64::from(self.length_s))
    }
}

/// The slots asked for that are known; an error where more than a quarter is not.
pub(crate) fn slots(request: &Request, intervals: &[Interval]) -> Result<Vec<WeatherSlot>, WeatherError> {
    let found = known(request, intervals)?;
    if found.len() * 4 < request.slots as usize * 3 {
        return Err(WeatherError::Incomplete);
    }
    Ok(found)
}

/// The slots asked for that `intervals` (in order, none over another) say something of.
pub(crate) fn known(request: &Request, intervals: &[Interval]) -> Result<Vec<WeatherSlot>, WeatherError> {
    let mut slot = request.first()?;
    let mut found = Vec::new();
    for _ in 0..request.slots {
        let from = intervals.partition_point(|interval| interval.end() <= slot.start);
        let over: Vec<&Interval> =
            intervals.iter().skip(from).take_while(|interval| interval.start < slot.end()).collect();
        found.extend(weather(request.place, slot, &over));
        slot = slot.next();
    }
    Ok(found)
}

/// Weather of one slot from the intervals that lie over it; `None` unless its light is
/// known throughout.
fn weather(place: Place, slot: Slot, over: &[&Interval]) -> Option<WeatherSlot> {
    let (mut light, mut covered) = (0.0, 0.0);
    for interval in over {
        let from = interval.start.max(slot.start);
        let to = interval.end().min(slot.end());
        let seconds = u32::try_from(to.since(from) / 1_000_000).ok()?;
        let mean = interval.irradiance?;
        let whole = clear(place, interval.start, interval.length_s);
        let here = clear(place, from, seconds);
        let share = if whole > DUSK { (mean / whole).min(CLEARNESS_MAX) } else { 1.0 };
        light += here * share * f64::from(seconds);
        covered += f64::from(seconds);
    }
    let length = f64::from(slot.length_s);
    if covered + 0.5 < length {
        return None;
    }
    let mean = |of: fn(&Interval) -> Option<f64>| {
        let (sum, count) = over
            .iter()
            .filter_map(|interval| of(interval))
            .fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    Some(WeatherSlot {
        start: slot.start,
        irradiance: (light / length).min(IRRADIANCE_MAX),
        temperature_c: mean(|interval| interval.temperature_c),
        cloud_percent: mean(|interval| interval.cloud_percent),
    })
}

/// Mean clear light, in steps short enough that a whole is the mean of its parts.
fn clear(place: Place, start: Timestamp, length_s: u32) -> f64 {
    const STEP_S: u32 = 900;
    let (mut sum, mut at) = (0.0, 0);
    while at < length_s {
        let step = STEP_S.min(length_s - at);
        sum += clear_sky::mean_irradiance(place, start.plus_seconds(i64::from(at)), step) * f64::from(step);
        at += step;
    }
    sum / f64::from(length_s.max(1))
}
