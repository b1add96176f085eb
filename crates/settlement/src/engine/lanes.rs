//! Lanes: each thing has a queue of its own, workers share all of them.
//!
//! A poke says "look at this"; pokes while a look waits are one look. A note is a
//! callback to be read in the lane. Waiters hear when a look has ended well.

use super::Key;
use jirani_clock::Busy;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, oneshot};

/// The most things that may be under way; new intents beyond it are refused.
const LANES_MAX: usize = 20_000;

/// How a run went for those who wait for it: `Err` says what a person must mend.
pub(crate) type Ended = Result<(), String>;

/// One run of a lane, held by a worker.
pub(crate) struct Job<N> {
    pub(crate) key: Key,
    /// Notes in the order they came.
    pub(crate) notes: VecDeque<N>,
    /// How often in a row the run was given up for want of an answer.
    pub(crate) failures: u32,
    waiters: Vec<oneshot::Sender<Ended>>,
    busy: Option<Busy>,
}

struct Lane<N> {
    running: bool,
    queued: bool,
    job: Job<N>,
}

struct State<N> {
    lanes: HashMap<Key, Lane<N>>,
    ready: VecDeque<Key>,
    closed: bool,
}

/// All lanes.
pub(crate) struct Lanes<N> {
    state: Mutex<State<N>>,
    ready: Semaphore,
}

impl<N> Job<N> {
    fn new(key: Key) -> Self {
        Self { key, notes: VecDeque::new(), failures: 0, waiters: Vec::new(), busy: None }
    }
}

impl<N> Lanes<N> {
    pub(crate) fn new() -> Self {
        let state = State { lanes: HashMap::new(), ready: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), ready: Semaphore::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State<N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a new intent may be taken on.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().lanes.len() < LANES_MAX
    }

    /// Asks for a look at `key`.
    pub(crate) fn poke(&self, key: Key, busy: Busy) {
        self.enqueue(key, busy, |_| {});
    }

    /// Hands a callback to `key`.
    pub(crate) fn note(&self, key: Key, note: N, busy: Busy) {
        self.enqueue(key, busy, |job| job.notes.push_back(note));
    }

    /// Asks for a look at `key` and hears of its end. The sender is dropped when
    /// the service stops first.
    pub(crate) fn wait(&self, key: Key, busy: Busy) -> oneshot::Receiver<Ended> {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(key, busy, |job| job.waiters.push(sender));
        receiver
    }

    fn enqueue(&self, key: Key, busy: Busy, add: impl FnOnce(&mut Job<N>)) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let lane = state.lanes.entry(key).or_insert_with(|| Lane {
            running: false,
            queued: false,
            job: Job::new(key),
        });
        add(&mut lane.job);
        lane.job.busy.get_or_insert(busy);
        if !lane.queued {
            lane.queued = true;
            if !lane.running {
                state.ready.push_back(key);
                drop(state);
                self.ready.add_permits(1);
            }
        }
    }

    /// The next run, when there is one; `None` once closed.
    pub(crate) async fn take(&self) -> Option<Job<N>> {
        loop {
            self.ready.acquire().await.ok()?.forget();
            let mut state = self.lock();
            let Some(key) = state.ready.pop_front() else { continue };
            let Some(lane) = state.lanes.get_mut(&key) else { continue };
            lane.running = true;
            lane.queued = false;
            let failures = lane.job.failures;
            let mut job = std::mem::replace(&mut lane.job, Job::new(key));
            lane.job.failures = failures;
            job.failures = failures;
            return Some(job);
        }
    }

    /// The run is over; those who waited for it hear how.
    pub(crate) fn finish(&self, job: Job<N>, ended: &Ended) {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(&job.key) {
            lane.running = false;
            lane.job.failures = 0;
            if lane.queued {
                state.ready.push_back(job.key);
                self.ready.add_permits(1);
            } else {
                state.lanes.remove(&job.key);
            }
        }
        drop(state);
        for waiter in job.waiters {
            // Whoever has stopped waiting needs no answer.
            let _ = waiter.send(ended.clone());
        }
    }

    /// The run got no answer from outside: it rests, still busy, until
    /// [`Lanes::retry`].
    pub(crate) fn rest(&self, job: Job<N>) {
        let mut state = self.lock();
        let Some(lane) = state.lanes.get_mut(&job.key) else { return };
        let since = std::mem::replace(&mut lane.job, job);
        lane.job.failures = lane.job.failures.saturating_add(1);
        lane.job.notes.extend(since.notes);
        lane.job.waiters.extend(since.waiters);
        if lane.job.busy.is_none() {
            lane.job.busy = since.busy;
        }
        // Still marked as running: pokes join it, nobody takes it up.
        lane.queued = true;
    }

    /// Takes a resting run up again.
    pub(crate) fn retry(&self, key: Key) {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(&key)
            && lane.running
        {
            lane.running = false;
            state.ready.push_back(key);
            self.ready.add_permits(1);
        }
    }

    /// No more runs; whatever waits is let go, as it is all stored.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.lanes.clear();
        state.ready.clear();
        self.ready.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_clock::Activity;
    use jirani_units::OrderId;

    const KEY: Key = Key::Order(OrderId(1));

    #[tokio::test]
    async fn a_poke_during_a_run_is_one_more_run_after_it() {
        let (lanes, activity) = (Lanes::<u8>::new(), Activity::default());
        lanes.note(KEY, 1, activity.enter());
        let job = lanes.take().await.unwrap();
        assert_eq!(job.notes, [1]);
        lanes.note(KEY, 2, activity.enter());
        let waiting = lanes.wait(KEY, activity.enter());
        assert_eq!(lanes.ready.available_permits(), 0, "one run of a lane at a time");
        lanes.finish(job, &Ok(()));
        let job = lanes.take().await.unwrap();
        assert_eq!(job.notes, [2]);
        lanes.finish(job, &Ok(()));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(activity.count(), 0);
    }

    #[tokio::test]
    async fn a_run_without_answer_stays_busy_and_keeps_what_it_was_given() {
        let (lanes, activity) = (Lanes::<u8>::new(), Activity::default());
        lanes.note(KEY, 1, activity.enter());
        let job = lanes.take().await.unwrap();
        lanes.note(KEY, 2, activity.enter());
        lanes.rest(job);
        assert_eq!(lanes.ready.available_permits(), 0);
        assert!(activity.count() > 0);
        lanes.retry(KEY);
        let job = lanes.take().await.unwrap();
        assert_eq!((job.notes.clone().into(), job.failures), (vec![1, 2], 1));
        lanes.finish(job, &Ok(()));
        assert_eq!(activity.count(), 0);
    }

    #[tokio::test]
    async fn closing_lets_go_of_those_who_wait() {
        let (lanes, activity) = (Lanes::<u8>::new(), Activity::default());
        let waiting = lanes.wait(KEY, activity.enter());
        lanes.close();
        assert!(waiting.await.is_err());
        assert!(lanes.take().await.is_none());
        assert_eq!(activity.count(), 0);
    }
}
