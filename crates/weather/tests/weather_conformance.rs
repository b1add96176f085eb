//! What holds of every provider of weather.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jirani_forecast::clear_sky;
use jirani_units::Timestamp;
use jirani_weather::{ClearSky, FileWeather, Request, SLOTS_MAX, WeatherError, WeatherProvider};
use std::fmt::Write as _;
use support::{NOW, Server, at, cloudy, recorded, request};

async fn conforms(name: &str, provider: &dyn WeatherProvider) {
    let asked = request();
    let weather = provider.weather(asked).await.unwrap();
    assert!(!weather.source.is_empty(), "{name}: nobody says so");
    assert!(weather.issued_at <= asked.issued_at, "{name}: from the future");
    let first = at("2026-03-20T05:00:00Z");
    assert_eq!(weather.slots[0].start, first, "{name}: not the slot that holds the moment");
    let end = first.plus_seconds(192 * 900);
    assert!(weather.slots.iter().all(|slot| slot.start < end && slot.start.seconds() % 900 == 0), "{name}");
    assert!(weather.slots.windows(2).all(|pair| pair[0].start < pair[1].start), "{name}: out of order");
    assert!(weather.slots.len() >= 144, "{name}: holes");
    let mut light = 0.0;
    for slot in &weather.slots {
        assert!((0.0..=1_500.0).contains(&slot.irradiance), "{name}: {slot:?}");
        let clear = clear_sky::mean_irradiance(asked.place, slot.start, 900);
        assert!(clear > 0.0 || slot.irradiance <= 0.0, "{name}: light at night: {slot:?}");
        light += slot.irradiance;
    }
    assert!(light > 10_000.0, "{name}: two days without a sun");
    assert_eq!(provider.weather(asked).await.unwrap(), weather, "{name}: twice asked, twice said");
    let odd = [(SLOTS_MAX + 1, 900), (1, 0), (1, 1_000)];
    for (slots, slot_length_s) in odd {
        let unbounded = Request { slots, slot_length_s, ..asked };
        assert_eq!(provider.weather(unbounded).await, Err(WeatherError::InvalidRequest), "{name}");
    }
    // Nothing of the past may hold what became known after it was asked.
    let from = at("2026-03-19T00:00:00Z");
    let known = provider.past(Request { from, slots: 120, ..asked }).await.unwrap();
    assert!(known.iter().all(|known| known.known_from <= asked.issued_at), "{name}: {known:?}");
}

#[tokio::test]
async fn a_clear_sky_conforms() {
    conforms("clear sky", &ClearSky).await;
}

#[tokio::test]
async fn open_meteo_conforms() {
    let server = Server::start(recorded(NOW, 96, "", cloudy)).await;
    let past = Server::start(recorded("2026-03-19T00:00:00Z", 72, "_previous_day1", cloudy)).await;
    let config = jirani_weather::OpenMeteoConfig {
        url: server.url.clone(),
        past_url: past.url.clone(),
        api_key: String::new(),
    };
    conforms("Open-Meteo", &jirani_weather::OpenMeteo::new(config).unwrap()).await;
}

fn file(issues: &[&str], hours: i64) -> (tempfile::TempDir, FileWeather) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.csv");
    let mut text = "issue_time_utc,timestamp_utc,fc_ghi,temp_c,cloud_pct\n".to_owned();
    for issue in issues {
        let first = at(issue);
        for hour in 0..hours {
            let start = first.plus_seconds(hour * 3_600);
            let light = cloudy((start.seconds() / 3_600 + 1) % 24);
            writeln!(text, "{issue},{start},{light},21.0,").unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    let provider = FileWeather::open(&path).unwrap();
    (folder, provider)
}

#[tokio::test]
async fn a_file_conforms() {
    let (_folder, provider) = file(&["2026-03-20T00:00:00Z", "2026-03-20T06:00:00Z"], 72);
    conforms("file", &provider).await;
}

#[tokio::test]
async fn a_file_tells_a_forecast_from_its_issue_on_and_for_a_day() {
    let (_folder, provider) = file(&["2026-03-19T06:00:00Z", "2026-03-20T06:00:00Z"], 72);
    let ask = async |when: &str| {
        let moment: Timestamp = at(when);
        let asked = Request { issued_at: moment, from: moment, ..request() };
        provider.weather(asked).await.map(|weather| weather.issued_at.to_string())
    };
    assert_eq!(ask("2026-03-20T05:59:59Z").await.unwrap(), "2026-03-19T06:00:00Z");
    assert_eq!(ask("2026-03-20T06:00:00Z").await.unwrap(), "2026-03-20T06:00:00Z");
    assert_eq!(ask("2026-03-21T06:00:01Z").await.unwrap_err(), WeatherError::Stale);
    assert!(matches!(ask("2026-03-19T05:00:00Z").await, Err(WeatherError::Unavailable(_))));
}

#[test]
fn a_file_that_is_no_weather_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.csv");
    let head = "issue_time_utc,timestamp_utc,fc_ghi\n";
    for (lines, word) in [
        ("2026-03-20T00:00:00Z,yesterday,1\n", "line 2"),
        ("2026-03-20T00:00:00Z,2026-03-20T00:00:00Z,bright\n", "line 2"),
        (
            "2026-03-20T00:00:00Z,2026-03-20T00:00:00Z,1\n2026-03-20T00:00:00Z,2026-03-20T00:07:00Z,1\n",
            "even steps",
        ),
    ] {
        std::fs::write(&path, format!("{head}{lines}")).unwrap();
        let error = FileWeather::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("weather.file") && error.contains(word), "{error}");
    }
    assert!(FileWeather::open(&folder.path().join("none.csv")).is_err());
}
