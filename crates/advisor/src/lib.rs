//! Keeps a forecast per household fresh, and says what follows from it.
//!
//! Promises: a forecast is made when somebody asks and the last one is from
//! another hour, never on a beat; a household's forecast and its advice come from
//! the same numbers; nobody who asks waits for a weather service; memory is bounded; without weather or readings it goes on
//! with the sun, the past and typical values instead of failing, and says so.
//! [`Learning`] works beside it: it learns, keeps score, and says which method is in force.
//! Stands between the API and the store, the weather and the forecasters.

mod advice;
pub mod advised;
mod cache;
pub mod drift;
mod kept;
pub mod learning;
mod methods;
pub mod model;
mod past;
pub mod school;
mod sky;
pub mod track;

pub use advice::Holding;
pub use advised::AdviceRecord;
pub use drift::Drift;
pub use learning::{Learning, LearningConfig};
pub use sky::WeatherNote;
pub use track::{Contender, Record};

use advised::Advised;
use cache::Cache;
use jirani_clock::ServiceClock;
use jirani_forecast::{Forecast, ForecastInput, Forecaster, Place};
use jirani_market::Tariffs;
use jirani_store::{Store, StoreError};
use jirani_units::{Clock as _, HouseholdId};
use jirani_weather::{Archive, WeatherProvider};
use methods::Methods;
use past::Pasts;
use sky::{News, Sky};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use track::Track;

/// What the advisor needs to know of the site.
#[derive(Clone, Debug)]
pub struct AdvisorConfig {
    /// Settlement interval in seconds.
    pub slot_length_s: u32,
    /// Where the panels are; `None` turns the rules of the sun off.
    pub place: Option<Place>,
    /// Prices, by the moment.
    pub tariffs: Tariffs,
}

/// A forecast, with what it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// What is expected.
    pub forecast: Forecast,
    /// Whose weather it stands on, or why on none.
    pub weather: WeatherNote,
    /// Name and version of the method.
    pub method: String,
    /// Which of the methods that compete.
    pub contender: Contender,
}

/// Forecasts and advice, made when asked for.
pub struct Advisor {
    config: AdvisorConfig,
    store: Arc<dyn Store>,
    clock: ServiceClock,
    sky: Sky,
    methods: Methods,
    cache: Cache,
    pasts: Pasts,
    track: Mutex<Track>,
    advised: Mutex<Advised>,
}

impl Advisor {
    /// An advisor with an empty memory, that keeps no weather.
    pub fn new(
        config: AdvisorConfig,
        store: Arc<dyn Store>,
        clock: ServiceClock,
        weather: Arc<dyn WeatherProvider>,
        forecaster: Arc<dyn Forecaster>,
    ) -> Self {
        Self {
            config,
            store,
            clock,
            sky: Sky::new(weather, None),
            methods: Methods::new(forecaster),
            cache: Cache::default(),
            pasts: Pasts::default(),
            track: Mutex::default(),
            advised: Mutex::default(),
        }
    }

    /// The same, keeping what is said of the weather in `archive`.
    #[must_use]
    pub fn keeping(mut self, weather: Arc<dyn WeatherProvider>, archive: Archive) -> Self {
        self.sky = Sky::new(weather, Some(archive));
        self
    }

    /// The household's forecast, at most an hour old; `None` for nobody we know.
    pub async fn forecast(&self, household: HouseholdId) -> Result<Option<Arc<Issued>>, StoreError> {
        let now = self.clock.now();
        if let Some(forecast) = self.cache.fresh(household, now) {
            return Ok(Some(forecast));
        }
        let Some(record) = self.store.household(household).await? else { return Ok(None) };
        let method = self.methods.in_force();
        let slot_length_s = self.config.slot_length_s;
        let span = (now.plus_seconds(-method.past_days() * 86_400), now);
        let history = self.pasts.of(&*self.store, household, span, slot_length_s).await?;
        let (weather, note) = match self.config.place {
            Some(_) => self.sky.known(),
            None => (Arc::default(), WeatherNote::SunOnly),
        };
        let forecast = method.forecast(&ForecastInput {
            issued_at: now,
            slot_length_s,
            place: self.config.place,
            pv_rated_w: record.pv_rated_w,
            history: &history,
            weather: &weather,
        });
        let (contender, method) = (method.contender, method.name);
        let issued = Arc::new(Issued { forecast, weather: note, method, contender });
        Ok(Some(self.cache.keep(household, issued)))
    }

    /// Asks for weather if it is time to, as long as that takes; forecasts never do.
    pub async fn refresh_weather(&self) {
        let Some(place) = self.config.place else { return };
        let news = self.sky.refresh(place, self.config.slot_length_s, self.clock.now()).await;
        if news == News::First {
            self.cache.clear();
        }
    }

    /// Keeps the weather fresh until it is cancelled.
    pub async fn ask_for_weather(
        self: Arc<Self>,
        cancel: CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        if self.config.place.is_none() || self.sky.is_sun_only() {
            cancel.cancelled().await;
            return Ok(());
        }
        let clock = self.clock.clone();
        let mut busy = clock.busy();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = self.refresh_weather() => {}
            }
            let next = self.sky.due(clock.now()).max(clock.now().plus_seconds(1));
            busy = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                busy = clock.rest_until(busy, next) => busy,
            };
        }
    }

    /// What the household's day-ahead forecasts of the last month were worth; `None` before
    /// the first was scored.
    pub fn record(&self, household: HouseholdId) -> Option<Record> {
        self.track().record(household)
    }

    /// What changed at the household and its forecasts do not know yet.
    pub fn drifts(&self, household: HouseholdId) -> Vec<Drift> {
        self.track().drifts(household, self.config.place.map_or(0, Place::clock_offset_s))
    }

    /// Figures of forecasts for `/metrics`: name, what it says, value.
    pub fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        let newest = self.methods.versions().map(|versions| Contender::Learned(versions.newest));
        let is_newest = newest == Some(self.methods.in_force().contender);
        let (learned, back) = (u64::from(is_newest), u64::from(newest.is_some() && !is_newest));
        let mut figures = vec![
            ("learned_in_force", "1 while forecasts are made by what was learned last.", learned),
            ("learned_out_of_force", "1 while what was learned last is out of force, as it lost.", back),
        ];
        let [made, used] = self.track().drifting();
        figures.push(("production_drift_households", "Homes whose panels make other than usual.", made));
        figures.push(("consumption_drift_households", "Homes that use other than usual.", used));
        let [scored, lost, silent] = self.advised().counts();
        figures.push(("advice_scored", "Pieces of advice whose gain is known, of each home's last.", scored));
        figures.push(("advice_lost", "Those of them that lost against not following them.", lost));
        figures.push(("advice_silent_households", "Homes that are told no advice, as theirs lost.", silent));
        if let Some(record) = self.track().of_all() {
            let of = [
                (
                    "production_loss_permille",
                    "Normalised pinball loss over a month.",
                    record.production.loss_permille(),
                ),
                (
                    "consumption_loss_permille",
                    "Normalised pinball loss over a month.",
                    record.consumption.loss_permille(),
                ),
                (
                    "production_inside_permille",
                    "Share between 10 and 90 %.",
                    record.production.inside_permille(),
                ),
                (
                    "consumption_inside_permille",
                    "Share between 10 and 90 %.",
                    record.consumption.inside_permille(),
                ),
            ];
            figures.extend(of.into_iter().filter_map(|(name, help, value)| Some((name, help, value?))));
        }
        figures
    }

    /// Leaves out scores that a clock far ahead made, and says how many.
    fn drop_future(&self, place: Place) -> usize {
        let now = self.clock.now();
        let today = (now.seconds() + place.clock_offset_s()).div_euclid(86_400);
        let dropped = self.track().drop_future(now, today);
        if dropped > 0 {
            tracing::warn!(dropped, "scores of forecasts from the future are left out");
        }
        dropped
    }

    fn track(&self) -> MutexGuard<'_, Track> {
        self.track.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
