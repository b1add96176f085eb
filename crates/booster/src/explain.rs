//! What moved an answer: on a row's way down each tree, the step in what it may
//! expect belongs to the column that was asked (Saabas, 2014). Not Shapley values:
//! those need every order of columns, these one walk, and both add up to the answer.

use crate::error::BoosterError;
use crate::level::Level;
use crate::model::Model;
use crate::tree::{Next, Side};

/// An answer taken apart: `base` and all `columns` add up to `said`.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Which level.
    pub level: Level,
    /// What was said.
    pub said: f64,
    /// What is said on average.
    pub base: f64,
    /// What each column added.
    pub columns: Vec<f64>,
}

impl Model {
    /// Takes the answer for `row` at `level` apart; `None` if the model has no such level.
    pub fn explain(&self, row: &[f32], level: Level) -> Result<Option<Explanation>, BoosterError> {
        if row.len() != self.columns() {
            return Err(BoosterError::RowWidth { found: row.len(), wanted: self.columns() });
        }
        let Some(series) = self.series.iter().find(|series| series.level == level) else { return Ok(None) };
        let mut bins = vec![0; row.len()];
        self.bins.bin_row(row, &mut bins);
        let mut base = f64::from(series.base);
        let mut columns = vec![0.0; row.len()];
        for tree in &series.trees {
            let Some(mut fork) = tree.forks.first() else {
                base += f64::from(tree.leaves[0]);
                continue;
            };
            let mut expected = f64::from(tree.expected[0]);
            base += expected;
            loop {
                let next = match fork.side(&bins) {
                    Side::Left => fork.left,
                    Side::Right => fork.right,
                };
                let (then, ahead) = match next {
                    Next::Fork(number) => {
                        (tree.expected[usize::from(number)], Some(&tree.forks[usize::from(number)]))
                    }
                    Next::Leaf(number) => (tree.leaves[usize::from(number)], None),
                };
                columns[usize::from(fork.column)] += f64::from(then) - expected;
                expected = f64::from(then);
                let Some(ahead) = ahead else { break };
                fork = ahead;
            }
        }
        let said = base + columns.iter().sum::<f64>();
        Ok(Some(Explanation { level, said, base, columns }))
    }
}
