//! Homes of a small world whose truth is known: a sun behind clouds that differ from day to
//! day, and evenings, and days of the week at home.
#![allow(dead_code, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

use jirani_forecast::{Place, SlotEnergy, WeatherSlot, clear_sky};
use jirani_units::Timestamp;

pub const HOUR: u32 = 3_600;
pub const RATED_W: u32 = 3_000;
/// 2026-01-01T00:00:00Z.
pub const BEGIN_S: i64 = 1_767_225_600;

pub fn at(hour: i64) -> Timestamp {
    Timestamp::from_seconds(BEGIN_S + hour * 3_600)
}

fn even(seed: i64) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from((mixed >> 40) as u32) / f64::from(1_u32 << 24)
}

/// Light of an hour, through the clouds of its day.
pub fn light(hour: i64) -> f64 {
    let clearness = 0.2 + 0.8 * even(hour.div_euclid(24) * 7 + 3);
    clear_sky::mean_irradiance(Place::KITONYONI, at(hour), HOUR) * clearness
}

pub fn slot(home: i64, hour: i64) -> SlotEnergy {
    let production = clear_sky::pv_wh(RATED_W, light(hour), HOUR) * (0.9 + 0.2 * even(hour * 5 + home));
    let evening = (hour + 3).rem_euclid(24) >= 18;
    // Two days of seven are spent at home.
    let at_home = if (hour + 3).div_euclid(24).rem_euclid(7) < 2 { 3.0 } else { 1.0 };
    let consumption = at_home * if evening { 400.0 } else { 100.0 } * (0.5 + even(hour * 11 + home));
    SlotEnergy {
        start: at(hour),
        production_wh: production.round() as u64,
        consumption_wh: consumption.round() as u64,
    }
}

pub fn sky(hour: i64) -> WeatherSlot {
    WeatherSlot { start: at(hour), irradiance: light(hour), temperature_c: None, cloud_percent: None }
}
