//! Word from the gateway to the slots that readings have been stored.

use jirani_clock::Busy;
use jirani_units::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Wakes the slots after the grid was silent. The work stays counted as under way
/// until the slots have taken note: an advanced clock must not run past a slot's
/// end in between. Slots that are awake anyway are not disturbed.
#[derive(Clone, Default)]
pub struct Notice(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    told: Notify,
}

#[derive(Default)]
struct State {
    /// Somebody sleeps until told.
    listening: bool,
    /// Told since it was last asked.
    told: bool,
    /// Time of the latest reading anybody told of.
    latest: Option<Timestamp>,
    /// Work under way, handed to the listener.
    pending: Option<Busy>,
}

/// Sleeping until told; ends when dropped.
pub(crate) struct Listening(Notice);

impl Notice {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a reading, handing work under way to whoever listens.
    pub(crate) fn tell(&self, latest: Timestamp, busy: Busy) {
        let mut state = self.state();
        state.told = true;
        state.latest = state.latest.max(Some(latest));
        if state.listening {
            state.pending = Some(busy);
            self.0.told.notify_one();
        }
    }

    /// Time of the latest reading told of; counts as asked.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        let mut state = self.state();
        state.told = false;
        state.latest
    }

    /// Listens from now on; at once told when something was since it was last asked.
    pub(crate) fn listen(&self) -> Listening {
        let mut state = self.state();
        state.listening = true;
        if state.told {
            self.0.told.notify_one();
        }
        Listening(self.clone())
    }
}

impl Listening {
    /// Waits until told. Hold what is returned until the note has been taken.
    pub(crate) async fn told(&self) -> Option<Busy> {
        loop {
            let told = self.0.0.told.notified();
            {
                let mut state = self.0.state();
                if state.told {
                    return state.pending.take();
                }
            }
            told.await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.listening = false;
        state.pending = None;
    }
}

#[cfg(test)]
mod tests {
    use super::Notice;
    use jirani_clock::ServiceClock;
    use jirani_units::Timestamp;

    #[tokio::test]
    async fn a_listener_takes_over_the_work_and_nobody_else_is_kept_busy() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let notice = Notice::default();
        notice.tell(Timestamp(1), clock.busy());
        assert_eq!(clock.activity().count(), 0, "nobody listens");

        assert_eq!(notice.latest(), Some(Timestamp(1)));
        let listening = notice.listen();
        notice.tell(Timestamp(2), clock.busy());
        assert_eq!(clock.activity().count(), 1, "handed over");
        drop(listening.told().await);
        assert_eq!(clock.activity().count(), 0);
        assert_eq!(notice.latest(), Some(Timestamp(2)));
    }

    #[tokio::test]
    async fn what_was_told_just_before_listening_is_not_missed() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let notice = Notice::default();
        assert_eq!(notice.latest(), None);
        notice.tell(Timestamp(1), clock.busy());
        assert!(notice.listen().told().await.is_none());
    }
}
