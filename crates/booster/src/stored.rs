//! A model as it is kept, with its version.

use crate::bins::Bins;
use crate::error::BoosterError;
use crate::matrix::COLUMNS_MAX;
use crate::model::{Model, Series};
use crate::train::LEVELS_MAX;

/// Version of the form and of the meaning of what is stored.
pub const VERSION: u16 = 1;
/// The most trees of a level.
const TREES_MAX: usize = 2_000;

/// The form; only a [`Model`] made from it answers.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    booster_version: u16,
    bins: Bins,
    series: Vec<Series>,
}

impl From<Model> for Stored {
    fn from(model: Model) -> Self {
        Self { booster_version: VERSION, bins: model.bins, series: model.series }
    }
}

impl TryFrom<Stored> for Model {
    type Error = BoosterError;

    fn try_from(stored: Stored) -> Result<Self, BoosterError> {
        if stored.booster_version != VERSION {
            return Err(BoosterError::Version { found: stored.booster_version, wanted: VERSION });
        }
        let columns = stored.bins.columns();
        let series = &stored.series;
        let sound = (1..=COLUMNS_MAX).contains(&columns)
            && stored.bins.hold_together()
            && (1..=LEVELS_MAX).contains(&series.len())
            && series.windows(2).all(|pair| pair[0].level < pair[1].level)
            && series.iter().all(|series| {
                series.base.is_finite()
                    && series.trees.len() <= TREES_MAX
                    && series.trees.iter().all(|tree| tree.holds_together(columns))
            });
        if sound { Ok(Self::new(stored.bins, stored.series)) } else { Err(BoosterError::Corrupt) }
    }
}
