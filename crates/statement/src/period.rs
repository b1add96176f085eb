//! Periods as people in Nairobi count them: UTC+3 all year.

use jirani_units::Timestamp;
use std::fmt;
use std::str::FromStr;

/// Nairobi is so many seconds ahead of UTC.
const OFFSET_S: i64 = 3 * 3_600;
const DAY_S: i64 = 86_400;
/// The longest period, in days: a year and a day.
pub const DAYS_MAX: i64 = 366;

/// Whole days in Nairobi, `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
    label: String,
}

/// Not a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "statement.invalid_period: a period is a month like 2026-10, a day like 2026-10-05, or days like 2026-10-01..2026-10-15, at most 366"
)]
pub struct InvalidPeriod;

impl Period {
    /// First moment.
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// First moment after it.
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// As it was asked for: `2026-10`, `2026-10-01..2026-10-15`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it holds `at`.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Its first and last day, `2026-10-01`.
    pub fn days(&self) -> (String, String) {
        (day(self.from), day(Timestamp(self.to.0 - 1)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// Midnight in Nairobi of `2026-10-05`.
fn midnight(day: &str) -> Result<Timestamp, InvalidPeriod> {
    let utc: Timestamp = format!("{day}T00:00:00Z").parse().map_err(|_| InvalidPeriod)?;
    Ok(utc.plus_seconds(-OFFSET_S))
}

fn month_start(year: i64, month: i64) -> Result<Timestamp, InvalidPeriod> {
    midnight(&format!("{year:04}-{month:02}-01"))
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let (from, to) = if let Some((first, last)) = text.split_once("..") {
            (midnight(first)?, midnight(last)?.plus_seconds(DAY_S))
        } else if text.len() == 7 {
            let (year, month) = text.split_once('-').ok_or(InvalidPeriod)?;
            let digits = [year, month].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
            let (Ok(year), Ok(month), true) = (year.parse::<i64>(), month.parse::<i64>(), digits) else {
                return Err(InvalidPeriod);
            };
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (month_start(year, month)?, month_start(next_year, next)?)
        } else {
            (midnight(text)?, midnight(text)?.plus_seconds(DAY_S))
        };
        let days = to.since(from) / (DAY_S * 1_000_000);
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(InvalidPeriod);
        }
        Ok(Self { from, to, label: text.to_owned() })
    }
}

/// The day in Nairobi, `2026-10-05`.
pub fn day(at: Timestamp) -> String {
    local(at, 10)
}

/// Day and time in Nairobi to the minute, `2026-10-05 14:03`.
pub fn minute(at: Timestamp) -> String {
    local(at, 16).replace('T', " ")
}

/// Day and time in Nairobi to the second, `2026-10-05 14:03:59`.
pub fn second(at: Timestamp) -> String {
    local(at, 19).replace('T', " ")
}

fn local(at: Timestamp, length: usize) -> String {
    at.plus_seconds(OFFSET_S).to_string().chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_nairobi() {
        for (text, from, to) in [
            ("2026-10", "2026-09-30T21:00:00Z", "2026-10-31T21:00:00Z"),
            ("2026-12", "2026-11-30T21:00:00Z", "2026-12-31T21:00:00Z"),
            ("2024-02", "2024-01-31T21:00:00Z", "2024-02-29T21:00:00Z"),
            ("2026-10-05", "2026-10-04T21:00:00Z", "2026-10-05T21:00:00Z"),
            ("2026-10-01..2026-10-15", "2026-09-30T21:00:00Z", "2026-10-15T21:00:00Z"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.from().to_string(), period.to().to_string()), (from.into(), to.into()));
            assert!(period.holds(period.from()) && !period.holds(period.to()));
            assert_eq!(period.label(), text);
        }
    }

    #[test]
    fn one_month_begins_where_the_other_ends() {
        for month in 1..12 {
            let this: Period = format!("2026-{month:02}").parse().unwrap();
            let next: Period = format!("2026-{:02}", month + 1).parse().unwrap();
            assert_eq!(this.to(), next.from());
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "+026-10",
            "2026-02-30",
            "2026-10-05..2026-10-04",
            "2024-01-01..2026-01-01",
            "..",
            "2026-10..2026-11",
            "9999-99-99",
            "2026-10-05T00:00",
        ] {
            assert_eq!(text.parse::<Period>(), Err(InvalidPeriod), "{text}");
        }
    }

    #[test]
    fn moments_are_told_in_nairobi() {
        let at: Timestamp = "2026-10-31T21:59:59.5Z".parse().unwrap();
        assert_eq!((day(at), minute(at)), ("2026-11-01".into(), "2026-11-01 00:59".into()));
        assert_eq!(second(at), "2026-11-01 00:59:59");
    }
}
