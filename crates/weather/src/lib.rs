//! Weather for forecasts: one trait, and the provider that needs no network.
//!
//! Promises: slots are stamped with their start, in order and without holes; a
//! forecast says who made it and when. Stands between the forecast's words and
//! whoever knows the sky.

use async_trait::async_trait;
use jirani_forecast::{Place, WeatherSlot, clear_sky};
use jirani_units::{Slot, Timestamp};

/// The most slots one question may ask for: 31 days of quarter hours.
pub const SLOTS_MAX: u32 = 2_976;

/// Which weather is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where.
    pub place: Place,
    /// When it is asked: nothing that became known later may be in the answer.
    pub issued_at: Timestamp,
    /// First slot wanted: the one that holds this moment.
    pub from: Timestamp,
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// How many slots, at most [`SLOTS_MAX`].
    pub slots: u32,
}

/// What a provider answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Who says so, as shown to people.
    pub source: &'static str,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// One entry per slot asked for, in order.
    pub slots: Vec<WeatherSlot>,
}

/// Somebody who knows the sky.
#[async_trait]
pub trait WeatherProvider: Send + Sync {
    /// Weather for the slots asked for.
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError>;
}

/// No weather; a forecast goes on with a clear sky and says so.
#[derive(Debug, thiserror::Error)]
pub enum WeatherError {
    /// More slots than [`SLOTS_MAX`], or a length that does not divide a day.
    #[error("weather.invalid_request: ask for at most 2976 slots whose length divides a day")]
    InvalidRequest,
    /// The provider does not answer.
    #[error("weather.unavailable: {0}")]
    Unavailable(String),
}

/// A cloudless sky, from the sun's geometry alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClearSky;

#[async_trait]
impl WeatherProvider for ClearSky {
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError> {
        let length = request.slot_length_s;
        if request.slots > SLOTS_MAX || length == 0 || !86_400_u32.is_multiple_of(length) {
            return Err(WeatherError::InvalidRequest);
        }
        let mut slot = Slot::containing(request.from, length);
        let slots = (0..request.slots)
            .map(|_| {
                let irradiance = clear_sky::mean_irradiance(request.place, slot.start, length);
                let weather =
                    WeatherSlot { start: slot.start, irradiance, temperature_c: None, cloud_percent: None };
                slot = slot.next();
                weather
            })
            .collect();
        Ok(Weather { source: "clear sky", issued_at: request.issued_at, slots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(slots: u32, slot_length_s: u32) -> Request {
        let from = "2026-03-20T09:37:00Z".parse().unwrap();
        Request { place: Place::KITONYONI, issued_at: from, from, slot_length_s, slots }
    }

    #[tokio::test]
    async fn a_clear_day_begins_with_the_slot_asked_for_and_has_no_holes() {
        let weather = ClearSky.weather(request(96, 900)).await.unwrap();
        assert_eq!(weather.slots[0].start.to_string(), "2026-03-20T09:30:00Z");
        assert!(weather.slots.windows(2).all(|pair| pair[0].start.plus_seconds(900) == pair[1].start));
        assert!(weather.slots[0].irradiance > 1_000.0);
        let midnight = weather.slots.iter().find(|slot| slot.start.to_string().contains("T21:00")).unwrap();
        assert!(midnight.irradiance.abs() < f64::EPSILON);
    }

    #[tokio::test]
    async fn unbounded_questions_are_refused() {
        for (slots, length) in [(SLOTS_MAX + 1, 900), (1, 0), (1, 1_000)] {
            let error = ClearSky.weather(request(slots, length)).await.unwrap_err();
            assert!(error.to_string().starts_with("weather.invalid_request"));
        }
    }
}
