//! Which method makes the forecasts that people see, and which run beside it to be compared.

use crate::model::{Before, Model};
use crate::track::Contender;
use jirani_forecast::learn::LearnedForecaster;
use jirani_forecast::{Climatology, Forecast, ForecastInput, Forecaster, WeatherSlot};
use jirani_units::Timestamp;
use std::sync::{Arc, PoisonError, RwLock};

/// Days of past that a forecast by the sun and yesterday looks at.
const DAYS_FIRST: i64 = 8;
/// Days that what was learned and what is usual look at: 28 before each of the next two.
const DAYS_LONG: i64 = 31;

/// A method with its name, ready to be asked.
#[derive(Clone)]
pub(crate) struct Method {
    pub contender: Contender,
    pub name: String,
    forecaster: Arc<dyn Forecaster>,
    weathered: bool,
    model: Option<Arc<Model>>,
}

impl Method {
    /// Asks; a method that never learned of weather is told none.
    pub fn forecast(&self, input: &ForecastInput<'_>) -> Forecast {
        let weather: &[WeatherSlot] = if self.weathered { input.weather } else { &[] };
        self.forecaster.forecast(&ForecastInput { weather, ..*input })
    }

    /// How much past it looks at.
    pub const fn past_days(&self) -> i64 {
        match self.contender {
            Contender::First => DAYS_FIRST,
            Contender::Climatology | Contender::Learned(_) => DAYS_LONG,
        }
    }
}

pub(crate) struct Methods {
    first: Method,
    standing: RwLock<Standing>,
}

struct Standing {
    learned: Option<Method>,
    previous: Option<Method>,
    choice: Contender,
}

/// A model's place in time, and which is asked: the names of two that may be in force.
pub(crate) struct Versions {
    /// Learned last.
    pub newest: Timestamp,
    /// The one that stands in for it.
    pub previous: Option<Timestamp>,
}

fn method(model: Model) -> Option<Method> {
    let forecaster = LearnedForecaster::new(model.production.clone(), model.consumption.clone())?;
    Some(Method {
        contender: Contender::Learned(model.learned_at),
        name: format!("{}@{}", forecaster.name(), model.learned_at),
        forecaster: Arc::new(forecaster),
        weathered: model.weathered,
        model: Some(Arc::new(model)),
    })
}

impl Method {
    fn learned_at(&self) -> Option<Timestamp> {
        self.model.as_ref().map(|model| model.learned_at)
    }
}

impl Methods {
    /// Nothing is learned yet: `first` makes all forecasts.
    pub fn new(first: Arc<dyn Forecaster>) -> Self {
        let name = first.name().to_owned();
        let first =
            Method { contender: Contender::First, name, forecaster: first, weathered: true, model: None };
        let standing = Standing { learned: None, previous: None, choice: Contender::First };
        Self { first, standing: RwLock::new(standing) }
    }

    /// Takes models in; `choice` is to be decided anew.
    pub fn learned(&self, learned: Option<Model>, previous: Option<Model>) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        standing.learned = learned.and_then(method);
        standing.previous = previous.and_then(method);
    }

    /// The models that may be put in force; `None` before the first was learned.
    pub fn versions(&self) -> Option<Versions> {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let newest = standing.learned.as_ref().and_then(Method::learned_at)?;
        Some(Versions { newest, previous: standing.previous.as_ref().and_then(Method::learned_at) })
    }

    /// The model that makes the forecasts, if one does.
    pub fn model_in_force(&self) -> Option<Arc<Model>> {
        self.in_force().model
    }

    /// A new model. The one before stands in for it, unless the one that stood in for that
    /// one makes the forecasts: then that one stays and the one before goes.
    pub fn relearned(&self, model: Model) -> Before {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        let stands_in =
            standing.previous.as_ref().is_some_and(|previous| previous.contender == standing.choice);
        let before = standing.learned.take();
        standing.learned = method(model);
        if stands_in {
            return Before::Goes;
        }
        standing.previous = before;
        Before::StandsIn
    }

    /// Puts a method in force; says what was before.
    pub fn choose(&self, choice: Contender) -> Contender {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut standing.choice, choice)
    }

    /// The method whose forecasts people see.
    pub fn in_force(&self) -> Method {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let found = match standing.choice {
            Contender::First => None,
            Contender::Climatology => Some(climatology()),
            Contender::Learned(_) => [&standing.learned, &standing.previous]
                .into_iter()
                .flatten()
                .find(|method| method.contender == standing.choice)
                .cloned(),
        };
        found.unwrap_or_else(|| self.first.clone())
    }

    /// All that can be compared: the one in force and those beside it.
    pub fn all(&self) -> Vec<Method> {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let learned = [standing.learned.clone(), standing.previous.clone()];
        [self.first.clone(), climatology()].into_iter().chain(learned.into_iter().flatten()).collect()
    }
}

fn climatology() -> Method {
    Method {
        contender: Contender::Climatology,
        name: Climatology.name().to_owned(),
        forecaster: Arc::new(Climatology),
        weathered: false,
        model: None,
    }
}
