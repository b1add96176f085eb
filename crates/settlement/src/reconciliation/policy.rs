//! When a person is called, and when the daily comparison is made. Pure.

use jirani_units::{Cents, Timestamp};

/// Nairobi is ahead of UTC by this, in seconds.
const NAIROBI_S: i64 = 3 * 3_600;
const DAY_S: i64 = 86_400;
/// The daily comparison begins at this second of Nairobi's day: 02:00.
const DAILY_AT_S: i64 = 2 * 3_600;

/// When a person is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconciliationPolicy {
    /// Seconds a line stands apart before a review is opened.
    pub review_after_s: i64,
    /// Age in seconds of the oldest payment or payout with an unknown outcome, above
    /// which the operator is told.
    pub unknown_above_s: i64,
    /// Money in clearing above which the operator is told.
    pub clearing_above: Cents,
    /// Money in suspense above which the operator is told.
    pub suspense_above: Cents,
    /// Float of the payout shortcode below which the operator is told.
    pub float_below: Cents,
}

impl Default for ReconciliationPolicy {
    /// Two hours apart, a day unknown; 100,000 shillings in clearing, 1,000 in
    /// suspense, less than 5,000 of float.
    fn default() -> Self {
        Self {
            review_after_s: 7_200,
            unknown_above_s: DAY_S,
            clearing_above: Cents(10_000_000),
            suspense_above: Cents(100_000),
            float_below: Cents(500_000),
        }
    }
}

/// The next 02:00 of Nairobi after `now`.
pub(super) fn next_daily(now: Timestamp) -> Timestamp {
    let local = now.seconds() + NAIROBI_S - DAILY_AT_S;
    Timestamp::from_seconds((local.div_euclid(DAY_S) + 1) * DAY_S - NAIROBI_S + DAILY_AT_S)
}

#[cfg(test)]
mod tests {
    use super::next_daily;
    use jirani_units::Timestamp;

    #[test]
    fn the_comparison_is_made_at_two_in_nairobi() {
        for (now, next) in [
            ("2026-10-03T10:00:00Z", "2026-10-03T23:00:00Z"),
            ("2026-10-03T22:59:59Z", "2026-10-03T23:00:00Z"),
            ("2026-10-03T23:00:00Z", "2026-10-04T23:00:00Z"),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(next_daily(now).to_string(), next);
        }
    }
}
