//! What is usual: the last 28 days at the same time of day, and nothing else.
//!
//! The forecast that every learned one must beat, and what stands in where one does not.

use crate::first::ClearSkyAndYesterday;
use crate::forecaster::{Forecast, ForecastInput, Forecaster};
use crate::learn::{Grid, Home, Scene, Target};
use crate::quantiles::{LEVELS, Quantiles};
use crate::typical::EAST_AFRICA_S;

/// Quantiles of the last 28 days at each time of day; homes too new for them are answered by
/// the sun and yesterday.
#[derive(Clone, Copy, Debug, Default)]
pub struct Climatology;

impl Forecaster for Climatology {
    fn forecast(&self, input: &ForecastInput<'_>) -> Forecast {
        let mut forecast = ClearSkyAndYesterday.forecast(input);
        let Ok(grid) = Grid::of(input.history, input.slot_length_s) else { return forecast };
        let home = Home {
            number: 0,
            grid: &grid,
            place: input.place,
            rated_w: input.pv_rated_w,
            clock_offset_s: input.place.map_or(EAST_AFRICA_S, crate::Place::clock_offset_s),
            skies: None,
        };
        if let Some(scene) = Scene::new(&home, Target::Consumption, input.issued_at) {
            for (point, number) in forecast.points.iter_mut().zip(scene.now()..) {
                point.consumption = seven(&scene, number).unwrap_or(point.consumption);
            }
        }
        let panels = input.pv_rated_w > 0;
        if let Some(scene) = Scene::new(&home, Target::Production, input.issued_at).filter(|_| panels) {
            for (point, number) in forecast.points.iter_mut().zip(scene.now()..) {
                point.production = seven(&scene, number).unwrap_or(point.production);
            }
        }
        forecast
    }

    fn name(&self) -> &'static str {
        "climatology/1"
    }
}

/// The seven quantiles of a slot, within what sun and rating allow; `None` for a time of
/// day that was never seen.
fn seven(scene: &Scene<'_>, number: i64) -> Option<Quantiles> {
    let usual = scene.usual(number);
    let most = scene.most(number);
    (usual.days() > 0).then(|| {
        Quantiles::from_values(LEVELS.map(|level| {
            let share = usual.at(f64::from(level) / 100.0).clamp(0.0, most);
            f64::from(share) * f64::from(scene.unit_wh())
        }))
    })
}
