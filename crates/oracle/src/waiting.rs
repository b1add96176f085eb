//! How many messages of each meter wait for the batcher: one that floods fills its own
//! places, never the others'.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Messages of one meter that may wait. A meter has one under way, and sends it again
/// until it is acknowledged.
pub(crate) const WAITING_MAX: usize = 64;

/// The places, by topic.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashMap<String, usize>>>);

/// A place that is given back when dropped.
pub(crate) struct Place {
    waiting: Waiting,
    topic: String,
}

impl Waiting {
    /// A place for a message on `topic`; none when all of that topic are taken.
    pub(crate) fn place(&self, topic: &str) -> Option<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.entry(topic.to_owned()).or_default();
        if *taken >= WAITING_MAX {
            return None;
        }
        *taken += 1;
        Some(Place { waiting: self.clone(), topic: topic.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.topic) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.topic);
            }
        }
    }
}
