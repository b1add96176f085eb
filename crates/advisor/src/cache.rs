//! The last forecast of each household.

use crate::Issued;
use jirani_units::{HouseholdId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Households remembered at most; beyond that all are forgotten and made anew.
const HOUSEHOLDS_MAX: usize = 10_000;
/// How long a forecast is fresh: until the hour is over.
const HOUR_S: i64 = 3_600;

#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<HouseholdId, Arc<Issued>>>);

impl Cache {
    /// The forecast of this very hour, if there is one.
    pub fn fresh(&self, household: HouseholdId, now: Timestamp) -> Option<Arc<Issued>> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forecast = cache.get(&household)?;
        let hour = |at: Timestamp| at.seconds().div_euclid(HOUR_S);
        (hour(forecast.forecast.issued_at) == hour(now)).then(|| forecast.clone())
    }

    /// Forgets all: what they stood on was not known yet.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Keeps a forecast unless somebody else made this hour's meanwhile; the one that holds
    /// is returned, so that nobody ever sees another.
    pub fn keep(&self, household: HouseholdId, forecast: Arc<Issued>) -> Arc<Issued> {
        if let Some(before) = self.fresh(household, forecast.forecast.issued_at) {
            return before;
        }
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= HOUSEHOLDS_MAX && !cache.contains_key(&household) {
            cache.clear();
        }
        cache.insert(household, forecast.clone());
        forecast
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WeatherNote;
    use jirani_forecast::{Forecast, Stage};

    #[test]
    fn a_forecast_is_fresh_until_its_hour_is_over() {
        let cache = Cache::default();
        let issued_at: Timestamp = "2026-03-20T09:59:00Z".parse().unwrap();
        let forecast = Forecast { issued_at, step_s: 900, stage: Stage::Cold, points: Vec::new() };
        let (weather, method) = (WeatherNote::SunOnly, "test/1".to_owned());
        let contender = crate::Contender::First;
        cache.keep(HouseholdId(1), Arc::new(Issued { forecast, weather, method, contender }));
        assert!(cache.fresh(HouseholdId(1), issued_at.plus_seconds(59)).is_some());
        assert!(cache.fresh(HouseholdId(1), issued_at.plus_seconds(60)).is_none());
        assert!(cache.fresh(HouseholdId(2), issued_at).is_none());
    }
}
