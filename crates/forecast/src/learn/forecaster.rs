//! What was learned, behind the door that every method of forecasting enters by.

use super::grid::{Grid, Home, Target};
use super::model::Learned;
use super::scene::Scene;
use super::sky::Skies;
use crate::first::ClearSkyAndYesterday;
use crate::forecaster::{Forecast, ForecastInput, Forecaster, HORIZON_S};
use crate::quantiles::{LEVELS, Quantiles};
use crate::typical::EAST_AFRICA_S;

/// Forecasts by what was learned; what that cannot answer (a home too new, panels
/// nobody rated) is answered by the sun and yesterday.
#[derive(Clone, Debug)]
pub struct LearnedForecaster {
    production: Learned,
    consumption: Learned,
}

impl LearnedForecaster {
    /// From a model of each; `None` if one is of another target or of other levels than the
    /// seven of [`LEVELS`].
    pub fn new(production: Learned, consumption: Learned) -> Option<Self> {
        let seven = |learned: &Learned| {
            learned
                .levels()
                .iter()
                .map(|level| level.permille())
                .eq(LEVELS.map(|level| u16::from(level) * 10))
        };
        let fits = production.target() == Target::Production
            && consumption.target() == Target::Consumption
            && seven(&production)
            && seven(&consumption);
        fits.then_some(Self { production, consumption })
    }
}

impl Forecaster for LearnedForecaster {
    fn forecast(&self, input: &ForecastInput<'_>) -> Forecast {
        let mut forecast = ClearSkyAndYesterday.forecast(input);
        let Ok(grid) = Grid::of(input.history, input.slot_length_s) else { return forecast };
        let skies = Skies::of_forecast(input.weather, input.issued_at, input.slot_length_s);
        let home = Home {
            number: 0,
            grid: &grid,
            place: input.place,
            rated_w: input.pv_rated_w,
            clock_offset_s: input.place.map_or(EAST_AFRICA_S, crate::Place::clock_offset_s),
            skies: (!input.weather.is_empty()).then_some(&skies),
        };
        let slots = i64::from(HORIZON_S / input.slot_length_s.max(1));
        let ask = |learned: &Learned| -> Option<Vec<Quantiles>> {
            let scene = Scene::new(&home, learned.target(), input.issued_at)?;
            let said = learned.forecast(&scene, slots).ok()?;
            let seven = |values: &[f32]| {
                Quantiles::from_values(std::array::from_fn(|place| {
                    f64::from(values.get(place).copied().unwrap_or(0.0))
                }))
            };
            Some(said.chunks_exact(LEVELS.len()).map(seven).collect())
        };
        if let Some(said) = ask(&self.consumption) {
            for (point, consumption) in forecast.points.iter_mut().zip(said) {
                point.consumption = consumption;
            }
        }
        if input.pv_rated_w > 0
            && let Some(said) = ask(&self.production)
        {
            for (point, production) in forecast.points.iter_mut().zip(said) {
                point.production = production;
            }
        }
        forecast
    }

    fn name(&self) -> &'static str {
        "learned-blend/2"
    }
}
