//! The last events that are more than a measurement, numbered, so that a live view whose
//! connection broke goes on where it was (`Last-Event-ID`).
//!
//! Bounded: whoever was away for longer is told to read everything anew. Numbers are of one
//! start of the server; an identity of an earlier start means the same.

use jirani_store::Event;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Events kept.
const KEPT: usize = 2_048;

/// Recent events, oldest first.
pub struct Recent {
    /// Tells this start of the server from others.
    start: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Events there have been.
    count: u64,
    kept: VecDeque<Event>,
}

/// What happened after a place among the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// These, and after the last of them the place is this.
    Events(Vec<Event>, u64),
    /// More than is kept; the place is now this.
    TooMuch(u64),
}

impl Recent {
    /// Nothing has happened yet in this start of the server.
    pub fn new(start: impl Into<String>) -> Self {
        Self { start: start.into(), state: Mutex::default() }
    }

    /// Keeps an event; measurements pass by, since the next one says more.
    pub fn note(&self, event: &Event) {
        if matches!(event, Event::Reading { .. }) {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(*event);
    }

    /// The place after everything so far.
    pub fn now(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// What came after `place`.
    pub fn since(&self, place: u64) -> Since {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = state.count - state.kept.len() as u64;
        match usize::try_from(place.wrapping_sub(first)) {
            Ok(skipped) if place >= first && place <= state.count => {
                Since::Events(state.kept.iter().skip(skipped).copied().collect(), state.count)
            }
            _ => Since::TooMuch(state.count),
        }
    }

    /// A place as the events' identity.
    pub fn id(&self, place: u64) -> String {
        format!("{}-{place}", self.start)
    }

    /// The place of an identity; `None` for one of another start, or of none of ours.
    pub fn place(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.start.as_str())?.strip_prefix('-')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::{HouseholdId, Timestamp};

    fn balance(household: u32) -> Event {
        Event::Balance(HouseholdId(household))
    }

    #[test]
    fn who_was_away_hears_what_happened_meanwhile_and_nothing_twice() {
        let recent = Recent::new("start");
        recent.note(&balance(1));
        let place = recent.place(&recent.id(recent.now())).unwrap();
        assert_eq!(recent.since(place), Since::Events(vec![], 1));
        let time = Timestamp::from_seconds(1);
        recent.note(&Event::Reading { household: HouseholdId(1), time, power_w: 7 });
        recent.note(&balance(2));
        recent.note(&balance(3));
        assert_eq!(recent.since(place), Since::Events(vec![balance(2), balance(3)], 3));
    }

    #[test]
    fn who_was_away_too_long_or_comes_from_elsewhere_reads_everything_anew() {
        let recent = Recent::new("start");
        for household in 0..=u32::try_from(KEPT).unwrap() {
            recent.note(&balance(household));
        }
        let end = KEPT as u64 + 1;
        assert_eq!(recent.since(0), Since::TooMuch(end));
        assert!(matches!(recent.since(1), Since::Events(events, _) if events.len() == KEPT));
        assert_eq!(recent.since(end + 1), Since::TooMuch(end), "a place that was never told");
        for id in ["", "start", "start-", "start--1", "other-1", "start-x"] {
            assert_eq!(recent.place(id), None, "{id}");
        }
    }
}
