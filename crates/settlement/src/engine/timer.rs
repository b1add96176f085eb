//! The one place that waits for a time: the earliest of all stored deadlines.
//!
//! Arming keeps the service busy until the sleep itself has been moved, so that a
//! clock driven from outside never jumps over a deadline that was just set.

use super::Key;
use jirani_clock::{Busy, ServiceClock};
use jirani_units::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Later than anything that is waited for.
const FAR_AWAY: Timestamp = Timestamp(i64::MAX - 1);

#[derive(Default)]
struct State {
    due: BTreeSet<(Timestamp, Key)>,
    at: HashMap<Key, Timestamp>,
    arming: Option<Busy>,
}

/// When to look at what.
#[derive(Default)]
pub(crate) struct Timer {
    state: Mutex<State>,
    changed: Notify,
}

impl Timer {
    /// Looks at `key` at `at`, unless it is looked at before that anyway.
    pub(crate) fn set_earlier(&self, key: Key, at: Timestamp, clock: &ServiceClock) {
        let state = self.lock();
        if state.at.get(&key).is_none_or(|set| at < *set) {
            self.change(state, key, Some(at), clock);
        }
    }

    /// Looks at `key` at `at`, instead of any time set before; `None` forgets it.
    pub(crate) fn set(&self, key: Key, at: Option<Timestamp>, clock: &ServiceClock) {
        self.change(self.lock(), key, at, clock);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        mut state: MutexGuard<'_, State>,
        key: Key,
        at: Option<Timestamp>,
        clock: &ServiceClock,
    ) {
        let first = state.due.first().copied();
        if let Some(old) = state.at.remove(&key) {
            state.due.remove(&(old, key));
        }
        if let Some(at) = at {
            state.due.insert((at, key));
            state.at.insert(key, at);
        }
        if state.due.first().map(|(at, _)| *at) != first.map(|(at, _)| at) {
            state.arming.get_or_insert_with(|| clock.busy());
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Calls `wake` for every key whose time has come, until cancelled. `wake` must
    /// take up work of its own before it returns.
    pub(crate) async fn run(&self, clock: &ServiceClock, cancel: &CancellationToken, wake: impl Fn(Key)) {
        loop {
            let (next, arming) = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                (state.due.first().map_or(FAR_AWAY, |(at, _)| *at), state.arming.take())
            };
            if next == FAR_AWAY {
                drop(arming);
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.changed.notified() => continue,
                }
            }
            let mut sleep = pin!(clock.sleep_until(next));
            // The first poll is what registers the sleep.
            let busy = match futures::poll!(sleep.as_mut()) {
                Poll::Ready(busy) => busy,
                Poll::Pending => {
                    drop(arming);
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = self.changed.notified() => continue,
                        busy = sleep => busy,
                    }
                }
            };
            for key in self.take_due(jirani_units::Clock::now(clock)) {
                wake(key);
            }
            drop(busy);
        }
    }

    fn take_due(&self, now: Timestamp) -> Vec<Key> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = Vec::new();
        while let Some((at, key)) = state.due.first().copied()
            && at <= now
        {
            state.due.remove(&(at, key));
            state.at.remove(&key);
            keys.push(key);
        }
        keys
    }

    /// Forgets everything: the service stops.
    pub(crate) fn clear(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::OrderId;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_driven_clock_never_jumps_over_a_deadline_set_while_it_was_idle() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let (timer, cancel) = (Arc::new(Timer::default()), CancellationToken::new());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let running = tokio::spawn({
            let (timer, clock, cancel, seen) = (timer.clone(), clock.clone(), cancel.clone(), seen.clone());
            async move {
                let wake = |key| seen.lock().unwrap().push((jirani_units::Clock::now(&clock), key));
                timer.run(&clock, &cancel, wake).await;
            }
        });
        let key = |number| Key::Order(OrderId(number));
        timer.set(key(1), Some(Timestamp(500)), &clock);
        clock.idle().await;
        timer.set(key(2), Some(Timestamp(20)), &clock);
        timer.set(key(3), Some(Timestamp(30)), &clock);
        timer.set(key(3), None, &clock);
        for at in [20, 500] {
            clock.idle().await;
            assert_eq!(clock.next_due(), Some(Timestamp(at)));
            clock.advance_to(Timestamp(at));
        }
        clock.idle().await;
        assert_eq!(*seen.lock().unwrap(), [(Timestamp(20), key(2)), (Timestamp(500), key(1))]);
        cancel.cancel();
        running.await.unwrap();
    }
}
