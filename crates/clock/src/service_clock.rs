//! The clock itself.

use crate::activity::{Activity, Busy};
use jirani_units::{Clock, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;

/// Time for services: `now`, `sleep_until`, and the count of work under way.
#[derive(Clone)]
pub struct ServiceClock(Arc<Inner>);

struct Inner {
    mode: Mode,
    activity: Activity,
    persons: AtomicUsize,
}

enum Mode {
    System { read: fn() -> Timestamp, last: AtomicI64 },
    Advanced { now: AtomicI64, sleepers: Mutex<Sleepers>, next_key: AtomicU64 },
}

type Sleepers = BTreeMap<(i64, u64), oneshot::Sender<Busy>>;

/// A person is looking at an open prompt; a paced clock runs at 1x meanwhile.
#[must_use = "the person counts as present only while this is held"]
pub struct PersonPresent(Arc<Inner>);

impl Drop for PersonPresent {
    fn drop(&mut self) {
        self.0.persons.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ServiceClock {
    /// Follows `read` (the system's clock, read only in `main`), never backwards.
    pub fn system(read: fn() -> Timestamp) -> Self {
        Self::with_mode(Mode::System { read, last: AtomicI64::new(i64::MIN) })
    }

    /// Stands at `start` until [`ServiceClock::advance_to`] moves it.
    pub fn advanced_from(start: Timestamp) -> Self {
        Self::with_mode(Mode::Advanced {
            now: AtomicI64::new(start.0),
            sleepers: Mutex::default(),
            next_key: AtomicU64::new(0),
        })
    }

    fn with_mode(mode: Mode) -> Self {
        Self(Arc::new(Inner { mode, activity: Activity::default(), persons: AtomicUsize::new(0) }))
    }

    /// Work under way in this process.
    pub fn activity(&self) -> &Activity {
        &self.0.activity
    }

    /// Takes up work. Short for `activity().enter()`.
    pub fn busy(&self) -> Busy {
        self.0.activity.enter()
    }

    /// Waits until nothing is under way.
    pub async fn idle(&self) {
        self.0.activity.idle().await;
    }

    /// Says that a person looks at an open prompt.
    pub fn person_present(&self) -> PersonPresent {
        self.0.persons.fetch_add(1, Ordering::SeqCst);
        PersonPresent(self.0.clone())
    }

    /// How many persons look at open prompts.
    pub fn persons(&self) -> usize {
        self.0.persons.load(Ordering::SeqCst)
    }

    /// Whether this clock only moves by [`ServiceClock::advance_to`].
    pub fn is_advanced(&self) -> bool {
        matches!(self.0.mode, Mode::Advanced { .. })
    }

    /// Sleeps until `at` (returns at once when it has passed). The caller counts
    /// as busy from the moment it is woken until it drops what is returned.
    pub async fn sleep_until(&self, at: Timestamp) -> Busy {
        match &self.0.mode {
            Mode::System { .. } => {
                while let Ok(wait @ 1..) = u64::try_from(at.since(self.now())) {
                    tokio::time::sleep(Duration::from_micros(wait.min(60_000_000))).await;
                }
                self.busy()
            }
            Mode::Advanced { now, sleepers, next_key } => {
                let (woken, receiver) = oneshot::channel();
                let key = (at.0, next_key.fetch_add(1, Ordering::Relaxed));
                {
                    let mut sleepers = sleepers.lock().unwrap_or_else(PoisonError::into_inner);
                    // Under the lock that `advance_to` takes: no wake-up is missed.
                    if now.load(Ordering::SeqCst) >= at.0 {
                        return self.busy();
                    }
                    sleepers.insert(key, woken);
                }
                let _forget = Forget { clock: self, key };
                match receiver.await {
                    Ok(busy) => busy,
                    Err(_) => self.busy(),
                }
            }
        }
    }

    /// [`ServiceClock::sleep_until`] for who is busy now: the sleep is known to the
    /// driver before `busy` is let go, so it never finds everybody idle in between
    /// and passes `at` by.
    pub async fn rest_until(&self, busy: Busy, at: Timestamp) -> Busy {
        let mut sleep = std::pin::pin!(self.sleep_until(at));
        let first = std::future::poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context))).await;
        drop(busy);
        match first {
            Poll::Ready(busy) => busy,
            Poll::Pending => sleep.await,
        }
    }

    /// The earliest moment any service sleeps for; `None` when none does, or when
    /// the clock follows the system.
    pub fn next_due(&self) -> Option<Timestamp> {
        let Mode::Advanced { sleepers, .. } = &self.0.mode else { return None };
        let sleepers = sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.keys().next().map(|(at, _)| Timestamp(*at))
    }

    /// Moves an advanced clock to `to` and wakes whoever slept for that or less.
    /// Earlier times, and clocks that follow the system, are left as they are.
    pub fn advance_to(&self, to: Timestamp) {
        let Mode::Advanced { now, sleepers, .. } = &self.0.mode else { return };
        let mut sleepers = sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        now.fetch_max(to.0, Ordering::SeqCst);
        let later = sleepers.split_off(&(to.0.saturating_add(1), 0));
        for (_, sleeper) in std::mem::replace(&mut *sleepers, later) {
            // A sleeper that has gone drops the work it was handed.
            let _ = sleeper.send(self.busy());
        }
    }
}

impl Clock for ServiceClock {
    fn now(&self) -> Timestamp {
        match &self.0.mode {
            Mode::System { read, last } => {
                let now = read().0;
                Timestamp(last.fetch_max(now, Ordering::SeqCst).max(now))
            }
            Mode::Advanced { now, .. } => Timestamp(now.load(Ordering::SeqCst)),
        }
    }
}

struct Forget<'a> {
    clock: &'a ServiceClock,
    key: (i64, u64),
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Mode::Advanced { sleepers, .. } = &self.clock.0.mode {
            sleepers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_woken_sleeper_is_busy_before_the_driver_can_look() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                let _busy = clock.sleep_until(Timestamp(10)).await;
                clock.now()
            }
        });
        while clock.next_due().is_none() {
            tokio::task::yield_now().await;
        }
        clock.advance_to(Timestamp(12));
        assert_eq!(clock.activity().count(), 1);
        clock.idle().await;
        assert_eq!(sleeper.await.unwrap(), Timestamp(12));
    }

    #[tokio::test]
    async fn who_rests_is_known_to_sleep_before_the_clock_is_idle() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let busy = clock.busy();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                let _busy = clock.rest_until(busy, Timestamp(10)).await;
                clock.now()
            }
        });
        clock.idle().await;
        assert_eq!(clock.next_due(), Some(Timestamp(10)));
        clock.advance_to(Timestamp(10));
        clock.idle().await;
        assert_eq!(sleeper.await.unwrap(), Timestamp(10));
    }

    #[tokio::test]
    async fn a_cancelled_sleep_leaves_no_trace() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        tokio::select! {
            biased;
            _ = clock.sleep_until(Timestamp(10)) => panic!("woke early"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(clock.next_due(), None);
        clock.advance_to(Timestamp(11));
        assert_eq!(clock.activity().count(), 0);
    }

    #[test]
    fn time_never_goes_back() {
        let clock = ServiceClock::advanced_from(Timestamp(100));
        clock.advance_to(Timestamp(50));
        assert_eq!(clock.now(), Timestamp(100));
    }
}
