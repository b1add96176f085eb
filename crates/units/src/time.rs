//! Time: UTC microseconds, half-open slots, and the clock that is passed in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Source of the current time. Only the binary's `main` makes one from the
/// system's clock; everything else is handed one.
pub trait Clock: Send + Sync {
    /// The current time. Never goes back.
    fn now(&self) -> Timestamp;
}

impl Timestamp {
    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// Whole seconds since 1970, rounded down: the chain's `unix_timestamp`.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment plus `seconds`.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000_000)
    }

    /// Microseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// Days since 1970-01-01 to (year, month, day): the civil calendar algorithm of
/// Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-11-22T15:23:36Z`, with microseconds only if any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.seconds(), self.0.rem_euclid(1_000_000));
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}

/// Not an RFC 3339 time in UTC (`Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written like 2026-11-22T15:30:00Z, in UTC")]
pub struct InvalidTimestamp;

impl std::str::FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Only UTC with `Z`: a local time without zone is refused, never guessed.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let error = InvalidTimestamp;
        let body = text.strip_suffix('Z').ok_or(error)?;
        let (body, fraction) = match body.split_once('.') {
            Some((body, fraction)) => (body, Some(fraction)),
            None => (body, None),
        };
        let bytes = body.as_bytes();
        if bytes.len() != 19 || !body.is_ascii() {
            return Err(error);
        }
        for (position, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            if bytes[position] != separator {
                return Err(error);
            }
        }
        let number = |range: std::ops::Range<usize>| -> Result<i64, InvalidTimestamp> {
            let digits = &body[range];
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(error);
            }
            digits.parse().map_err(|_| error)
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let days = days_from_civil(year, month, day);
        if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
            return Err(error);
        }
        let micros = match fraction {
            None => 0,
            Some(digits) if (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{digits:0<6}").parse().map_err(|_| error)?
            }
            Some(_) => return Err(error),
        };
        Ok(Self((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A settlement interval `[start, end)`, aligned to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// First moment of the slot.
    pub start: Timestamp,
    /// Length in seconds; divides a day.
    pub length_s: u32,
}

impl Slot {
    /// The slot of `length_s` seconds that holds `at`.
    pub const fn containing(at: Timestamp, length_s: u32) -> Self {
        let length = length_s as i64 * 1_000_000;
        Self { start: Timestamp(at.0 - at.0.rem_euclid(length)), length_s }
    }

    /// First moment after the slot.
    pub const fn end(self) -> Timestamp {
        self.start.plus_seconds(self.length_s as i64)
    }

    /// The slot after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { start: self.end(), length_s: self.length_s }
    }
}

#[cfg(test)]
mod tests {
    use super::{Slot, Timestamp};
    use proptest::prelude::*;

    #[test]
    fn known_moments_print_and_parse() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_700_000_000_000_000, "2023-11-14T22:13:20Z"),
            (951_827_696_000_001, "2000-02-29T12:34:56.000001Z"),
            (-1_000_000, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap(), Timestamp(micros));
        }
    }

    #[test]
    fn local_or_impossible_times_are_refused() {
        for text in [
            "2026-11-22T15:30:00",
            "2026-11-22T15:30:00+03:00",
            "2026-02-29T00:00:00Z",
            "2026-11-22 15:30:00Z",
            "2026-11-22T24:00:00Z",
            "",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_slot_holds_its_start_and_not_its_end() {
        let slot = Slot::containing("2026-11-22T15:29:59.999999Z".parse().unwrap(), 900);
        assert_eq!(slot.start.to_string(), "2026-11-22T15:15:00Z");
        assert_eq!(Slot::containing(slot.end(), 900), slot.next());
    }

    proptest! {
        #[test]
        fn any_moment_survives_a_round_trip(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
            let text = Timestamp(micros).to_string();
            prop_assert_eq!(text.parse::<Timestamp>().unwrap(), Timestamp(micros));
        }
    }
}
