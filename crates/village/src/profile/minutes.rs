//! Which minutes a household has rows for: one bit each, so that a duplicate is
//! found wherever it stands in a year's file.

use std::collections::BTreeMap;

const DAY_MIN: i64 = 1_440;
const WORDS: usize = 23;

/// A set of minutes since 1970.
#[derive(Debug, Default)]
pub struct Minutes(BTreeMap<i64, Box<[u64; WORDS]>>);

impl Minutes {
    /// Adds a minute; `false` when it is there already.
    pub fn insert(&mut self, minute: i64) -> bool {
        let (word, bit) = place(minute);
        let day = self.0.entry(minute.div_euclid(DAY_MIN)).or_insert_with(|| Box::new([0; WORDS]));
        let new = day[word] & bit == 0;
        day[word] |= bit;
        new
    }

    pub fn contains(&self, minute: i64) -> bool {
        let (word, bit) = place(minute);
        self.0.get(&minute.div_euclid(DAY_MIN)).is_some_and(|day| day[word] & bit != 0)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> {
        self.0.iter().flat_map(|(day, words)| {
            (0..DAY_MIN)
                .filter(|minute| {
                    let (word, bit) = place(*minute);
                    words[word] & bit != 0
                })
                .map(move |minute| day * DAY_MIN + minute)
        })
    }

    pub fn first(&self) -> Option<i64> {
        self.iter().next()
    }

    pub fn last(&self) -> Option<i64> {
        self.iter().next_back()
    }
}

fn place(minute: i64) -> (usize, u64) {
    let of_day = minute.rem_euclid(DAY_MIN);
    (usize::try_from(of_day / 64).unwrap_or(0), 1 << (of_day % 64))
}

#[cfg(test)]
mod tests {
    use super::Minutes;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(minutes in proptest::collection::vec(-3_000i64..3_000, 0..200)) {
            let mut ours = Minutes::default();
            let mut theirs = BTreeSet::new();
            for minute in minutes {
                prop_assert_eq!(ours.insert(minute), theirs.insert(minute));
                prop_assert!(ours.contains(minute));
            }
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), theirs.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!((ours.first(), ours.last()), (theirs.first().copied(), theirs.last().copied()));
        }
    }
}
