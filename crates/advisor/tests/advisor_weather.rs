//! What weather does to forecasts: it is asked once for all homes, its lack is said, and
//! neither ever leaves a home without a forecast.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use async_trait::async_trait;
use jirani_advisor::WeatherNote;
use jirani_forecast::{Place, clear_sky};
use jirani_units::{HouseholdId, Timestamp};
use jirani_weather::{ClearSky, Knows, Request, Weather, WeatherError, WeatherProvider};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::{Site, home};

/// Says that a tenth of the light comes through, or whatever failure it is told to.
#[derive(Default)]
struct Clouds {
    asked: AtomicUsize,
    failure: Mutex<Option<WeatherError>>,
    hangs: bool,
}

#[async_trait]
impl WeatherProvider for Clouds {
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let mut weather = ClearSky.weather(request).await?;
        for slot in &mut weather.slots {
            slot.irradiance /= 10.0;
        }
        Ok(Weather { source: "clouds", knows: Knows::Clouds, ..weather })
    }
}

fn noon() -> Timestamp {
    "2026-03-20T09:05:00Z".parse().unwrap()
}

#[tokio::test]
async fn weather_is_asked_once_an_hour_for_all_homes_and_its_source_is_told() {
    let site = Site::new(noon()).await;
    let clouds = Arc::new(Clouds::default());
    let advisor = site.advisor(clouds.clone());
    for number in 1..=3 {
        advisor.refresh_weather().await;
        site.enrol(home(number)).await;
        let issued = advisor.forecast(HouseholdId(number)).await.unwrap().unwrap();
        assert_eq!(issued.weather, WeatherNote::Known { source: "clouds", issued_at: noon() });
        let full = clear_sky::clear_wh(Place::KITONYONI, 3_000, issued.forecast.points[1].start, 900);
        let said = issued.forecast.points[1].production.median();
        assert!(said < full / 4, "{said} of {full} through such clouds");
    }
    assert_eq!(clouds.asked.load(Ordering::SeqCst), 1);
    site.clock.advance_to(noon().plus_seconds(3_600));
    advisor.refresh_weather().await;
    assert_eq!(clouds.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_who_asks_for_a_forecast_waits_for_the_weather() {
    let site = Site::new(noon()).await;
    site.enrol(home(1)).await;
    let clouds = Arc::new(Clouds { hangs: true, ..Clouds::default() });
    let advisor = site.advisor(clouds.clone());
    let issued = advisor.forecast(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!(issued.weather, WeatherNote::Missing { code: "weather.not_yet" });
    assert_eq!(clouds.asked.load(Ordering::SeqCst), 0, "a request asks nobody");
    tokio::select! {
        biased;
        () = advisor.refresh_weather() => unreachable!("the provider never answers"),
        again = async {
            site.clock.advance_to(noon().plus_seconds(3_600));
            advisor.forecast(HouseholdId(1)).await
        } => assert_eq!(again.unwrap().unwrap().forecast.issued_at, noon().plus_seconds(3_600)),
    }
    assert_eq!(clouds.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_first_weather_after_a_start_makes_forecasts_anew() {
    let site = Site::new(noon()).await;
    site.enrol(home(1)).await;
    let advisor = site.advisor(Arc::new(Clouds::default()));
    advisor.forecast(HouseholdId(1)).await.unwrap();
    advisor.refresh_weather().await;
    let issued = advisor.forecast(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!(issued.weather, WeatherNote::Known { source: "clouds", issued_at: noon() });
    site.clock.advance_to(noon().plus_seconds(50 * 60));
    advisor.refresh_weather().await;
    let later = advisor.forecast(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!(later, issued, "an hour has one forecast");
}

#[tokio::test]
async fn without_sound_weather_a_forecast_stands_on_the_sun_and_says_why() {
    let site = Site::new(noon()).await;
    site.enrol(home(1)).await;
    let plain = site.advisor(Arc::new(ClearSky)).forecast(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!(plain.weather, WeatherNote::SunOnly);
    for failure in [
        WeatherError::Stale,
        WeatherError::WrongPlace,
        WeatherError::WrongUnits("MJ/m²".to_owned()),
        WeatherError::Unavailable("no connection".to_owned()),
    ] {
        let code = failure.code();
        let clouds = Clouds { failure: Mutex::new(Some(failure)), ..Clouds::default() };
        let advisor = site.advisor(Arc::new(clouds));
        advisor.refresh_weather().await;
        let issued = advisor.forecast(HouseholdId(1)).await.unwrap().unwrap();
        assert_eq!(issued.weather, WeatherNote::Missing { code });
        assert_eq!(issued.forecast, plain.forecast, "{code}");
    }
}
