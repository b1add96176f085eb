//! How many live streams there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts open streams, in all and by session.
pub struct Streams {
    all_max: u32,
    session_max: u32,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: u32,
    by_session: HashMap<[u8; 32], u32>,
}

/// An open stream; counts until dropped.
pub struct OpenStream {
    open: Arc<Mutex<Open>>,
    session: [u8; 32],
}

impl Streams {
    /// So many in all, so many for one session.
    pub fn new(all_max: u32, session_max: u32) -> Self {
        Self { all_max, session_max, open: Arc::default() }
    }

    /// Opens one; `None` when there are too many.
    pub fn open(&self, session: [u8; 32]) -> Option<OpenStream> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_session.get(&session).copied().unwrap_or(0);
        if open.all >= self.all_max || own >= self.session_max {
            return None;
        }
        open.all += 1;
        open.by_session.insert(session, own + 1);
        Some(OpenStream { open: self.open.clone(), session })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.by_session.get_mut(&self.session) {
            *own -= 1;
            if *own == 0 {
                open.by_session.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_stream_makes_room_for_another() {
        let streams = Streams::new(3, 2);
        let first = streams.open([1; 32]);
        let second = streams.open([1; 32]);
        assert!(first.is_some() && second.is_some() && streams.open([1; 32]).is_none());
        let other = streams.open([2; 32]);
        assert!(other.is_some() && streams.open([3; 32]).is_none(), "three in all");
        drop(first);
        assert!(streams.open([1; 32]).is_some());
    }
}
