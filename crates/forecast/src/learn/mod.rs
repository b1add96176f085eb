//! Forecasts that are learned from many households' pasts.
//!
//! A household's own last 28 days at the same time of day are hard to beat; what the
//! pooled past of all homes, the weather and the sun add is a correction to them. So
//! a forecast is a blend of three: the [`usual`] quantiles, a booster that learned the
//! quantiles outright, and one that learned by how much the usual ones are wrong.
//! How much each says ([`weights`]), and how far the blend is stretched around its middle
//! ([`calibration`]), follows from forecasts of the recent past made before their truth was
//! known.
//!
//! Promises: a forecast looks at nothing that was not known when it was issued
//! ([`scene`] is the only door to the past, and asks for the time of issue); levels
//! never cross; no sun at night and nothing above the rated power; the same
//! past and seed give the same answer; what moved it can be told ([`explain`]).
//! Energies are fractions here and whole watt-hours again behind
//! [`crate::Forecaster`]: no book is kept in them.

pub mod calibration;
pub mod explain;
mod forecaster;
pub mod grid;
pub mod lessons;
pub mod model;
pub mod row;
pub mod scene;
pub mod sky;
pub mod usual;
pub mod weights;

pub use calibration::Calibration;
pub use explain::Mover;
pub use forecaster::LearnedForecaster;
pub use grid::{Grid, Home, Target};
pub use lessons::Lessons;
pub use model::{Learned, Parts, Plan, Raw};
pub use row::Homes;
pub use scene::Scene;
pub use sky::{Skies, Sky};
pub use weights::Said;

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// A slot length that does not divide a day.
    #[error("forecast.slot_length: a slot's length in seconds divides a day")]
    SlotLength,
    /// Too little past.
    #[error("forecast.too_little_past: give at least {0} days of at least one home")]
    TooLittlePast(i64),
    /// A blend whose parts are not a whole.
    #[error("forecast.parts: the parts of a blend are percents and add up to 100")]
    Parts,
    /// The levels or settings of the booster.
    #[error(transparent)]
    Booster(#[from] jirani_booster::BoosterError),
}
