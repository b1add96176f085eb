//! Days as people in Nairobi count them: UTC+3 all year.

use jirani_units::Timestamp;

const OFFSET_S: i64 = 3 * 60 * 60;
const DAY_S: i64 = 24 * 60 * 60;

/// A day in Nairobi, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day that holds `at`.
    pub fn of(at: Timestamp) -> Self {
        Self((at.seconds() + OFFSET_S).div_euclid(DAY_S))
    }

    /// The day that ends with `at`: midnight belongs to the day before it.
    pub fn ending_at(at: Timestamp) -> Self {
        Self::of(Timestamp(at.0 - 1))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::from_seconds(self.0 * DAY_S - OFFSET_S)
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// So many days before.
    #[must_use]
    pub fn back(self, days: u32) -> Self {
        Self(self.0 - i64::from(days))
    }
}

impl std::fmt::Display for Day {
    /// `2026-11-22`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = Timestamp::from_seconds(self.0 * DAY_S).to_string();
        f.write_str(text.split_once('T').map_or(text.as_str(), |(day, _)| day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_nairobi() {
        let before: Timestamp = "2026-11-22T20:59:59.999999Z".parse().unwrap();
        let midnight: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        assert_eq!(Day::of(before).to_string(), "2026-11-22");
        assert_eq!(Day::of(midnight).to_string(), "2026-11-23");
        assert_eq!(Day::ending_at(midnight).to_string(), "2026-11-22");
        assert_eq!(Day::of(midnight).start(), midnight);
    }
}
