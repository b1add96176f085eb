//! How often each meter's messages were refused, by reason. Bounded: whoever invents meters
//! fills one line.

use jirani_store::RefusalCount;
use jirani_units::MeterId;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Meters that are counted by themselves; beyond that they are counted together.
const METERS_MAX: usize = 1_024;
/// Reasons of one meter; there are some thirty.
const REASONS_MAX: usize = 64;

/// Somebody else who counts: the embedded broker.
type Source = Box<dyn Fn() -> Vec<(Option<MeterId>, &'static str, u64)> + Send + Sync>;

/// Counts by meter and reason.
#[derive(Clone, Default)]
struct Counts(BTreeMap<Option<String>, BTreeMap<String, u64>>);

impl Counts {
    fn add(&mut self, meter: Option<String>, code: &str, count: u64) {
        let is_one_too_many = !self.0.contains_key(&meter) && self.0.len() > METERS_MAX;
        let codes = self.0.entry(meter.filter(|_| !is_one_too_many)).or_default();
        if codes.len() < REASONS_MAX || codes.contains_key(code) {
            let kept = codes.entry(code.to_owned()).or_default();
            *kept = kept.saturating_add(count);
        }
    }

    fn add_all(&mut self, counts: &[RefusalCount]) {
        for RefusalCount { meter, code, count } in counts {
            self.add(meter.clone(), code, *count);
        }
    }

    fn of(&self, meter: Option<&String>, code: &str) -> u64 {
        self.0.get(&meter.cloned()).and_then(|codes| codes.get(code)).copied().unwrap_or(0)
    }

    fn rows(&self) -> Vec<RefusalCount> {
        let rows = self.0.iter().flat_map(|(meter, codes)| {
            let of = |(code, count): (&String, &u64)| RefusalCount {
                meter: meter.clone(),
                code: code.clone(),
                count: *count,
            };
            codes.iter().map(of)
        });
        rows.collect()
    }
}

/// What is counted in this process.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
    /// What of it was kept in the store.
    told: Mutex<Counts>,
    also: OnceLock<Source>,
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").finish_non_exhaustive()
    }
}

impl Tally {
    pub(crate) fn refuse(&self, meter: Option<MeterId>, code: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add(meter.map(|meter| meter.to_string()), code, 1);
    }

    /// Counts what this one counts, too, whenever somebody asks. Once.
    pub(crate) fn also(&self, source: Source) {
        let _ = self.also.set(source);
    }

    /// All counts, by meter and reason.
    pub(crate) fn counts(&self) -> Vec<RefusalCount> {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (meter, code, count) in self.also.get().map(|source| source()).unwrap_or_default() {
            all.add(meter.map(|meter| meter.to_string()), code, count);
        }
        all.rows()
    }

    /// What has come since it was told last.
    pub(crate) fn news(&self) -> Vec<RefusalCount> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = self.counts();
        for row in &mut counts {
            row.count = row.count.saturating_sub(told.of(row.meter.as_ref(), &row.code));
        }
        counts.retain(|row| row.count > 0);
        counts
    }

    /// These news are kept.
    pub(crate) fn tell(&self, news: &[RefusalCount]) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).add_all(news);
    }

    /// What was kept before, of whatever gateway, and these news.
    pub(crate) fn merged(kept: &[RefusalCount], news: &[RefusalCount]) -> Vec<RefusalCount> {
        let mut counts = Counts::default();
        counts.add_all(kept);
        counts.add_all(news);
        counts.rows()
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use jirani_units::MeterId;

    #[test]
    fn meters_beyond_the_bound_are_counted_together() {
        let tally = Tally::default();
        for number in 0..10_000_u32 {
            let mut name = [0; 16];
            name[..4].copy_from_slice(&number.to_le_bytes());
            tally.refuse(Some(MeterId(name)), "reading.unknown_meter");
        }
        let counts = tally.counts();
        assert!(counts.len() <= super::METERS_MAX + 2, "{}", counts.len());
        assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), 10_000);
    }

    #[test]
    fn news_are_told_once_and_add_up_over_gateways() {
        let meter = Some(MeterId([1; 16]));
        let (one, other) = (Tally::default(), Tally::default());
        one.refuse(meter, "gateway.flood");
        other.refuse(meter, "gateway.flood");
        let kept = Tally::merged(&[], &one.news());
        one.tell(&one.news());
        assert_eq!(one.news(), []);
        let kept = Tally::merged(&kept, &other.news());
        one.refuse(meter, "gateway.flood");
        let kept = Tally::merged(&kept, &one.news());
        assert_eq!((kept.len(), kept[0].count), (1, 3));
    }
}
