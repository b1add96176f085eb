//! Who guesses waits, longer each time: counted by account and address together, so that a
//! stranger elsewhere makes nobody wait but themselves.

use jirani_units::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Tries that cost no wait.
const FREE: u32 = 5;
/// The first wait, in seconds; each further one is twice as long.
const FIRST_S: i64 = 30;
/// The longest wait, in seconds.
const LONGEST_S: i64 = 3_600;
/// Pairs remembered at most; the one quiet for longest is forgotten first.
const PAIRS_MAX: usize = 16_384;

type Pair = ([u8; 32], IpAddr);

struct Tries {
    count: u32,
    last: Timestamp,
    until: Timestamp,
}

/// Not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: Timestamp,
}

/// Tries of late.
#[derive(Default)]
pub struct Backoff(Mutex<HashMap<Pair, Tries>>);

impl Backoff {
    /// Counts a try before anything is compared.
    pub fn begin(&self, name: &str, from: IpAddr, now: Timestamp) -> Result<(), Wait> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = pair(name, from);
        if all.len() >= PAIRS_MAX && !all.contains_key(&pair) {
            all.retain(|_, tries| tries.last.plus_seconds(LONGEST_S) > now);
            let oldest = all.iter().min_by_key(|(_, tries)| tries.last).map(|(pair, _)| *pair);
            if all.len() >= PAIRS_MAX
                && let Some(oldest) = oldest
            {
                all.remove(&oldest);
            }
        }
        let tries = all.entry(pair).or_insert(Tries { count: 0, last: now, until: now });
        if tries.until > now {
            return Err(Wait { until: tries.until });
        }
        tries.count = tries.count.saturating_add(1);
        tries.last = now;
        if let Some(over) = tries.count.checked_sub(FREE) {
            let wait = FIRST_S.saturating_mul(1_i64 << over.min(10));
            tries.until = now.plus_seconds(wait.min(LONGEST_S));
        }
        Ok(())
    }

    /// It was right: the count begins anew.
    pub fn forgive(&self, name: &str, from: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&pair(name, from));
    }
}

fn pair(name: &str, from: IpAddr) -> Pair {
    (Sha256::digest(name.as_bytes()).into(), from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_guesses_waits_longer_each_time_and_nobody_else_does() {
        let backoff = Backoff::default();
        let (here, there): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let mut now = Timestamp::from_seconds(0);
        for _ in 0..FREE {
            assert_eq!(backoff.begin("Amina", here, now), Ok(()));
        }
        for wait in [30, 60, 120, 240] {
            let until = now.plus_seconds(wait);
            assert_eq!(backoff.begin("Amina", here, until.plus_seconds(-1)), Err(Wait { until }));
            assert_eq!(backoff.begin("Amina", there, now), Ok(()), "from elsewhere nobody waits");
            backoff.forgive("Amina", there);
            assert_eq!(backoff.begin("Baraka", here, now), Ok(()), "nor for another name");
            backoff.forgive("Baraka", here);
            now = until;
            assert_eq!(backoff.begin("Amina", here, now), Ok(()));
        }
        backoff.forgive("Amina", here);
        assert_eq!(backoff.begin("Amina", here, now), Ok(()));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let backoff = Backoff::default();
        for number in 0..PAIRS_MAX + 50 {
            let _ = backoff.begin(&number.to_string(), [10, 0, 0, 1].into(), Timestamp::from_seconds(1));
        }
        assert_eq!(backoff.0.lock().unwrap().len(), PAIRS_MAX);
    }
}
