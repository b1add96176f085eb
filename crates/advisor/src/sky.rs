//! Weather for forecasts: asked once an hour for the whole site, kept with the time it was
//! said, and known to be missing when it is.

use jirani_forecast::{HORIZON_S, Place, WeatherSlot};
use jirani_units::Timestamp;
use jirani_weather::{Archive, Knows, Request, SLOTS_MAX, WeatherError, WeatherProvider};
use std::sync::{Arc, Mutex, PoisonError};

/// How far back the weather of the same day is told, in seconds.
const BEFORE_S: i64 = 86_400;
/// How long after a failure the provider is asked again, in seconds; it has pauses of its
/// own besides.
const AGAIN_S: i64 = 300;
/// The furthest back that an empty archive is filled, in days.
const PAST_DAYS: i64 = 60;

/// What a forecast's weather is, for who reads the forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeatherNote {
    /// Nobody is asked: forecasts stand on the sun and the past.
    SunOnly,
    /// It stands on a forecast of the sky.
    Known {
        /// Who said so, as it must be shown.
        source: &'static str,
        /// When.
        issued_at: Timestamp,
    },
    /// Somebody is asked and nothing sound is known: as with the sun alone.
    Missing {
        /// Why, as a stable code (`weather.stale`).
        code: &'static str,
    },
}

/// The site's weather.
pub(crate) struct Sky {
    provider: Arc<dyn WeatherProvider>,
    archive: Option<Mutex<Archive>>,
    heard: tokio::sync::Mutex<Option<Heard>>,
}

#[derive(Clone)]
struct Heard {
    at: Timestamp,
    until: Timestamp,
    slots: Arc<Vec<WeatherSlot>>,
    note: WeatherNote,
}

impl Sky {
    pub fn new(provider: Arc<dyn WeatherProvider>, archive: Option<Archive>) -> Self {
        Self { provider, archive: archive.map(Mutex::new), heard: tokio::sync::Mutex::default() }
    }

    /// What is known now of yesterday and the next 48 hours.
    pub async fn at(
        &self,
        place: Place,
        slot_length_s: u32,
        now: Timestamp,
    ) -> (Arc<Vec<WeatherSlot>>, WeatherNote) {
        // Held while asking: who comes meanwhile takes the same answer.
        let mut heard = self.heard.lock().await;
        if let Some(heard) = heard.as_ref().filter(|heard| heard.at <= now && now < heard.until) {
            return (heard.slots.clone(), heard.note);
        }
        let slots = (HORIZON_S / slot_length_s.max(1)).min(SLOTS_MAX);
        let request = Request { place, issued_at: now, from: now, slot_length_s, slots };
        let hour = |at: Timestamp| at.seconds().div_euclid(3_600);
        let next_hour = Timestamp::from_seconds((hour(now) + 1) * 3_600);
        let (slots, note, until) = match self.provider.weather(request).await {
            Ok(weather) if weather.knows == Knows::SunOnly => (Vec::new(), WeatherNote::SunOnly, next_hour),
            Ok(weather) => {
                let note = WeatherNote::Known { source: weather.source, issued_at: weather.issued_at };
                let kept = self.with_archive(|archive| {
                    if let Err(error) = archive.keep(&weather) {
                        tracing::warn!(%error, "weather is not kept; nothing will be learned from it");
                    }
                    archive.now(now, now.plus_seconds(-BEFORE_S)).map(|(_, slots)| slots)
                });
                (kept.flatten().unwrap_or(weather.slots), note, next_hour)
            }
            Err(error) => {
                tracing::warn!(%error, "no weather; forecasts stand on the sun and the past");
                let note = WeatherNote::Missing { code: error.code() };
                (Vec::new(), note, now.plus_seconds(AGAIN_S).min(next_hour))
            }
        };
        let fresh = Heard { at: now, until, slots: Arc::new(slots), note };
        let answer = (fresh.slots.clone(), fresh.note);
        *heard = Some(fresh);
        answer
    }

    /// What was known at `at` of the day before and of the 48 hours after; empty if nothing.
    pub fn lesson(&self, at: Timestamp) -> Vec<WeatherSlot> {
        let from = at.plus_seconds(-BEFORE_S);
        self.with_archive(|archive| archive.lesson(at, from)).unwrap_or_default()
    }

    /// Fills an archive that knows nothing with what was forecast before the first start.
    pub async fn fill(&self, place: Place, slot_length_s: u32, now: Timestamp) {
        if self.with_archive(|archive| archive.is_empty()) != Some(true) {
            return;
        }
        let per_day = 86_400 / slot_length_s.max(1);
        let days = (SLOTS_MAX / per_day.max(1)).max(1);
        let mut from = now.plus_seconds(-PAST_DAYS * 86_400);
        while from < now {
            let request = Request { place, issued_at: now, from, slot_length_s, slots: days * per_day };
            let known = match self.provider.past(request).await {
                Ok(known) if known.is_empty() => return,
                Ok(known) => known,
                Err(WeatherError::Wait(_)) => return,
                Err(error) => {
                    tracing::warn!(%error, "no weather of the past; it is learned from as it comes");
                    return;
                }
            };
            if let Some(Err(error)) = self.with_archive(|archive| archive.keep_past(&known)) {
                tracing::warn!(%error, "weather of the past is not kept");
                return;
            }
            from = from.plus_seconds(i64::from(days) * 86_400);
        }
    }

    fn with_archive<T>(&self, work: impl FnOnce(&mut Archive) -> T) -> Option<T> {
        let mut archive = self.archive.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut archive))
    }
}
