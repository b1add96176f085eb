//! Which method makes the forecasts that people see, and which run beside it to be compared.

use crate::model::Model;
use crate::track::Contender;
use jirani_forecast::learn::LearnedForecaster;
use jirani_forecast::{Climatology, Forecast, ForecastInput, Forecaster, WeatherSlot};
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
            Contender::Climatology | Contender::Learned | Contender::Previous => DAYS_LONG,
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

fn method(contender: Contender, model: Model) -> Option<Method> {
    let Model { learned_at, weathered, production, consumption } = model;
    let forecaster = LearnedForecaster::new(production, consumption)?;
    let name = format!("{}@{learned_at}", forecaster.name());
    Some(Method { contender, name, forecaster: Arc::new(forecaster), weathered })
}

impl Methods {
    /// Nothing is learned yet: `first` makes all forecasts.
    pub fn new(first: Arc<dyn Forecaster>) -> Self {
        let name = first.name().to_owned();
        let first = Method { contender: Contender::First, name, forecaster: first, weathered: true };
        let standing = Standing { learned: None, previous: None, choice: Contender::First };
        Self { first, standing: RwLock::new(standing) }
    }

    /// Takes models in; `choice` is to be decided anew.
    pub fn learned(&self, learned: Option<Model>, previous: Option<Model>) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        standing.learned = learned.and_then(|model| method(Contender::Learned, model));
        standing.previous = previous.and_then(|model| method(Contender::Previous, model));
    }

    /// Whether anything was learned.
    pub fn has_learned(&self) -> bool {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).learned.is_some()
    }

    /// A new model; the one before becomes the previous.
    pub fn relearned(&self, model: Model) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        let before = standing.learned.take();
        standing.previous = before.map(|before| Method { contender: Contender::Previous, ..before });
        standing.learned = method(Contender::Learned, model);
    }

    /// Puts a method in force, or what stands nearest to it; says what was before.
    pub fn choose(&self, choice: Contender) -> Contender {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        let before = standing.choice;
        standing.choice = match choice {
            Contender::Learned if standing.learned.is_none() => Contender::First,
            Contender::Previous if standing.previous.is_none() => Contender::Climatology,
            choice => choice,
        };
        before
    }

    /// The method whose forecasts people see.
    pub fn in_force(&self) -> Method {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let found = match standing.choice {
            Contender::First => None,
            Contender::Climatology => Some(climatology()),
            Contender::Learned => standing.learned.clone(),
            Contender::Previous => standing.previous.clone(),
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
    }
}
