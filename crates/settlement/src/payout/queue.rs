//! Whether payouts go out now. Stored, so that a stop outlives a restart.
//!
//! | queue | event | next | effect |
//! |---|---|---|---|
//! | Open | our float is empty, or M-Pesa's door shut | Waiting | payouts wait with their holds |
//! | Waiting | its moment has come | Waiting | one payout goes out as a probe; the next moment is later |
//! | Waiting | a payout was paid | Open | all that wait go out |
//! | Open, Waiting | M-Pesa refuses our initiator | Stopped | nothing goes out, nothing is asked |
//! | Stopped | the operator resumes | Waiting, at once | one goes first: a password that is still wrong locks nothing |
//! | Stopped | anything else | Stopped | - |

use jirani_units::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The stored value's name.
pub(crate) const SETTING: &str = "payout-queue";
/// Seconds from probe to probe.
const PROBES_S: [i64; 5] = [60, 120, 300, 600, 900];

/// Whether payouts go out now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayoutQueue {
    /// They do.
    Open,
    /// They wait for float, or for M-Pesa's door to open.
    Waiting {
        /// Since when.
        since: Timestamp,
        /// When the next one is tried.
        probe_at: Timestamp,
        /// How often one was tried.
        probes: u32,
    },
    /// M-Pesa refuses our initiator: nothing goes out until the operator has mended
    /// it and resumes.
    Stopped {
        /// M-Pesa's code.
        code: String,
        /// Since when.
        since: Timestamp,
    },
}

/// What a payout's fate says of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QueueNews {
    Empty,
    BadInitiator { code: String },
    Flows,
    Resumed,
}

impl PayoutQueue {
    /// The next state, if `news` changes it.
    pub(crate) fn after(&self, news: &QueueNews, now: Timestamp) -> Option<Self> {
        match (self, news) {
            (Self::Open | Self::Waiting { .. }, QueueNews::BadInitiator { code }) => {
                Some(Self::Stopped { code: code.clone(), since: now })
            }
            (Self::Open, QueueNews::Empty) => {
                Some(Self::Waiting { since: now, probe_at: now.plus_seconds(PROBES_S[0]), probes: 0 })
            }
            (Self::Waiting { .. }, QueueNews::Flows) => Some(Self::Open),
            (Self::Stopped { .. }, QueueNews::Resumed) => {
                Some(Self::Waiting { since: now, probe_at: now, probes: 0 })
            }
            _ => None,
        }
    }

    /// As stored.
    pub(crate) fn to_setting(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Waiting { since, probe_at, probes } => {
                format!("waiting {} {} {probes}", since.0, probe_at.0)
            }
            Self::Stopped { code, since } => format!("stopped {} {code}", since.0),
        }
    }

    /// From what was stored.
    pub(crate) fn from_setting(text: &str) -> Option<Self> {
        let time = |text: &str| text.parse().ok().map(Timestamp);
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        match words[..] {
            ["open"] => Some(Self::Open),
            ["waiting", since, probe_at, probes] => Some(Self::Waiting {
                since: time(since)?,
                probe_at: time(probe_at)?,
                probes: probes.parse().ok()?,
            }),
            ["stopped", since, code] => Some(Self::Stopped { code: code.to_owned(), since: time(since)? }),
            _ => None,
        }
    }
}

/// What a payout that is planned may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Go,
    WaitUntil(Timestamp),
    /// Somebody wakes it when the operator resumes.
    Wait,
}

/// The queue of this process; changes are stored by who makes them.
pub(crate) struct Queue(Mutex<PayoutQueue>);

impl Default for Queue {
    fn default() -> Self {
        Self(Mutex::new(PayoutQueue::Open))
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, PayoutQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> PayoutQueue {
        self.lock().clone()
    }

    pub(crate) fn set(&self, queue: PayoutQueue) {
        *self.lock() = queue;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*self.lock(), PayoutQueue::Stopped { .. })
    }

    /// Asks for a turn to send. Of those who ask in one moment of a waiting queue
    /// one is let through.
    pub(crate) fn turn(&self, now: Timestamp) -> Turn {
        match &mut *self.lock() {
            PayoutQueue::Open => Turn::Go,
            PayoutQueue::Stopped { .. } => Turn::Wait,
            PayoutQueue::Waiting { probe_at, .. } if now < *probe_at => Turn::WaitUntil(*probe_at),
            PayoutQueue::Waiting { probe_at, probes, .. } => {
                let step = usize::try_from(*probes).unwrap_or(usize::MAX).min(PROBES_S.len() - 1);
                *probe_at = now.plus_seconds(PROBES_S[step]);
                *probes = probes.saturating_add(1);
                Turn::Go
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    #[test]
    fn the_queue_moves_as_its_table_says() {
        let at = |seconds| NOW.plus_seconds(seconds);
        let waiting = |wait_s| PayoutQueue::Waiting { since: NOW, probe_at: at(wait_s), probes: 0 };
        let stopped = || PayoutQueue::Stopped { code: "2001".to_owned(), since: NOW };
        let bad = || QueueNews::BadInitiator { code: "2001".to_owned() };
        for (queue, news, next) in [
            (PayoutQueue::Open, QueueNews::Empty, Some(waiting(60))),
            (PayoutQueue::Open, bad(), Some(stopped())),
            (PayoutQueue::Open, QueueNews::Flows, None),
            (PayoutQueue::Open, QueueNews::Resumed, None),
            (waiting(60), QueueNews::Empty, None),
            (waiting(60), bad(), Some(stopped())),
            (waiting(60), QueueNews::Flows, Some(PayoutQueue::Open)),
            (waiting(60), QueueNews::Resumed, None),
            (stopped(), QueueNews::Empty, None),
            (stopped(), bad(), None),
            (stopped(), QueueNews::Flows, None),
            (stopped(), QueueNews::Resumed, Some(waiting(0))),
        ] {
            assert_eq!(queue.after(&news, NOW), next, "{queue:?} {news:?}");
        }
    }

    #[test]
    fn a_waiting_queue_lets_one_through_at_a_time_and_rarer_and_rarer() {
        let queue = Queue::default();
        assert_eq!(queue.turn(NOW), Turn::Go);
        queue.set(queue.now().after(&QueueNews::Empty, NOW).unwrap());
        let mut now = NOW;
        for wait_s in [60, 60, 120, 300, 600, 900, 900] {
            let Turn::WaitUntil(at) = queue.turn(now) else { panic!("{:?}", queue.now()) };
            assert_eq!(at.since(now) / 1_000_000, wait_s);
            now = at;
            assert_eq!(queue.turn(now), Turn::Go);
        }
        queue.set(PayoutQueue::Stopped { code: "8006".to_owned(), since: now });
        assert_eq!(queue.turn(now), Turn::Wait);
    }

    #[test]
    fn the_queue_is_stored_as_it_is() {
        for queue in [
            PayoutQueue::Open,
            PayoutQueue::Waiting { since: NOW, probe_at: NOW.plus_seconds(60), probes: 3 },
            PayoutQueue::Stopped { code: "2001".to_owned(), since: NOW },
        ] {
            assert_eq!(PayoutQueue::from_setting(&queue.to_setting()), Some(queue));
        }
        assert_eq!(PayoutQueue::from_setting("closed"), None);
    }
}
