//! A table put in bins once, however many models learn from it.

use crate::bins::{Binned, Bins};
use crate::error::BoosterError;
use crate::level::Level;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::settings::Settings;
use crate::train::{LEVELS_MAX, learn};
use std::borrow::Cow;

/// Rows to learn from, in bins. Models learned from one table share its bins, so that
/// rows to be answered are binned once for all of them.
pub struct Table {
    bins: Bins,
    /// The columns that hold more than one value: no other can be asked.
    varied: Vec<u8>,
    varied_bins: Bins,
    binned: Binned,
}

impl Table {
    /// From a table of numbers.
    pub fn of(matrix: &Matrix) -> Result<Self, BoosterError> {
        if matrix.rows() == 0 {
            return Err(BoosterError::NoRows);
        }
        let bins = Bins::of(matrix);
        let (varied, varied_bins) = bins.varied();
        let binned = bins.bin_only(matrix, &varied);
        Ok(Self { bins, varied, varied_bins, binned })
    }

    /// How many rows.
    pub const fn rows(&self) -> usize {
        self.binned.values.len() / self.binned.columns
    }

    /// Learns `levels` (rising), each of the targets that `targets` has for it.
    pub fn learn<'a>(
        &self,
        levels: &[Level],
        targets: impl Fn(Level) -> Cow<'a, [f32]>,
        settings: &Settings,
    ) -> Result<Model, BoosterError> {
        let settings = settings.checked()?;
        if levels.is_empty() || levels.len() > LEVELS_MAX || levels.windows(2).any(|pair| pair[0] >= pair[1])
        {
            return Err(BoosterError::TooLarge);
        }
        let mut all = Vec::with_capacity(levels.len());
        for &level in levels {
            let targets = targets(level);
            // Below the square root of the greatest number, so that no difference overflows.
            let sound = |target: &f32| target.abs() < 1e18;
            if targets.len() != self.rows() || !targets.iter().all(sound) {
                return Err(BoosterError::Targets);
            }
            let mut series = learn(&self.varied_bins, &self.binned, &targets, level, &settings);
            for fork in series.trees.iter_mut().flat_map(|tree| &mut tree.forks) {
                fork.column = self.varied.get(usize::from(fork.column)).copied().unwrap_or(fork.column);
            }
            all.push(series);
        }
        Ok(Model::new(self.bins.clone(), all))
    }
}
