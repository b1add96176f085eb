//! How hard is learned.

use crate::error::BoosterError;

/// How trees are grown; the defaults suit tens of thousands of rows of homes.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Trees per level, 1 to 2,000.
    pub rounds: u16,
    /// Share of a tree's answer that is taken, above 0 to 1.
    pub learning_rate: f32,
    /// Most leaves of a tree, 2 to 255.
    pub leaves: u8,
    /// Fewest rows of a leaf, at least 1.
    pub leaf_rows_min: u32,
    /// Percent of the rows that a tree sees, 1 to 100.
    pub row_percent: u8,
    /// Percent of the columns that a tree sees, 1 to 100; never none.
    pub column_percent: u8,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 200,
            learning_rate: 0.05,
            leaves: 31,
            leaf_rows_min: 40,
            row_percent: 100,
            column_percent: 100,
            seed: 1,
        }
    }
}

impl Settings {
    /// Itself, if every value is in its range.
    pub fn checked(self) -> Result<Self, BoosterError> {
        let wrong = |what| Err(BoosterError::Settings(what));
        if !(1..=2_000).contains(&self.rounds) {
            return wrong("rounds are 1 to 2000");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return wrong("the learning rate is above 0 and at most 1");
        }
        if self.leaves < 2 || self.leaf_rows_min == 0 {
            return wrong("a tree has at least 2 leaves and a leaf at least 1 row");
        }
        if !(1..=100).contains(&self.row_percent) || !(1..=100).contains(&self.column_percent) {
            return wrong("a tree sees 1 to 100 percent of rows and columns");
        }
        Ok(self)
    }
}
