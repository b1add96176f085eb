//! What of the refused is kept: nothing twice that was refused lately, and of each meter a
//! bounded number of rows and bytes a day. A meter that repeats itself, or invents something
//! new each time, does not fill the disk; it is counted, whatever is kept of it.

use jirani_units::{MeterId, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// How many refusals are remembered.
const REFUSED_MAX: usize = 4_096;
/// Rows kept of one meter in a day.
pub(crate) const ROWS_MAX: usize = 100;
/// Bytes kept of one meter in a day.
const BYTES_MAX: usize = 64 * 1024;
/// Meters that have rows of their own; all others share those of one.
const METERS_MAX: usize = 1_024;
const DAY_US: i64 = 86_400 * 1_000_000;

pub(crate) type Fingerprint = [u8; 32];

/// What was kept of one meter in a day.
#[derive(Default)]
struct Kept {
    rows: usize,
    bytes: usize,
    codes: BTreeSet<&'static str>,
}

/// What a batch is about to keep, by meter; counts once the batch is in the store.
#[derive(Default)]
pub(crate) struct Keeping(BTreeMap<Option<MeterId>, Kept>);

/// The last refusals, by what was refused and why, and what was kept today.
#[derive(Default)]
pub(crate) struct Refused {
    order: VecDeque<Fingerprint>,
    known: HashSet<Fingerprint>,
    day: i64,
    kept: BTreeMap<Option<MeterId>, Kept>,
}

impl Refused {
    pub(crate) fn fingerprint(meter: Option<MeterId>, code: &str, bytes: &[u8]) -> Fingerprint {
        Sha256::new()
            .chain_update(meter.map_or([0; 16], |meter| meter.0))
            .chain_update(code)
            .chain_update([0])
            .chain_update(bytes)
            .finalize()
            .into()
    }

    pub(crate) fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains(fingerprint)
    }

    /// A new day begins with nothing kept. A clock that goes back changes nothing.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        let day = now.0.div_euclid(DAY_US);
        if day > self.day {
            self.day = day;
            self.kept.clear();
        }
    }

    /// Whether one more row is kept. The first of each reason is, whatever else the meter
    /// has said: noise does not hide the proof that two meters have one key.
    pub(crate) fn has_room(
        &self,
        keeping: &mut Keeping,
        meter: Option<MeterId>,
        code: &'static str,
        bytes: usize,
    ) -> bool {
        let has_own = self.kept.contains_key(&meter)
            || keeping.0.contains_key(&meter)
            || self.kept.len() + keeping.0.len() < METERS_MAX;
        let meter = meter.filter(|_| has_own);
        let (before, now) = (self.kept.get(&meter), keeping.0.entry(meter).or_default());
        let is_first = !now.codes.contains(code) && before.is_none_or(|kept| !kept.codes.contains(code));
        let (rows, sum) = before.map_or((0, 0), |kept| (kept.rows, kept.bytes));
        let fits = rows + now.rows < ROWS_MAX && sum + now.bytes + bytes <= BYTES_MAX;
        if !fits && !is_first {
            return false;
        }
        now.rows += 1;
        now.bytes += bytes;
        now.codes.insert(code);
        true
    }

    /// What was decided is in the store.
    pub(crate) fn remember(&mut self, fingerprints: &[Fingerprint], keeping: Keeping) {
        for (meter, kept) in keeping.0 {
            let sum = self.kept.entry(meter).or_default();
            sum.rows += kept.rows;
            sum.bytes += kept.bytes;
            sum.codes.extend(kept.codes);
        }
        for fingerprint in fingerprints {
            self.known.insert(*fingerprint);
            self.order.push_back(*fingerprint);
            if self.order.len() > REFUSED_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "reading.malformed";

    /// How many of `count` rows of `bytes` bytes each are kept, one batch each.
    fn kept(refused: &mut Refused, meter: Option<MeterId>, count: usize, bytes: usize) -> usize {
        let one = |refused: &mut Refused| {
            let mut keeping = Keeping::default();
            let has_room = refused.has_room(&mut keeping, meter, CODE, bytes);
            refused.remember(&[], keeping);
            has_room
        };
        (0..count).filter(|_| one(refused)).count()
    }

    #[test]
    fn a_meter_has_its_rows_and_bytes_of_a_day_and_the_first_of_each_reason() {
        let (noisy, other) = (Some(MeterId([1; 16])), Some(MeterId([2; 16])));
        let mut refused = Refused::default();
        refused.begin(Timestamp(5 * DAY_US));
        assert_eq!(kept(&mut refused, noisy, 1_000, 10), ROWS_MAX);
        assert_eq!(kept(&mut refused, other, 1_000, 1_024), BYTES_MAX / 1_024);
        let mut keeping = Keeping::default();
        assert!(refused.has_room(&mut keeping, noisy, "reading.equivocation", 10));
        assert!(!refused.has_room(&mut keeping, noisy, "reading.equivocation", 10), "within one batch, too");

        refused.begin(Timestamp(4 * DAY_US));
        assert_eq!(kept(&mut refused, noisy, 10, 10), 0, "a clock that goes back gives nothing");
        refused.begin(Timestamp(6 * DAY_US));
        assert_eq!(kept(&mut refused, noisy, 10, 10), 10);
    }

    #[test]
    fn whoever_invents_meters_shares_the_rows_of_one() {
        let mut refused = Refused::default();
        let mut rows = 0;
        for number in 0..4_000_u32 {
            let mut name = [0; 16];
            name[..4].copy_from_slice(&number.to_le_bytes());
            rows += kept(&mut refused, Some(MeterId(name)), 1, 10);
        }
        assert_eq!(rows, METERS_MAX + ROWS_MAX);
        assert!(refused.kept.len() <= METERS_MAX + 1);
    }
}
