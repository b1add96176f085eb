//! Values as bins: at most 254 per column, bin 0 for what is missing.
//!
//! Heavy values (a night's zeros) get a bin of their own, the rest equal shares, so
//! that a split can stand wherever rows are.

use crate::matrix::Matrix;

/// Bins that values can have, beside the one of what is missing.
const VALUES_MAX: usize = 254;
/// Rows that a bin should hold in a small table, where more bins only cost time.
const ROWS_A_BIN: usize = 100;
/// Bins of the smallest table.
const BINS_OF_SMALL: usize = 64;
/// Rows that the cuts are found on, evenly spread over the table.
const SAMPLE: usize = 100_000;

/// Where the bins of every column end.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bins {
    /// Per column the greatest value of each bin but the last, rising.
    cuts: Vec<Vec<f32>>,
}

/// A table in bins, row by row.
pub struct Binned {
    pub columns: usize,
    pub values: Vec<u8>,
}

impl Binned {
    /// The bins of one row.
    pub fn row(&self, row: usize) -> &[u8] {
        let from = row * self.columns;
        &self.values[from..from + self.columns]
    }
}

impl Bins {
    /// Cuts that suit `matrix`.
    pub fn of(matrix: &Matrix) -> Self {
        let every = matrix.rows().div_ceil(SAMPLE).max(1);
        let most = (matrix.rows() / ROWS_A_BIN).clamp(BINS_OF_SMALL, VALUES_MAX);
        let cuts = (0..matrix.columns())
            .map(|column| {
                let mut values: Vec<f32> = matrix
                    .iter()
                    .step_by(every)
                    .filter_map(|row| row.get(column).copied().filter(|value| value.is_finite()))
                    .collect();
                cuts(&mut values, most)
            })
            .collect();
        Self { cuts }
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.cuts.len()
    }

    /// How many bins `column` has, the one of what is missing included.
    pub fn count(&self, column: usize) -> usize {
        self.cuts.get(column).map_or(0, |cuts| cuts.len() + 2)
    }

    /// Whether every column's cuts rise and are few enough.
    pub fn hold_together(&self) -> bool {
        self.cuts.iter().all(|cuts| {
            cuts.len() < VALUES_MAX
                && cuts.iter().all(|cut| cut.is_finite())
                && cuts.windows(2).all(|pair| pair[0] < pair[1])
        })
    }

    /// The columns that can be asked, and their bins alone; the first if there is none.
    pub fn varied(&self) -> (Vec<u8>, Self) {
        let mut columns: Vec<u8> = (0..=u8::MAX)
            .zip(&self.cuts)
            .filter(|(_, cuts)| !cuts.is_empty())
            .map(|(place, _)| place)
            .collect();
        if columns.is_empty() {
            columns.push(0);
        }
        let cuts = columns.iter().filter_map(|&place| self.cuts.get(usize::from(place)).cloned()).collect();
        (columns, Self { cuts })
    }

    /// The row's bins into `into`, which is as long as there are columns.
    pub fn bin_row(&self, row: &[f32], into: &mut [u8]) {
        for ((value, cuts), into) in row.iter().zip(&self.cuts).zip(into) {
            *into = bin(*value, cuts);
        }
    }

    /// The whole table in bins.
    pub fn bin(&self, matrix: &Matrix) -> Binned {
        let columns = self.columns();
        let mut values = vec![0; matrix.rows() * columns];
        for (row, into) in matrix.iter().zip(values.chunks_exact_mut(columns)) {
            self.bin_row(row, into);
        }
        Binned { columns, values }
    }

    /// Only the `wanted` columns of a table in bins.
    pub fn bin_only(&self, matrix: &Matrix, wanted: &[u8]) -> Binned {
        let mut values = Vec::with_capacity(matrix.rows() * wanted.len());
        for row in matrix.iter() {
            values.extend(wanted.iter().map(|&column| {
                let column = usize::from(column);
                row.get(column).zip(self.cuts.get(column)).map_or(0, |(value, cuts)| bin(*value, cuts))
            }));
        }
        Binned { columns: wanted.len(), values }
    }
}

fn bin(value: f32, cuts: &[f32]) -> u8 {
    if value.is_finite() {
        u8::try_from(cuts.partition_point(|cut| *cut < value) + 1).unwrap_or(u8::MAX)
    } else {
        0
    }
}

fn cuts(values: &mut [f32], most: usize) -> Vec<f32> {
    // Minus zero is zero.
    for value in values.iter_mut() {
        *value += 0.0;
    }
    values.sort_unstable_by(f32::total_cmp);
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for &value in values.iter() {
        match distinct.last_mut() {
            Some((last, count)) if last.total_cmp(&value).is_eq() => *count += 1,
            _ => distinct.push((value, 1)),
        }
    }
    let mut cuts = Vec::new();
    let (mut left, mut room) = (values.len(), most);
    let mut held = 0;
    for pair in distinct.windows(2) {
        let (value, count) = pair[0];
        let (next, next_count) = pair[1];
        held += count;
        let fair = left.div_ceil(room.max(1));
        let full = distinct.len() <= most || held >= fair || next_count >= fair;
        if full && room > 1 {
            cuts.push(between(value, next));
            left -= held;
            room -= 1;
            held = 0;
        }
    }
    cuts
}

/// A number from `low` on and below `high`: the middle, unless rounding eats it.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}
