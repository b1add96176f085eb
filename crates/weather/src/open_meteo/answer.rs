//! Reading an answer: what it says of itself is checked before what it says of the sky.

use crate::WeatherError;
use crate::interval::{Interval, possible_cloud, possible_irradiance, possible_temperature};
use jirani_forecast::Place;
use jirani_units::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Names of light, temperature and clouds, with the unit each must be in.
const WANTED: [(&str, &str); 3] =
    [("shortwave_radiation", "W/m²"), ("temperature_2m", "°C"), ("cloud_cover", "%")];
/// How far the answer's cell may be from the one asked for, in degrees.
const NEAR_DEGREES: f64 = 0.3;
const HOUR_S: u32 = 3_600;
/// The most characters of a stranger's words that are kept.
const REASON_MAX: usize = 200;

/// What was asked.
pub(super) struct Asked {
    pub cell: Place,
    /// What stands behind the names of values.
    pub suffix: &'static str,
}

impl Asked {
    pub fn names(&self) -> [String; 3] {
        WANTED.map(|(name, _)| format!("{name}{}", self.suffix))
    }
}

#[derive(Deserialize)]
struct Answer {
    latitude: f64,
    longitude: f64,
    utc_offset_seconds: i64,
    hourly_units: BTreeMap<String, String>,
    hourly: BTreeMap<String, Vec<Option<f64>>>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    reason: String,
}

fn unreadable(what: impl Into<String>) -> WeatherError {
    WeatherError::Unreadable(what.into())
}

/// What a complaint says, in one short line; `None` if it is none or says nothing.
pub(super) fn reason(body: &[u8]) -> Option<String> {
    let complaint: Complaint = serde_json::from_slice(body).ok()?;
    let line: String = complaint.reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
    (!line.trim().is_empty()).then_some(line)
}

/// The hours of an answer, stamped with their start.
pub(super) fn intervals(asked: &Asked, body: &[u8]) -> Result<Vec<Interval>, WeatherError> {
    let body = without_nan(body);
    let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
        let said =
            reason(&body).unwrap_or_else(|| "the answer is not the JSON that was asked for".to_owned());
        return Err(unreadable(said));
    };
    if answer.utc_offset_seconds != 0 {
        return Err(unreadable("the answer's times are not UTC"));
    }
    let away = |said: f64, asked: f64| (said - asked).abs();
    let (north, east) = (
        away(answer.latitude, asked.cell.latitude()),
        away(answer.longitude, asked.cell.longitude()).rem_euclid(360.0),
    );
    let near = north <= NEAR_DEGREES && east.min(360.0 - east) <= NEAR_DEGREES;
    if !near {
        return Err(WeatherError::WrongPlace);
    }
    let names = asked.names();
    let wanted = names.iter().map(String::as_str).zip(WANTED.map(|(_, unit)| unit));
    for (name, unit) in wanted.chain([("time", "unixtime")]) {
        match answer.hourly_units.get(name).map(String::as_str) {
            Some(said) if said == unit => {}
            Some(said) => {
                let said: String = said.chars().filter(|c| !c.is_control()).take(20).collect();
                return Err(WeatherError::WrongUnits(format!("{name} is in {said}, not in {unit}")));
            }
            None => return Err(unreadable(format!("the answer says no unit of {name}"))),
        }
    }
    let values = |name: &str| answer.hourly.get(name).map_or(&[][..], Vec::as_slice);
    let times = values("time").iter().map(|time| time.and_then(stamp));
    let times: Option<Vec<i64>> = times.collect();
    let times = times.ok_or_else(|| unreadable("a time is no whole number of seconds"))?;
    let even = times.windows(2).all(|pair| pair[1] - pair[0] == i64::from(HOUR_S));
    let [light, temperature, cloud] = names.each_ref().map(|name| values(name));
    let whole = [light, temperature, cloud].iter().all(|values| values.len() == times.len());
    if times.is_empty() || !even || !whole {
        return Err(unreadable("the answer's hours are not one row of them"));
    }
    let at = |values: &[Option<f64>], place: usize| values.get(place).copied().flatten();
    Ok(times
        .iter()
        .enumerate()
        .map(|(place, time)| Interval {
            // The stamp is the end of the hour that the light is the mean of.
            start: Timestamp::from_seconds(time - i64::from(HOUR_S)),
            length_s: HOUR_S,
            irradiance: possible_irradiance(at(light, place)),
            temperature_c: possible_temperature(at(temperature, place)),
            cloud_percent: possible_cloud(at(cloud, place)),
        })
        .collect())
}

/// Seconds since 1970 within the years 2000 to 2100.
#[expect(clippy::cast_possible_truncation, reason = "whole and within a century")]
fn stamp(time: f64) -> Option<i64> {
    ((946_684_800.0..4_102_444_800.0).contains(&time) && time.fract() <= 0.0).then_some(time as i64)
}

/// `NaN` has been seen where JSON wants `null`; within a string it stays.
fn without_nan(body: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(body.len());
    let (mut quoted, mut rest) = (false, body);
    while let Some((&byte, after)) = rest.split_first() {
        if !quoted && rest.starts_with(b"NaN") {
            found.extend_from_slice(b"null");
            rest = rest.get(3..).unwrap_or(&[]);
            continue;
        }
        found.push(byte);
        rest = after;
        if quoted && byte == b'\\' {
            if let Some((&escaped, after)) = rest.split_first() {
                found.push(escaped);
                rest = after;
            }
        } else if byte == b'"' {
            quoted = !quoted;
        }
    }
    found
}
