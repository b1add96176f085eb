//! Keeps a forecast per household fresh, and says what follows from it.
//!
//! Promises: a forecast is made when somebody asks and the last one is from
//! another hour, never on a beat; a household's forecast and its advice come from
//! the same numbers; memory is bounded; without weather or readings it goes on
//! with a clear sky and typical values instead of failing.
//! Stands between the API and the store, the weather and the forecaster.

mod cache;
mod samples;

use cache::Cache;
use jirani_clock::ServiceClock;
use jirani_forecast::{
    Advice, AdviceInput, Forecast, ForecastInput, Forecaster, HORIZON_S, Place, Prices, WeatherSlot, advise,
    slot_energies,
};
use jirani_market::{Tariff, Tariffs};
use jirani_store::{OfferState, Store, StoreError};
use jirani_units::{Clock as _, HouseholdId, Price, Timestamp, Wh};
use jirani_weather::{Request, WeatherProvider};
use samples::Samples;
use std::sync::Arc;

/// Offers of one seller looked at.
const OFFERS: u32 = 50;

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

/// What a household holds on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Tokens in its vault.
    pub vault_wh: Wh,
    /// Its energy debt.
    pub shortfall_wh: Wh,
}

/// Forecasts and advice, made when asked for.
pub struct Advisor {
    config: AdvisorConfig,
    store: Arc<dyn Store>,
    clock: ServiceClock,
    weather: Arc<dyn WeatherProvider>,
    forecaster: Arc<dyn Forecaster>,
    cache: Cache,
    samples: Samples,
}

impl Advisor {
    /// An advisor with an empty memory.
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
            weather,
            forecaster,
            cache: Cache::default(),
            samples: Samples::default(),
        }
    }

    /// The household's forecast, at most an hour old; `None` for nobody we know.
    pub async fn forecast(&self, household: HouseholdId) -> Result<Option<Arc<Forecast>>, StoreError> {
        let now = self.clock.now();
        if let Some(forecast) = self.cache.fresh(household, now) {
            return Ok(Some(forecast));
        }
        let Some(record) = self.store.household(household).await? else { return Ok(None) };
        let samples = self.samples.of(&*self.store, household, now).await?;
        let weather = self.weather(now).await;
        let history = slot_energies(&samples, self.config.slot_length_s);
        let forecast = Arc::new(self.forecaster.forecast(&ForecastInput {
            issued_at: now,
            slot_length_s: self.config.slot_length_s,
            place: self.config.place,
            pv_rated_w: record.pv_rated_w,
            history: &history,
            weather: &weather,
        }));
        self.cache.keep(household, forecast.clone());
        Ok(Some(forecast))
    }

    /// What the household should do now, given what it holds; `None` when nothing
    /// is worth saying.
    pub async fn advice(
        &self,
        household: HouseholdId,
        holding: Holding,
    ) -> Result<Option<Advice>, StoreError> {
        let Some(forecast) = self.forecast(household).await? else { return Ok(None) };
        let own = self.store.offers_of(household, OFFERS).await?;
        let live = own.iter().filter(|offer| offer.state == OfferState::Open);
        let offered_wh = live.map(jirani_store::OfferRecord::open_wh).sum();
        let feeder = self.store.household(household).await?.map(|record| record.feeder);
        let offers = self.store.open_offers(feeder, OFFERS).await?;
        let cheapest = offers.into_iter().find(|offer| offer.seller != household);
        let Tariff { retail, buy_back, grid_fee, tax } = self.config.tariffs.at(self.clock.now());
        let on_top = grid_fee.checked_add(tax).unwrap_or(Price(u32::MAX));
        Ok(advise(&AdviceInput {
            forecast: &forecast,
            prices: Prices { retail, buy_back, on_top },
            vault_wh: holding.vault_wh,
            shortfall_wh: holding.shortfall_wh,
            offered_wh,
            cheapest: cheapest.map(|offer| offer.price),
        }))
    }

    async fn weather(&self, now: Timestamp) -> Vec<WeatherSlot> {
        let Some(place) = self.config.place else { return Vec::new() };
        let slot_length_s = self.config.slot_length_s;
        let request = Request {
            place,
            issued_at: now,
            from: now,
            slot_length_s,
            slots: HORIZON_S / slot_length_s.max(1),
        };
        match self.weather.weather(request).await {
            Ok(weather) => weather.slots,
            Err(error) => {
                tracing::warn!(%error, "no weather; the forecast takes the sky as clear");
                Vec::new()
            }
        }
    }
}
