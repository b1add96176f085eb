//! How many rows of a leaf stand in each bin, and how many of them were answered at
//! or above their target.
//!
//! The pinball loss has but two slopes, so these two counts are its whole gradient:
//! whole numbers, exact in any order, both in one word.

use crate::bins::Binned;

/// A count of rows, and in the upper half of those at or below what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts(u64);

impl Counts {
    /// One row.
    pub const fn one(covered: bool) -> Self {
        Self(1 | (covered as u64) << 32)
    }

    pub const fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    pub const fn less(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// Rows.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub const fn rows(self) -> u32 {
        self.0 as u32
    }

    /// The sum of the loss's slopes at a share: rows at or below what was said pull
    /// down by `1 - share`, the others up by `share`.
    pub fn slope(self, share: f64) -> f64 {
        f64::from((self.0 >> 32) as u32) - share * f64::from(self.rows())
    }
}

/// Per column, per bin.
pub struct Histogram(Vec<[Counts; 256]>);

impl Histogram {
    pub fn new(columns: usize) -> Self {
        Self(vec![[Counts::default(); 256]; columns])
    }

    /// Counts `rows` of `binned` anew.
    pub fn count(&mut self, binned: &Binned, rows: &[u32], each: &[Counts]) {
        self.0.fill([Counts::default(); 256]);
        for &row in rows {
            let one = each[row as usize];
            for (bins, &bin) in self.0.iter_mut().zip(binned.row(row as usize)) {
                let place = &mut bins[usize::from(bin)];
                *place = place.add(one);
            }
        }
    }

    /// What is left of a leaf when the rows of `part` have gone.
    pub fn take_away(&mut self, part: &Self) {
        for (bins, gone) in self.0.iter_mut().zip(&part.0) {
            for (place, gone) in bins.iter_mut().zip(gone) {
                *place = place.less(*gone);
            }
        }
    }

    /// The bins of each column.
    pub fn columns(&self) -> impl Iterator<Item = &[Counts; 256]> {
        self.0.iter()
    }
}
