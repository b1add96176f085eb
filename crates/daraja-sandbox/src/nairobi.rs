//! M-Pesa's local times. Kenya is at UTC+3 all year.

use jirani_units::Timestamp;

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
        let text = Timestamp::from_seconds(at.seconds()).plus_seconds(3 * 3_600).to_string();
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

    /// `3/10/26 at 1:15 PM`, as in messages.
    pub fn message(self) -> String {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        format!("{}/{}/{:02} at {hour}:{:02} {half}", self.day, self.month, self.year % 100, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::Local;

    #[test]
    fn a_moment_is_written_in_each_of_the_shapes() {
        let local = Local::at("2026-10-03T21:05:09.7Z".parse().unwrap());
        assert_eq!(local.stamp(), "20261004000509");
        assert_eq!(local.day_first(), "04102026000509");
        assert_eq!(local.dotted(), "04.10.2026 00:05:09");
        assert_eq!(local.message(), "4/10/26 at 12:05 AM");
    }
}
