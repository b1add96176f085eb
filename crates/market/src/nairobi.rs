//! Days and hours as people in Kenya live them: Africa/Nairobi is UTC+3 all year, and
//! has been since 1960 (IANA time zone database).

use jirani_units::Timestamp;

const OFFSET_S: i64 = 3 * 3_600;
const DAY_US: i64 = 86_400 * 1_000_000;

/// Number of the day in Nairobi, counted from 1970-01-01.
pub const fn day(at: Timestamp) -> i64 {
    at.plus_seconds(OFFSET_S).0.div_euclid(DAY_US)
}

/// First moment of the `day`-th day in Nairobi.
pub const fn day_start(day: i64) -> Timestamp {
    Timestamp(day * DAY_US).plus_seconds(-OFFSET_S)
}

/// Hour of the day in Nairobi, 0 to 23.
pub const fn hour(at: Timestamp) -> i64 {
    at.plus_seconds(OFFSET_S).0.rem_euclid(DAY_US) / 3_600_000_000
}

/// The day in Nairobi as `2026-11-23`.
pub fn date(at: Timestamp) -> String {
    at.plus_seconds(OFFSET_S).to_string().chars().take(10).collect()
}

/// The month in Nairobi as `2026-11`.
pub fn month(at: Timestamp) -> String {
    at.plus_seconds(OFFSET_S).to_string().chars().take(7).collect()
}

#[cfg(test)]
mod tests {
    use super::{date, day, day_start, hour, month};
    use jirani_units::Timestamp;

    #[test]
    fn a_day_in_nairobi_begins_at_21_o_clock_utc() {
        let late: Timestamp = "2026-11-30T20:59:59Z".parse().unwrap();
        let next = late.plus_seconds(1);
        assert_eq!((hour(late), hour(next)), (23, 0));
        assert_eq!(day(next), day(late) + 1);
        assert_eq!(day_start(day(next)), next);
        assert_eq!((date(late), month(late)), ("2026-11-30".to_owned(), "2026-11".to_owned()));
        assert_eq!((date(next), month(next)), ("2026-12-01".to_owned(), "2026-12".to_owned()));
    }
}
