//! What every callback passes before it is read: source, then rate. What is
//! refused is counted by reason.

use crate::sources::Sources;
use axum::http::HeaderMap;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sources whose rate is remembered at most; those that have been quiet are
/// forgotten first, and above it all newcomers share one allowance.
const SOURCES_MAX: usize = 4_096;

/// Header that proxies write the source into.
const FORWARDED: &str = "x-forwarded-for";

/// How much one source may send: this many at once, refilled over a minute of
/// real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Callbacks a minute.
    pub per_minute: NonZeroU32,
}

/// Why a callback was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HookRefusal {
    /// Its source is not on the allow-list.
    ForeignSource,
    /// Its source has sent too much.
    TooMany,
    /// Its body is too long.
    TooLong,
    /// Its path is none of ours.
    NoSuchDoor,
    /// It could not be made durable, so it was not acknowledged.
    NotStored,
}

impl HookRefusal {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ForeignSource, Self::TooMany, Self::TooLong, Self::NoSuchDoor, Self::NotStored];

    /// Its word, for metrics and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ForeignSource => "foreign_source",
            Self::TooMany => "too_many",
            Self::TooLong => "too_long",
            Self::NoSuchDoor => "no_such_door",
            Self::NotStored => "not_stored",
        }
    }
}

/// How often something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalCount {
    /// Why.
    pub refusal: HookRefusal,
    /// How often since the start.
    pub count: u64,
}

/// The gate.
pub struct Gate {
    sources: Sources,
    rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
    counts: [AtomicU64; HookRefusal::ALL.len()],
    admitted: AtomicU64,
}

impl Gate {
    /// Admits by source, and by rate if there is one.
    pub fn new(sources: Sources, rate: Option<Rate>) -> Self {
        let rate = rate.map(|rate| RateLimiter::keyed(Quota::per_minute(rate.per_minute)));
        Self { sources, rate, counts: Default::default(), admitted: AtomicU64::new(0) }
    }

    /// Anybody, any number: for the emulator on this machine.
    pub fn open() -> Self {
        Self::new(Sources::anybody(), None)
    }

    /// Where a request came from, if it may go on. `peer` is the other end of
    /// the connection.
    pub fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, HookRefusal> {
        let source = self.source(peer, headers);
        if !self.sources.admits(source) {
            self.refuse(HookRefusal::ForeignSource);
            // Once in a while, so that a changed list of M-Pesa's is noticed and a
            // flood does not fill the log.
            if self.count(HookRefusal::ForeignSource).is_power_of_two() {
                tracing::warn!(%source, "a callback from outside the allow-list was refused");
            }
            return Err(HookRefusal::ForeignSource);
        }
        if !self.within_rate(source) {
            self.refuse(HookRefusal::TooMany);
            if self.count(HookRefusal::TooMany).is_power_of_two() {
                tracing::warn!(%source, "callbacks above the rate limit were refused");
            }
            return Err(HookRefusal::TooMany);
        }
        self.admitted.fetch_add(1, Ordering::Relaxed);
        Ok(source)
    }

    /// Where a request came from, whether it may go on or not: behind a proxy of ours, the hop
    /// before it.
    pub fn source(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let forwarded: Vec<&str> =
            headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or("unreadable")).collect();
        self.sources.source(peer, forwarded.into_iter())
    }

    /// Counts a refusal made behind the gate.
    pub fn refuse(&self, refusal: HookRefusal) {
        self.counts[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often this was the reason.
    pub fn count(&self, refusal: HookRefusal) -> u64 {
        self.counts[refusal as usize].load(Ordering::Relaxed)
    }

    /// All counts, for metrics.
    pub fn counts(&self) -> Vec<RefusalCount> {
        HookRefusal::ALL.map(|refusal| RefusalCount { refusal, count: self.count(refusal) }).to_vec()
    }

    /// How many passed.
    pub fn admitted(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// The counts in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        let mut text = format!(
            "# HELP jirani_hooks_admitted_total Callbacks that passed source and rate.\n\
             # TYPE jirani_hooks_admitted_total counter\njirani_hooks_admitted_total {}\n\
             # HELP jirani_hooks_refused_total Callbacks that were refused.\n\
             # TYPE jirani_hooks_refused_total counter\n",
            self.admitted()
        );
        for RefusalCount { refusal, count } in self.counts() {
            let reason = refusal.word();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "jirani_hooks_refused_total{{reason=\"{reason}\"}} {count}");
        }
        text
    }

    fn within_rate(&self, source: IpAddr) -> bool {
        let Some(rate) = &self.rate else { return true };
        let mut key = network(source);
        if rate.len() >= SOURCES_MAX {
            rate.retain_recent();
            if rate.len() >= SOURCES_MAX {
                key = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        rate.check_key(&key).is_ok()
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(_) => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn gate(per_minute: u32) -> Gate {
        let rate = Rate { per_minute: NonZeroU32::new(per_minute).unwrap() };
        Gate::new(Sources::anybody(), Some(rate))
    }

    #[test]
    fn a_source_gets_its_share_and_every_refusal_is_counted() {
        let gate = gate(1);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let headers = HeaderMap::new();
        assert!(gate.admit(ip("192.0.2.1"), &headers).is_ok());
        assert_eq!(gate.admit(ip("192.0.2.1"), &headers), Err(HookRefusal::TooMany));
        assert!(gate.admit(ip("192.0.2.2"), &headers).is_ok(), "another has its own share");
        assert!(gate.admit(ip("2001:db8::1"), &headers).is_ok());
        assert_eq!(gate.admit(ip("2001:db8::2"), &headers), Err(HookRefusal::TooMany), "one network");
        assert_eq!(gate.count(HookRefusal::TooMany), 2);
        assert!(gate.metrics().contains("jirani_hooks_refused_total{reason=\"too_many\"} 2\n"));
        assert!(gate.metrics().contains("jirani_hooks_admitted_total 3\n"));
    }

    #[test]
    fn a_flood_of_sources_does_not_fill_the_memory() {
        let gate = gate(1);
        let headers = HeaderMap::new();
        for number in 0..3 * u32::try_from(SOURCES_MAX).unwrap() {
            let _ = gate.admit(IpAddr::from(number.to_be_bytes()), &headers);
        }
        assert!(gate.rate.as_ref().unwrap().len() <= SOURCES_MAX + 1);
        assert!(gate.count(HookRefusal::TooMany) > 0, "newcomers share one allowance");
    }

    #[test]
    fn a_header_that_is_no_text_is_no_source() {
        let gate = Gate::new(Sources::only(&["192.0.2.1"], &["127.0.0.1"]).unwrap(), None);
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_static("192.0.2.1"));
        assert!(gate.admit("127.0.0.1".parse().unwrap(), &headers).is_ok());
        headers.append(FORWARDED, HeaderValue::from_bytes(b"\xff").unwrap());
        let refused = gate.admit("127.0.0.1".parse().unwrap(), &headers);
        assert_eq!(refused, Err(HookRefusal::ForeignSource));
    }
}
