//! M-Pesa's local times. Kenya is at UTC+3 all year.

use jirani_units::Timestamp;

/// How far Nairobi is ahead of UTC, in seconds.
const AHEAD_S: i64 = 3 * 3_600;

/// The day in Nairobi, counted from 1 January 1970.
pub fn day(at: Timestamp) -> i64 {
    (at.seconds() + AHEAD_S).div_euclid(86_400)
}

/// The moment of a civil time in Nairobi, `YYYY-MM-DD HH:MM:SS`.
pub fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once([' ', 'T'])?;
    let right = date.len() == 10 && time.len() == 8;
    let utc: Timestamp = format!("{date}T{time}Z").parse().ok().filter(|_| right)?;
    Some(utc.plus_seconds(-AHEAD_S))
}

/// A civil time in Nairobi.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    pub year: u32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

impl Local {
    /// The civil time in Nairobi at `at`.
    pub fn at(at: Timestamp) -> Self {
        let text = Timestamp::from_seconds(at.seconds()).plus_seconds(AHEAD_S).to_string();
        let mut fields = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || fields.next().unwrap_or(0);
        Self { year: next(), month: next(), day: next(), hour: next(), minute: next(), second: next() }
    }

    /// `YYYYMMDDHHmmss`.
    pub fn stamp(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }

    /// `DDMMYYYYHHmmss`, as in checkout ids.
    pub fn day_first(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{day:02}{month:02}{year:04}{hour:02}{minute:02}{second:02}")
    }

    /// `DD.MM.YYYY HH:MM:SS`, as in payout results.
    pub fn dotted(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{day:02}.{month:02}.{year:04} {hour:02}:{minute:02}:{second:02}")
    }

    /// `2026-10-03T13:15:22Z`, as in pulled lists: local time in spite of the Z.
    pub fn iso(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `2026-10-03 13:15:22`, as in statements.
    pub fn dashed(self) -> String {
        self.iso().replace('T', " ").replace('Z', "")
    }

    /// `3/10/26 at 1:15 PM`, as in messages.
    pub fn message(self) -> String {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        format!("{}/{}/{:02} at {hour}:{:02} {half}", self.day, self.month, self.year % 100, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::{Local, day, parse};
    use jirani_units::Timestamp;

    #[test]
    fn a_moment_is_written_in_each_of_the_shapes() {
        let local = Local::at("2026-10-03T21:05:09.7Z".parse().unwrap());
        assert_eq!(local.stamp(), "20261004000509");
        assert_eq!(local.day_first(), "04102026000509");
        assert_eq!(local.dotted(), "04.10.2026 00:05:09");
        assert_eq!(local.message(), "4/10/26 at 12:05 AM");
        assert_eq!(local.iso(), "2026-10-04T00:05:09Z");
    }

    #[test]
    fn days_and_civil_times_are_nairobi_s() {
        let midnight: Timestamp = "2026-10-03T21:00:00Z".parse().unwrap();
        assert_eq!(day(midnight), day(midnight.plus_seconds(-1)) + 1);
        assert_eq!(parse("2026-10-04 00:00:00"), Some(midnight));
        for wrong in ["2026-10-04", "2026-10-04 24:61:00", "yesterday 00:00:00", ""] {
            assert_eq!(parse(wrong), None);
        }
    }
}
