//! From the steps in which others forecast to slots, asked through a file of such steps.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jirani_forecast::Place;
use jirani_weather::{FileWeather, Request, Weather, WeatherError, WeatherProvider as _};
use std::fmt::Write as _;
use support::at;

async fn slots(from: &str, step_s: i64, light: &[&str], ask: (u32, u32)) -> Result<Weather, WeatherError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.csv");
    let mut text = "issue_time_utc,timestamp_utc,fc_ghi,temp_c,cloud_pct\n".to_owned();
    for (place, light) in (0..).zip(light) {
        writeln!(text, "{from},{},{light},,50", at(from).plus_seconds(place * step_s)).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let from = at(from);
    let (slots, slot_length_s) = ask;
    let asked = Request { place: Place::KITONYONI, issued_at: from, from, slot_length_s, slots };
    FileWeather::open(&path).unwrap().weather(asked).await
}

#[tokio::test]
async fn an_hours_light_is_spread_as_the_sun_rises_and_none_of_it_is_lost() {
    let found = slots("2026-03-20T04:00:00Z", 3_600, &["200", "400"], (8, 900)).await.unwrap().slots;
    for (hour, mean) in found.chunks(4).zip([200.0, 400.0]) {
        let sum: f64 = hour.iter().map(|slot| slot.irradiance).sum();
        assert!((sum / 4.0 - mean).abs() < 0.01, "{hour:?}");
        assert!(hour.windows(2).all(|pair| pair[0].irradiance < pair[1].irradiance), "{hour:?}");
    }
}

#[tokio::test]
async fn shorter_steps_are_put_together_and_a_hole_leaves_its_slot_out() {
    let mut light = ["600"; 8];
    light[5] = "";
    let weather = slots("2026-03-20T09:00:00Z", 1_800, &light, (4, 3_600)).await.unwrap();
    let starts: Vec<_> = weather.slots.iter().map(|slot| slot.start.to_string()).collect();
    assert_eq!(starts, ["2026-03-20T09:00:00Z", "2026-03-20T10:00:00Z", "2026-03-20T12:00:00Z"]);
    assert!((weather.slots[0].irradiance - 600.0).abs() < 1.0, "{weather:?}");
    light[1] = "";
    let holes = slots("2026-03-20T09:00:00Z", 1_800, &light, (4, 3_600)).await;
    assert_eq!(holes.unwrap_err(), WeatherError::Incomplete);
}

#[tokio::test]
async fn what_cannot_be_is_not_known() {
    for absurd in ["-6", "1500.1", "NaN", "inf"] {
        let found = slots("2026-03-20T09:00:00Z", 3_600, &[absurd, "500", "500", "500"], (4, 3_600)).await;
        assert_eq!(found.unwrap().slots.len(), 3, "{absurd}");
    }
}
