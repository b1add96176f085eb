//! Open-Meteo: ECMWF's and others' forecasts for any place, without a key for who does not
//! earn by it.
//!
//! Sources: <https://open-meteo.com/en/docs> and the documentation of its previous-runs API.
//! Hourly light is the mean of the hour *before* its stamp and becomes the hour that starts
//! one hour earlier; outside of Europe and North America quarters of an hour would only be
//! drawn between hours, so hours are asked for. The answer tells no time of issue: it is
//! the moment it was asked. One answer is kept for every tenth of a degree and hour; only
//! such a cell is ever told, nobody's roof.

mod answer;
mod backoff;
mod client;

use crate::interval::{self, Interval};
use crate::{KnownSlot, Knows, Request, STALE_S, Weather, WeatherError, WeatherProvider};
use answer::Asked;
use async_trait::async_trait;
use backoff::BackOff;
use client::Client;
use jirani_forecast::Place;
use jirani_units::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What the licence (CC BY 4.0) wants to be shown.
const SOURCE: &str = "Weather data by Open-Meteo.com";
/// Cells remembered at most: a site is one, a county some twenty.
const CELLS_MAX: usize = 64;
/// Tenths of a degree.
const CELL_MICRODEGREES: i32 = 100_000;
/// Days that an answer covers, today among them: 48 hours from any of its hours.
const FORECAST_DAYS: &str = "4";
/// The furthest back that past forecasts are asked for, in days.
const PAST_DAYS_MAX: i64 = 92;

/// How to reach it.
#[derive(Clone)]
pub struct OpenMeteoConfig {
    /// Base of the forecast API; empty: Open-Meteo's, the paying customers' with a key.
    pub url: String,
    /// Base of the API of previous runs, likewise.
    pub past_url: String,
    /// Key of a paying customer; empty without. Never logged.
    pub api_key: String,
}

/// The public service.
pub struct OpenMeteo {
    client: Client,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    cells: HashMap<(i32, i32), Fetched>,
    back_off: BackOff,
}

#[derive(Clone)]
struct Fetched {
    at: Timestamp,
    intervals: Arc<Vec<Interval>>,
}

impl Fetched {
    fn weather(&self, request: &Request) -> Result<Weather, WeatherError> {
        let slots = interval::slots(request, &self.intervals)?;
        Ok(Weather { source: SOURCE, issued_at: self.at, knows: Knows::Clouds, slots })
    }
}

/// The middle of the cell that holds a place.
fn cell(place: Place) -> Place {
    let middle = |value: i32| {
        let half = CELL_MICRODEGREES / 2;
        (value + half).div_euclid(CELL_MICRODEGREES) * CELL_MICRODEGREES
    };
    Place {
        latitude_microdegrees: middle(place.latitude_microdegrees),
        longitude_microdegrees: middle(place.longitude_microdegrees),
    }
}

impl OpenMeteo {
    /// Prepares; nothing is asked.
    pub fn new(config: OpenMeteoConfig) -> Result<Self, WeatherError> {
        Ok(Self { client: Client::new(config)?, known: Mutex::default() })
    }
}

#[async_trait]
impl WeatherProvider for OpenMeteo {
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError> {
        request.first()?;
        let (cell, now) = (cell(request.place), request.issued_at);
        let key = (cell.latitude_microdegrees, cell.longitude_microdegrees);
        // Held while asking: who comes meanwhile takes the same answer.
        let mut known = self.known.lock().await;
        let last = known.cells.get(&key).filter(|last| last.at <= now).cloned();
        let hour = |at: Timestamp| at.seconds().div_euclid(3_600);
        if let Some(last) = &last
            && hour(last.at) == hour(now)
        {
            return last.weather(&request);
        }
        let answered = if let Some(until) = known.back_off.wait(now) {
            Err(WeatherError::Wait(until))
        } else {
            let asked = Asked { cell, suffix: "" };
            let query = [("forecast_days", FORECAST_DAYS.to_owned()), ("past_days", "1".to_owned())];
            let answer = self.client.forecast(&asked, &query).await;
            known.back_off.heard(now, answer.as_ref().err());
            answer.map_err(|refusal| refusal.error)
        };
        // An answer that is mostly holes says less than the one before it and does not take its
        // place.
        let fetched = answered.and_then(|intervals| {
            let fetched = Fetched { at: now, intervals: Arc::new(intervals) };
            fetched.weather(&request).map(|weather| (fetched, weather))
        });
        match (fetched, last) {
            (Ok((fetched, weather)), _) => {
                if known.cells.len() >= CELLS_MAX {
                    known.cells.clear();
                }
                known.cells.insert(key, fetched);
                Ok(weather)
            }
            (Err(error), Some(last)) if now.since(last.at) <= STALE_S * 1_000_000 => {
                tracing::warn!(%error, "no new weather; the last is used until it is a day old");
                last.weather(&request)
            }
            (Err(_), Some(_)) => Err(WeatherError::Stale),
            (Err(error), None) => Err(error),
        }
    }

    /// What the runs of the day before said of each hour: the only history of the service
    /// that does not hold what became known later.
    async fn past(&self, request: Request) -> Result<Vec<KnownSlot>, WeatherError> {
        let first = request.first()?.start;
        let span = i64::from(request.slots) * i64::from(request.slot_length_s);
        let end = first.plus_seconds(span).min(request.issued_at);
        let oldest = request.issued_at.plus_seconds(-PAST_DAYS_MAX * 86_400);
        if end <= first || first < oldest {
            return Err(WeatherError::InvalidRequest);
        }
        let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
        let asked = Asked { cell: cell(request.place), suffix: "_previous_day1" };
        let query = [("start_date", day(first)), ("end_date", day(end.plus_seconds(86_400)))];
        let mut known = self.known.lock().await;
        if let Some(until) = known.back_off.wait(request.issued_at) {
            return Err(WeatherError::Wait(until));
        }
        let answer = self.client.past(&asked, &query).await;
        known.back_off.heard(request.issued_at, answer.as_ref().err());
        let intervals = answer.map_err(|refusal| refusal.error)?;
        drop(known);
        let slots = interval::known(&request, &intervals)?;
        // A day before the end of the hour that holds the slot, never earlier.
        let known_from = |start: Timestamp| {
            Timestamp::from_seconds((start.seconds().div_euclid(3_600) + 1) * 3_600 - 86_400)
        };
        let slots = slots.into_iter().filter(|slot| slot.start < end);
        Ok(slots.map(|slot| KnownSlot { known_from: known_from(slot.start), slot }).collect())
    }
}
