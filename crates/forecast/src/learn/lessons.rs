//! What is learned from: slots of the past as they looked from the time of issue, with
//! what came.

use super::LearnError;
use super::grid::{Home, Target};
use super::row::{Homes, WIDTH, row};
use super::scene::Scene;
use super::usual::Usual;
use jirani_booster::Matrix;
use jirani_units::Timestamp;

/// Rows with what came, in the scenes' units.
pub struct Lessons {
    pub(crate) target: Target,
    pub(crate) matrix: Matrix,
    pub(crate) truths: Vec<f32>,
    pub(crate) usuals: Vec<Usual>,
}

impl Lessons {
    /// None yet.
    pub fn new(target: Target) -> Result<Self, LearnError> {
        Ok(Self { target, matrix: Matrix::new(WIDTH)?, truths: Vec::new(), usuals: Vec::new() })
    }

    /// Adds what the forecast issued at `issued_at` would have been asked, `horizon` slots
    /// far, where the truth was known by `until`.
    pub fn add(
        &mut self,
        home: &Home<'_>,
        issued_at: Timestamp,
        horizon: i64,
        until: Timestamp,
        homes: Homes,
    ) -> Result<(), LearnError> {
        let Some(scene) = Scene::new(home, self.target, issued_at) else { return Ok(()) };
        let end = until.seconds().div_euclid(i64::from(home.grid.step_s()));
        for number in scene.now()..(scene.now() + horizon).min(end) {
            // Nights teach that panels sleep, and drown what days could teach.
            if scene.most(number) <= 0.0 {
                continue;
            }
            let Some(truth) = scene.truth(number) else { continue };
            let (row, usual) = row(&scene, number, homes);
            if usual.days() == 0 {
                continue;
            }
            self.matrix.push(&row)?;
            self.truths.push(truth / scene.unit_wh());
            self.usuals.push(usual);
        }
        Ok(())
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there is nothing to learn from.
    pub const fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// The rows, for another learner to be measured on the same.
    pub const fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// What came, in units.
    pub fn truths(&self) -> &[f32] {
        &self.truths
    }
}
