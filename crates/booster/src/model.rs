//! What was learned: asked with rows, answers with levels.

use crate::bins::{Binned, Bins};
use crate::error::BoosterError;
use crate::level::Level;
use crate::matrix::Matrix;
use crate::quick::{BLOCK, Quick};
use crate::stored::Stored;
use crate::tree::Tree;

/// A model. Stored and loaded by serde; what does not hold together is refused.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Model {
    pub(crate) bins: Bins,
    pub(crate) series: Vec<Series>,
    /// The trees of each series, made ready; `None` for those that must be walked.
    quick: Vec<Vec<Option<Quick>>>,
}

/// The trees of one level.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    pub level: Level,
    /// Said before any tree is asked.
    pub base: f32,
    pub trees: Vec<Tree>,
}

/// Rows in a model's bins, for all models that [share them](Model::shares_bins).
pub struct Rows(Binned);

impl From<Binned> for Rows {
    fn from(binned: Binned) -> Self {
        Self(binned)
    }
}

impl Model {
    pub(crate) fn new(bins: Bins, series: Vec<Series>) -> Self {
        let quick = series.iter().map(|series| series.trees.iter().map(Quick::of).collect()).collect();
        Self { bins, series, quick }
    }

    /// The levels that are answered, rising.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = Level> {
        self.series.iter().map(|series| series.level)
    }

    /// How many columns a row must have.
    pub fn columns(&self) -> usize {
        self.bins.columns()
    }

    /// Whether both were learned from one table, so that rows in one's bins are in the other's.
    pub fn shares_bins(&self, other: &Self) -> bool {
        self.bins == other.bins
    }

    /// The rows of `matrix` in this model's bins.
    pub fn rows(&self, matrix: &Matrix) -> Result<Rows, BoosterError> {
        if matrix.columns() != self.columns() {
            return Err(BoosterError::RowWidth { found: matrix.columns(), wanted: self.columns() });
        }
        Ok(Rows(self.bins.bin(matrix)))
    }

    /// For every row of `matrix` every level, row by row, never falling within one.
    pub fn predict(&self, matrix: &Matrix) -> Result<Vec<f32>, BoosterError> {
        let mut answers = self.answer(&self.rows(matrix)?)?;
        for answer in answers.chunks_exact_mut(self.series.len()) {
            answer.sort_unstable_by(f32::total_cmp);
        }
        Ok(answers)
    }

    /// For every row every level as it was learned, row by row: where each level had targets
    /// of its own, none has to be above another.
    pub fn answer(&self, rows: &Rows) -> Result<Vec<f32>, BoosterError> {
        let (Rows(binned), levels) = (rows, self.series.len());
        if binned.columns != self.columns() {
            return Err(BoosterError::RowWidth { found: binned.columns, wanted: self.columns() });
        }
        let mut answers = vec![0.0; binned.values.len() / binned.columns * levels];
        let mut columns = vec![[0_u8; BLOCK]; binned.columns];
        let blocks = binned.values.chunks(BLOCK * binned.columns);
        for (rows, answers) in blocks.zip(answers.chunks_mut(BLOCK * levels)) {
            for (place, row) in rows.chunks_exact(binned.columns).enumerate() {
                for (column, &bin) in columns.iter_mut().zip(row) {
                    column[place] = bin;
                }
            }
            for (place, (series, quick)) in self.series.iter().zip(&self.quick).enumerate() {
                let mut sums = [series.base; BLOCK];
                for (tree, quick) in series.trees.iter().zip(quick) {
                    if let Some(quick) = quick {
                        quick.add(&columns, &mut sums);
                        continue;
                    }
                    for (row, sum) in rows.chunks_exact(binned.columns).zip(&mut sums) {
                        *sum += tree.answer(row);
                    }
                }
                for (answer, sum) in answers.chunks_exact_mut(levels).zip(&sums) {
                    answer[place] = *sum;
                }
            }
        }
        Ok(answers)
    }
}
