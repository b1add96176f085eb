//! The table that is learned from and answered for.

use crate::error::BoosterError;

/// The most rows: a thousand homes, two years of hours, every fourth kept.
pub const ROWS_MAX: usize = 4_000_000;
/// The most columns.
pub const COLUMNS_MAX: usize = 256;

/// Rows of numbers; whatever is not finite is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// An empty table.
    pub fn new(columns: usize) -> Result<Self, BoosterError> {
        if columns == 0 || columns > COLUMNS_MAX {
            return Err(BoosterError::TooLarge);
        }
        Ok(Self { columns, values: Vec::new() })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[f32]) -> Result<(), BoosterError> {
        if row.len() != self.columns {
            return Err(BoosterError::RowWidth { found: row.len(), wanted: self.columns });
        }
        if self.rows() >= ROWS_MAX {
            return Err(BoosterError::TooLarge);
        }
        self.values.extend_from_slice(row);
        Ok(())
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// How many columns.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns)
    }
}
