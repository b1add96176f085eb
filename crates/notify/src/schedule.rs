//! When a notice may become a text message. Pure.

use jirani_market::nairobi::{day, day_start, hour};
use jirani_units::Timestamp;

/// How much goes out, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The most messages to one household in a day of Nairobi.
    pub daily_max: u32,
    /// The hour in Nairobi at which the night begins, 0 to 23.
    pub quiet_from: u8,
    /// The hour in Nairobi at which it ends, 0 to 23.
    pub quiet_until: u8,
    /// A notice older than this is not sent any more, in seconds.
    pub stale_after_s: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { daily_max: 10, quiet_from: 21, quiet_until: 7, stale_after_s: 2 * 86_400 }
    }
}

/// How much a message matters to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Cannot wait for the morning, nor for tomorrow's share: light goes out or on, money
    /// was taken back.
    Now,
    /// About their own money or energy: waits for the morning.
    Money,
    /// Advice: waits, and whoever wrote STOP does not get it.
    Advice,
}

impl Urgency {
    /// What a notice's code says. Unknown codes are about money: silence about money is
    /// the greater harm.
    pub fn of(code: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|word| code.starts_with(word));
        if begins(&["shortfall_relay", "shortfall_limit", "taken_back", "ussd_"]) {
            Self::Now
        } else if begins(&["advice_", "could_sell", "could_buy", "rule_could_"]) {
            Self::Advice
        } else {
            Self::Money
        }
    }
}

/// What is done with a notice now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand it over.
    Send,
    /// Look at it again, at this moment or after.
    Wait(Timestamp),
    /// Never, for this reason.
    Never(&'static str),
}

/// What is known when a notice is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Now.
    pub now: Timestamp,
    /// How much it matters.
    pub urgency: Urgency,
    /// Whether its reader wrote STOP.
    pub muted: bool,
    /// Messages handed over to that household today.
    pub sent_today: u64,
    /// How often this one was handed over and not taken, and when last.
    pub tried: Option<(u32, Timestamp)>,
}

impl Policy {
    /// First moment of the day in Nairobi that holds `at`.
    pub fn day_start(at: Timestamp) -> Timestamp {
        day_start(day(at))
    }

    /// Whether it is night, and when that ends.
    fn night(&self, at: Timestamp) -> Option<Timestamp> {
        let now = hour(at);
        let (from, until) = (i64::from(self.quiet_from), i64::from(self.quiet_until));
        let is_night = if from <= until { (from..until).contains(&now) } else { now >= from || now < until };
        // An hour after `until`, its next occurrence is tomorrow.
        let of = if now < until { day(at) } else { day(at) + 1 };
        is_night.then(|| day_start(of).plus_seconds(until * 3_600))
    }

    /// What is done with a notice.
    pub fn decide(&self, known: &Known) -> Decision {
        let Known { now, urgency, muted, sent_today, tried } = *known;
        if muted && urgency == Urgency::Advice {
            return Decision::Never("muted");
        }
        if let Some((attempts, at)) = tried {
            // 1, 2, 4 .. 64 minutes after the last try.
            let again = at.plus_seconds(60 << attempts.saturating_sub(1).min(6));
            if again > now {
                return Decision::Wait(again);
            }
        }
        if urgency == Urgency::Now {
            return Decision::Send;
        }
        if let Some(morning) = self.night(now) {
            return Decision::Wait(morning);
        }
        if sent_today >= u64::from(self.daily_max) {
            return Decision::Wait(day_start(day(now) + 1));
        }
        Decision::Send
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(now: &str, urgency: Urgency) -> Known {
        Known { now: now.parse().unwrap(), urgency, muted: false, sent_today: 0, tried: None }
    }

    fn wait(until: &str) -> Decision {
        Decision::Wait(until.parse().unwrap())
    }

    #[test]
    fn the_night_in_nairobi_is_quiet_but_for_what_cannot_wait() {
        let policy = Policy::default();
        for (now, urgency, expected) in [
            ("2026-11-23T17:59:59Z", Urgency::Money, Decision::Send),
            ("2026-11-23T18:00:00Z", Urgency::Money, wait("2026-11-24T04:00:00Z")),
            ("2026-11-23T22:30:00Z", Urgency::Money, wait("2026-11-24T04:00:00Z")),
            ("2026-11-24T03:59:59Z", Urgency::Advice, wait("2026-11-24T04:00:00Z")),
            ("2026-11-24T04:00:00Z", Urgency::Advice, Decision::Send),
            ("2026-11-23T22:30:00Z", Urgency::Now, Decision::Send),
        ] {
            assert_eq!(policy.decide(&known(now, urgency)), expected, "{now}");
        }
        let siesta = Policy { quiet_from: 12, quiet_until: 14, ..policy };
        assert_eq!(
            siesta.decide(&known("2026-11-23T10:00:00Z", Urgency::Money)),
            wait("2026-11-23T11:00:00Z")
        );
        let never = Policy { quiet_from: 7, quiet_until: 7, ..policy };
        assert_eq!(never.decide(&known("2026-11-23T22:30:00Z", Urgency::Money)), Decision::Send);
    }

    #[test]
    fn a_days_share_is_not_exceeded_and_stop_is_heard() {
        let policy = Policy::default();
        let noon = "2026-11-23T09:00:00Z";
        let full = Known { sent_today: 10, ..known(noon, Urgency::Money) };
        assert_eq!(policy.decide(&full), wait("2026-11-23T21:00:00Z"));
        assert_eq!(policy.decide(&Known { urgency: Urgency::Now, ..full }), Decision::Send);
        let muted = Known { muted: true, ..known(noon, Urgency::Advice) };
        assert_eq!(policy.decide(&muted), Decision::Never("muted"));
        for urgency in [Urgency::Money, Urgency::Now] {
            assert_eq!(policy.decide(&Known { urgency, ..muted }), Decision::Send);
        }
    }

    #[test]
    fn what_was_not_taken_is_tried_again_ever_more_seldom() {
        let policy = Policy::default();
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (attempts, minutes) in [(1, 1), (2, 2), (3, 4), (7, 64), (30, 64)] {
            let tried = Some((attempts, now));
            let again = now.plus_seconds(minutes * 60);
            let known = Known { tried, ..known("2026-11-23T09:00:00Z", Urgency::Now) };
            assert_eq!(policy.decide(&known), Decision::Wait(again));
            assert_eq!(policy.decide(&Known { now: again, ..known }), Decision::Send);
        }
    }

    #[test]
    fn what_nobody_knows_is_about_money() {
        assert_eq!(Urgency::of("paid_late"), Urgency::Money);
        assert_eq!(Urgency::of("something_new"), Urgency::Money);
        assert_eq!(Urgency::of("taken_back"), Urgency::Now);
        assert_eq!(Urgency::of("advice_sell"), Urgency::Advice);
    }
}
