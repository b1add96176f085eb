//! What was learned: asked with rows, answers with levels.

use crate::bins::Bins;
use crate::error::BoosterError;
use crate::level::Level;
use crate::matrix::Matrix;
use crate::stored::Stored;
use crate::tree::Tree;

/// Rows that are answered together: few enough to stay in the processor's first
/// cache while every tree passes over them.
const BLOCK: usize = 256;

/// A model. Stored and loaded by serde; what does not hold together is refused.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Model {
    pub(crate) bins: Bins,
    pub(crate) series: Vec<Series>,
}

/// The trees of one level.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    pub level: Level,
    /// Said before any tree is asked.
    pub base: f32,
    pub trees: Vec<Tree>,
}

impl Model {
    /// The levels that are answered, rising.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = Level> {
        self.series.iter().map(|series| series.level)
    }

    /// How many columns a row must have.
    pub fn columns(&self) -> usize {
        self.bins.columns()
    }

    /// For every row of `matrix` every level, row by row, never falling within one.
    pub fn predict(&self, matrix: &Matrix) -> Result<Vec<f32>, BoosterError> {
        if matrix.columns() != self.columns() {
            return Err(BoosterError::RowWidth { found: matrix.columns(), wanted: self.columns() });
        }
        let levels = self.series.len();
        let binned = self.bins.bin(matrix);
        let mut answers = vec![0.0; matrix.rows() * levels];
        let blocks = binned.values.chunks(BLOCK * binned.columns);
        for (rows, answers) in blocks.zip(answers.chunks_mut(BLOCK * levels)) {
            let mut sums = [0.0_f32; BLOCK];
            for (place, series) in self.series.iter().enumerate() {
                sums.fill(series.base);
                for tree in &series.trees {
                    for (row, sum) in rows.chunks_exact(binned.columns).zip(&mut sums) {
                        *sum += tree.answer(row);
                    }
                }
                for (answer, sum) in answers.chunks_exact_mut(levels).zip(&sums) {
                    answer[place] = *sum;
                }
            }
            for answer in answers.chunks_exact_mut(levels) {
                answer.sort_unstable_by(f32::total_cmp);
            }
        }
        Ok(answers)
    }
}
