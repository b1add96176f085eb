//! How often something happened lately, by whom: in bounded memory, on the service clock.

use jirani_units::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Keys remembered at most; the one quiet for longest is forgotten first.
const KEYS_MAX: usize = 16_384;

/// Why it may not happen again now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooOften {
    /// The last time was only just now.
    TooSoon,
    /// It happened as often as it may in this time.
    TooMany,
}

/// At most so many in so many seconds, so many seconds apart.
pub struct Recent<K> {
    most: usize,
    within_s: i64,
    apart_s: i64,
    times: Mutex<HashMap<K, VecDeque<Timestamp>>>,
}

impl<K: Eq + Hash + Copy> Recent<K> {
    /// At most `most` in `within_s` seconds, `apart_s` seconds apart.
    pub fn new(most: usize, within_s: i64, apart_s: i64) -> Self {
        Self { most, within_s, apart_s, times: Mutex::default() }
    }

    /// Counts one more, if it may happen.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), TooOften> {
        let mut all = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEYS_MAX && !all.contains_key(&key) {
            let since = now.plus_seconds(-self.within_s);
            all.retain(|_, times| times.back().is_some_and(|last| *last > since));
            let oldest = all.iter().min_by_key(|(_, times)| times.back().copied()).map(|(key, _)| *key);
            if all.len() >= KEYS_MAX
                && let Some(oldest) = oldest
            {
                all.remove(&oldest);
            }
        }
        let times = all.entry(key).or_default();
        while times.front().is_some_and(|first| first.plus_seconds(self.within_s) <= now) {
            times.pop_front();
        }
        if times.back().is_some_and(|last| last.plus_seconds(self.apart_s) > now) {
            return Err(TooOften::TooSoon);
        }
        if times.len() >= self.most {
            return Err(TooOften::TooMany);
        }
        times.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_an_hour_and_not_one_right_after_another() {
        let recent = Recent::new(2, 3_600, 30);
        let at = |seconds| Timestamp::from_seconds(seconds);
        assert_eq!(recent.take(1, at(0)), Ok(()));
        assert_eq!(recent.take(1, at(29)), Err(TooOften::TooSoon));
        assert_eq!(recent.take(2, at(29)), Ok(()), "somebody else");
        assert_eq!(recent.take(1, at(30)), Ok(()));
        assert_eq!(recent.take(1, at(3_599)), Err(TooOften::TooMany));
        assert_eq!(recent.take(1, at(3_600)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let recent = Recent::new(1, 60, 0);
        for key in 0..KEYS_MAX + 100 {
            assert_eq!(recent.take(key, Timestamp::from_seconds(1)), Ok(()));
        }
        assert_eq!(recent.times.lock().unwrap().len(), KEYS_MAX);
    }
}
