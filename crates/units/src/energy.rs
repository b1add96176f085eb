//! Energy in watt-hours and its price.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Watt-hours. One atom of eKWh is one watt-hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wh(pub u64);

impl Wh {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Sum, or `None` above `u64::MAX`.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(wh) => Some(Self(wh)),
            None => None,
        }
    }

    /// Difference, or `None` when `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(wh) => Some(Self(wh)),
            None => None,
        }
    }

    /// Difference, zero when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl fmt::Display for Wh {
    /// Kilowatt-hours with three decimals: `1.250 kWh`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} kWh", self.0 / 1000, self.0 % 1000)
    }
}

impl std::iter::Sum for Wh {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.map(|wh| wh.0).sum())
    }
}

/// Price in KES cents per kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(pub u32);

impl Price {
    /// `self + other`, or `None` above `u32::MAX`.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(price) => Some(Self(price)),
            None => None,
        }
    }

    /// Milli-cents owed for `energy` at this price: cents x 1000, exact.
    /// `energy` is bounded to `u32` Wh per fill, so the product fits `u64`.
    pub const fn millicents(self, energy: u32) -> u64 {
        self.0 as u64 * energy as u64
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KSh {}.{:02}/kWh", self.0 / 100, self.0 % 100)
    }
}
