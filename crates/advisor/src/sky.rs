//! Weather for forecasts: asked once an hour for the whole site, kept with the time it was
//! said, and known to be missing when it is.
//!
//! Asking ([`Sky::refresh`]) may take as long as a provider takes and happens on schedule
//! only; who serves people reads what was heard last ([`Sky::known`]) and waits for nobody.

use jirani_forecast::{HORIZON_S, Place, WeatherSlot};
use jirani_units::Timestamp;
use jirani_weather::{Archive, Knows, Request, SLOTS_MAX, WeatherError, WeatherProvider};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How far back the weather of the same day is told, in seconds.
const BEFORE_S: i64 = 86_400;
/// How long after a failure the provider is asked again, in seconds; it has pauses of its
/// own besides.
const AGAIN_S: i64 = 300;
/// So long before each full hour it is asked for, in seconds, so that the hour's forecasts
/// find it there.
const AHEAD_S: i64 = 600;
/// What is asked for reaches so much further than a forecast, in seconds: the forecasts until
/// the next answer look that much further.
const BEYOND_S: u32 = 2 * 3_600;
/// Why there is no weather before the first answer after a start.
const NOT_YET: WeatherNote = WeatherNote::Missing { code: "weather.not_yet" };
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
    archive: Option<Arc<Mutex<Archive>>>,
    heard: RwLock<Option<Heard>>,
    asking: tokio::sync::Mutex<()>,
}

/// Whether what was heard is the first since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Forecasts made until now know of no weather.
    First,
    /// They knew of some, or there is nothing new.
    More,
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
        let archive = archive.map(|archive| Arc::new(Mutex::new(archive)));
        Self { provider, archive, heard: RwLock::default(), asking: tokio::sync::Mutex::default() }
    }

    /// What was heard last of yesterday and the next 48 hours; never waits.
    pub fn known(&self) -> (Arc<Vec<WeatherSlot>>, WeatherNote) {
        let heard = self.heard.read().unwrap_or_else(PoisonError::into_inner);
        let before = if self.is_sun_only() { WeatherNote::SunOnly } else { NOT_YET };
        heard.as_ref().map_or_else(|| (Arc::default(), before), |heard| (heard.slots.clone(), heard.note))
    }

    /// Whether there is nobody to ask.
    pub fn is_sun_only(&self) -> bool {
        self.provider.knows() == Knows::SunOnly
    }

    /// When it should be asked next.
    pub fn due(&self, now: Timestamp) -> Timestamp {
        let heard = self.heard.read().unwrap_or_else(PoisonError::into_inner);
        heard.as_ref().filter(|heard| heard.at <= now).map_or(now, |heard| heard.until)
    }

    /// Asks, if it is time to; who asks at once with somebody else takes the same answer.
    pub async fn refresh(&self, place: Place, slot_length_s: u32, now: Timestamp) -> News {
        let _asking = self.asking.lock().await;
        if self.is_sun_only() || now < self.due(now) {
            return News::More;
        }
        let slots = ((HORIZON_S + BEYOND_S) / slot_length_s.max(1)).min(SLOTS_MAX);
        let request = Request { place, issued_at: now, from: now, slot_length_s, slots };
        let hours = (now.seconds() + AHEAD_S).div_euclid(3_600);
        let next = Timestamp::from_seconds((hours + 1) * 3_600 - AHEAD_S);
        let (slots, note, until) = match self.provider.weather(request).await {
            Ok(weather) if weather.knows == Knows::SunOnly => (Vec::new(), WeatherNote::SunOnly, next),
            Ok(weather) => {
                let note = WeatherNote::Known { source: weather.source, issued_at: weather.issued_at };
                let said = weather.slots.clone();
                let kept = self.with_archive(move |archive| {
                    if let Err(error) = archive.keep(&weather, now) {
                        tracing::warn!(%error, "weather is not kept; nothing will be learned from it");
                    }
                    archive.now(now, now.plus_seconds(-BEFORE_S)).map(|(_, slots)| slots)
                });
                (kept.await.flatten().unwrap_or(said), note, next)
            }
            Err(error) => {
                tracing::warn!(%error, "no weather; forecasts stand on the sun and the past");
                let note = WeatherNote::Missing { code: error.code() };
                (Vec::new(), note, now.plus_seconds(AGAIN_S).min(next))
            }
        };
        let fresh = Heard { at: now, until, slots: Arc::new(slots), note };
        let before = self.heard.write().unwrap_or_else(PoisonError::into_inner).replace(fresh);
        if before.is_none() { News::First } else { News::More }
    }

    /// What was known at each of `moments` of the day before and of the 48 hours after; empty
    /// if nothing.
    pub async fn lessons(&self, moments: Vec<Timestamp>) -> BTreeMap<Timestamp, Vec<WeatherSlot>> {
        let none = || moments.iter().map(|at| (*at, Vec::new())).collect();
        let asked = moments.clone();
        let lessons = self.with_archive(move |archive| {
            let lesson = |at: Timestamp| (at, archive.lesson(at, at.plus_seconds(-BEFORE_S)));
            asked.into_iter().map(lesson).collect()
        });
        lessons.await.unwrap_or_else(none)
    }

    /// Fills an archive that knows nothing of the days before with what was forecast then.
    pub async fn fill(&self, place: Place, slot_length_s: u32, now: Timestamp) {
        let yesterday = now.plus_seconds(-BEFORE_S);
        let knows =
            self.with_archive(move |archive| archive.oldest().is_some_and(|oldest| oldest < yesterday));
        if knows.await != Some(false) {
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
            if let Some(Err(error)) = self.with_archive(move |archive| archive.keep_past(&known)).await {
                tracing::warn!(%error, "weather of the past is not kept");
                return;
            }
            from = from.plus_seconds(i64::from(days) * 86_400);
        }
    }

    /// Away from the threads that serve: files are written and waited for.
    async fn with_archive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Archive) -> T + Send + 'static,
    ) -> Option<T> {
        let archive = self.archive.clone()?;
        let worked = tokio::task::spawn_blocking(move || {
            work(&mut archive.lock().unwrap_or_else(PoisonError::into_inner))
        });
        worked.await.ok()
    }
}
