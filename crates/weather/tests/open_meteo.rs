//! What is made of Open-Meteo's answers, sound and unsound, played by a server on this
//! machine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jirani_weather::{Request, WeatherError, WeatherProvider as _};
use support::{NOW, Server, at, cloudy, recorded, request};

fn sound() -> String {
    recorded(NOW, 96, "", cloudy)
}

fn later(hours: i64) -> Request {
    let moment = at(NOW).plus_seconds(hours * 3_600);
    Request { issued_at: moment, from: moment, ..request() }
}

#[tokio::test]
async fn an_hours_stamp_is_its_end_and_only_the_cell_is_told() {
    let server = Server::start(sound()).await;
    let weather = server.provider("").weather(request()).await.unwrap();
    // Stamped 06:00, so of the hour from 05:00: 310 W/m2.
    let hour: f64 = weather.slots[..4].iter().map(|slot| slot.irradiance).sum();
    assert!((hour / 4.0 - 310.0).abs() < 0.1, "{hour}");
    assert_eq!(weather.source, "Weather data by Open-Meteo.com");
    assert_eq!(weather.slots[0].cloud_percent, Some(40.0));
    let query = server.heard.queries.lock().unwrap()[0].clone();
    for part in ["latitude=-1.9&", "longitude=37.6&", "timezone=GMT", "timeformat=unixtime", "past_days=1"] {
        assert!(query.contains(part), "{query}");
    }
    assert!(query.starts_with("/v1/forecast?") && !query.contains("apikey"), "{query}");
}

#[tokio::test]
async fn one_cell_is_asked_once_an_hour_and_by_all_at_once_too() {
    let server = Server::start(sound()).await;
    let provider = server.provider("secret-key");
    let near = Request { place: jirani_forecast::Place::new(-1_910_000, 37_620_000).unwrap(), ..request() };
    let (one, other) = tokio::join!(provider.weather(request()), provider.weather(near));
    assert_eq!(one.unwrap().slots.len(), other.unwrap().slots.len());
    assert_eq!(server.asked(), 1);
    provider.weather(later(1)).await.unwrap();
    assert_eq!(server.asked(), 2);
    assert!(server.heard.queries.lock().unwrap()[0].contains("apikey=secret-key"));
}

#[tokio::test]
async fn what_cannot_be_right_is_an_error_with_its_name() {
    let sound = sound();
    for (status, body, code) in [
        (200, sound.replace("W/m²", "MJ/m²"), "weather.wrong_units"),
        (200, sound.replace("\"°C\"", "\"°F\""), "weather.wrong_units"),
        (200, sound.replace("unixtime", "iso8601"), "weather.wrong_units"),
        (200, sound.replace("\"longitude\":37.6", "\"longitude\":38.6"), "weather.wrong_place"),
        (200, sound.replace("\"latitude\":-1.9", "\"latitude\":1.9"), "weather.wrong_place"),
        (
            200,
            sound.replace("\"utc_offset_seconds\":0", "\"utc_offset_seconds\":10800"),
            "weather.unreadable",
        ),
        (200, sound.replace("\"cloud_cover\":[40,", "\"cloud_cover\":["), "weather.unreadable"),
        (200, recorded(NOW, 30, "", cloudy), "weather.incomplete"),
        (200, recorded(NOW, 96, "", |_| "null".to_owned()), "weather.incomplete"),
        (200, format!("[{sound}]"), "weather.unreadable"),
        (200, "<html>502 Bad Gateway</html>".to_owned(), "weather.unreadable"),
        (200, String::new(), "weather.unreadable"),
        (200, format!("{sound}{}", " ".repeat(1_100_000)), "weather.unreadable"),
        (400, r#"{"error":true,"reason":"Latitude must be in range"}"#.to_owned(), "weather.unavailable"),
        (400, r#"{"error":true,"reason":""}"#.to_owned(), "weather.unavailable"),
        (502, "<html>".to_owned(), "weather.unavailable"),
        (302, String::new(), "weather.unavailable"),
    ] {
        let server = Server::start(sound.clone()).await;
        server.answer(status, None, body.clone());
        let error = server.provider("secret-key").weather(request()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error} for {}", body.chars().take(200).collect::<String>());
        assert!(
            error.to_string().starts_with(code) && !format!("{error:?}").contains("secret-key"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn holes_and_literals_that_are_no_json_leave_their_hours_out() {
    let light = |hour| match hour {
        6 => "null".to_owned(),
        7 => "NaN".to_owned(),
        8 => "-3.0".to_owned(),
        9 => "9000.0".to_owned(),
        hour => cloudy(hour),
    };
    let server = Server::start(recorded(NOW, 96, "", light)).await;
    let weather = server.provider("").weather(request()).await.unwrap();
    let known = |start: &str| weather.slots.iter().find(|slot| slot.start == at(start));
    for hole in ["2026-03-20T05:15:00Z", "2026-03-20T06:00:00Z", "2026-03-20T08:45:00Z"] {
        assert_eq!(known(hole), None, "{hole}");
    }
    assert!(known("2026-03-20T07:00:00Z").unwrap().irradiance <= 0.0, "a little less than none is none");
    assert_eq!(weather.slots.len(), 192 - 6 * 4);
}

#[tokio::test]
async fn who_is_told_to_wait_waits_and_goes_on_with_what_was_known_for_a_day() {
    let server = Server::start(sound()).await;
    let provider = server.provider("");
    provider.weather(request()).await.unwrap();
    server.answer(429, Some("7200"), r#"{"error":true,"reason":"Hourly API request limit exceeded."}"#);
    assert_eq!(provider.weather(later(1)).await.unwrap().issued_at, at(NOW));
    assert_eq!(server.asked(), 2);
    assert_eq!(provider.weather(later(2)).await.unwrap().issued_at, at(NOW), "still told to wait");
    assert_eq!(server.asked(), 2);
    provider.weather(later(3)).await.unwrap();
    assert_eq!(server.asked(), 3, "two hours are over");
    let error = provider.weather(later(25)).await.unwrap_err();
    assert_eq!(error, WeatherError::Stale);
    server.answer(200, None, recorded("2026-03-21T05:00:00Z", 96, "", cloudy));
    assert_eq!(provider.weather(later(28)).await.unwrap().issued_at, later(28).issued_at);
}

#[tokio::test]
async fn an_answer_of_holes_does_not_take_the_place_of_a_sound_one() {
    let server = Server::start(sound()).await;
    let provider = server.provider("");
    let before = provider.weather(request()).await.unwrap();
    server.answer(200, None, recorded(NOW, 96, "", |_| "null".to_owned()));
    assert_eq!(provider.weather(later(1)).await.unwrap().issued_at, before.issued_at);
    assert_eq!(provider.weather(later(2)).await.unwrap().issued_at, before.issued_at);
}

#[tokio::test]
async fn a_silent_provider_is_asked_ever_more_seldom() {
    let server = Server::start(sound()).await;
    server.answer(500, None, "");
    let provider = server.provider("");
    let mut asked = Vec::new();
    for minute in 0..240 {
        let moment = at(NOW).plus_seconds(minute * 60);
        let before = server.asked();
        provider.weather(Request { issued_at: moment, from: moment, ..request() }).await.unwrap_err();
        if server.asked() > before {
            asked.push(minute);
        }
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
}

#[tokio::test]
async fn what_was_said_the_day_before_is_known_from_a_day_before() {
    let server = Server::start(recorded("2026-03-10T00:00:00Z", 120, "_previous_day1", cloudy)).await;
    let from = at("2026-03-10T00:00:00Z");
    let known = server.provider("").past(Request { from, slots: 288, ..request() }).await.unwrap();
    assert_eq!(known.len(), 288);
    for known in &known {
        let ahead = known.slot.start.since(known.known_from) / 1_000_000;
        assert!((82_800..86_400).contains(&ahead), "{known:?}");
    }
    let query = server.heard.queries.lock().unwrap()[0].clone();
    assert!(
        query.contains("start_date=2026-03-10") && query.contains("cloud_cover_previous_day1"),
        "{query}"
    );
    let long_ago = Request { from: at("2025-03-10T00:00:00Z"), ..request() };
    assert_eq!(server.provider("").past(long_ago).await, Err(WeatherError::InvalidRequest));
}
