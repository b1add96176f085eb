//! Money in KES cents.

use serde::{Deserialize, Serialize};
use std::fmt;

/// KES cents. Signed, because balances of some ledger accounts are negative by
/// nature; amounts of transfers are checked to be positive where they enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Whole shillings, or `None` on overflow.
    pub const fn from_shillings(shillings: i64) -> Option<Self> {
        match shillings.checked_mul(100) {
            Some(cents) => Some(Self(cents)),
            None => None,
        }
    }

    /// Whole shillings, rounded up: what M-Pesa is asked to collect.
    pub const fn shillings_up(self) -> i64 {
        self.0.div_euclid(100) + (self.0.rem_euclid(100) != 0) as i64
    }

    /// Whole shillings, rounded down: what M-Pesa can pay out.
    pub const fn shillings_down(self) -> i64 {
        self.0.div_euclid(100)
    }

    /// Sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(cents) => Some(Self(cents)),
            None => None,
        }
    }

    /// Difference, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(cents) => Some(Self(cents)),
            None => None,
        }
    }

    /// Whether more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for Cents {
    /// `KSh 1,234.50`, `-KSh 20.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absolute = self.0.unsigned_abs();
        let digits = (absolute / 100).to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}KSh {grouped}.{:02}", absolute % 100)
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.map(|cents| cents.0).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::Cents;

    #[test]
    fn money_is_printed_as_people_write_it() {
        for (cents, text) in [
            (0, "KSh 0.00"),
            (123_450, "KSh 1,234.50"),
            (-2_000, "-KSh 20.00"),
            (100_000_000_000, "KSh 1,000,000,000.00"),
            (99_999, "KSh 999.99"),
        ] {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }

    #[test]
    fn collections_round_up_and_payouts_round_down() {
        for (cents, up, down) in [(0, 0, 0), (1, 1, 0), (99, 1, 0), (100, 1, 1), (101, 2, 1)] {
            assert_eq!((Cents(cents).shillings_up(), Cents(cents).shillings_down()), (up, down));
        }
    }
}
