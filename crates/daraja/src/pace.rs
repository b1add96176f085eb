//! How fast we ask: Daraja's gateway cuts off who asks too often ("spike
//! arrest"), with 429 or a code of its own, before it looks at the request.
//!
//! Requests queue for their turn, in order; the queue is bounded by how long its
//! last one would wait. After a cut-off everybody waits, longer each time, and
//! the request that was cut off takes another turn: it was certainly not taken on.

use crate::mpesa::SendError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How fast we ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The least time between two requests; zero for none.
    pub every: Duration,
    /// Requests that may go at once after a quiet time, at least 1.
    pub burst: u32,
    /// The longest a request waits for its turn, cut-offs included; what would
    /// wait longer is not sent.
    pub patience: Duration,
    /// The rest after the first cut-off; it doubles with each further one up to
    /// 32 times this, and a request that gets through ends it.
    pub rest: Duration,
}

impl Default for Pace {
    /// As fast as asked for, with a rest after a cut-off.
    fn default() -> Self {
        Self {
            every: Duration::ZERO,
            burst: 1,
            patience: Duration::from_secs(20),
            rest: Duration::from_millis(250),
        }
    }
}

impl Pace {
    /// What Safaricom's sandbox was seen to allow: 5 requests a minute, one at a
    /// time (daraja.md, section 3).
    pub fn safaricom_sandbox() -> Self {
        Self { every: Duration::from_secs(12), patience: Duration::from_mins(2), ..Self::default() }
    }
}

/// Keeps the pace.
pub(crate) struct Turns {
    pace: Pace,
    state: Mutex<State>,
}

struct State {
    /// When the next turn would be if there were no burst.
    next: Option<Instant>,
    /// Nobody goes before.
    closed_until: Option<Instant>,
    cut_offs: u32,
}

impl Turns {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, state: Mutex::new(State { next: None, closed_until: None, cut_offs: 0 }) }
    }

    /// When a request that begins to wait now gives up.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.pace.patience
    }

    /// Waits for a turn; not sent if it would come after the deadline.
    pub(crate) async fn take(&self, deadline: Instant) -> Result<(), SendError> {
        let mut turn = self.reserve(Instant::now(), deadline)?;
        loop {
            sleep_until(turn).await;
            // The gate may have closed while this one waited.
            match self.lock().closed_until {
                Some(until) if until > turn && until > Instant::now() => turn = until,
                _ => return Ok(()),
            }
            if turn > deadline {
                return Err(too_many());
            }
        }
    }

    /// The next turn, taken; nothing is taken when it would come too late.
    fn reserve(&self, now: Instant, deadline: Instant) -> Result<Instant, SendError> {
        let mut state = self.lock();
        let allowance = self.pace.every * self.pace.burst.saturating_sub(1);
        // Turns not used are lost above the burst.
        let earliest = now.checked_sub(allowance).unwrap_or(now);
        let slot = state.next.map_or(earliest, |next| next.max(earliest));
        let turn = slot.max(now).max(state.closed_until.unwrap_or(now));
        if turn > deadline {
            return Err(too_many());
        }
        state.next = Some(slot + self.pace.every);
        Ok(turn)
    }

    /// A request was cut off: everybody rests. `retry_after` is the gateway's own
    /// word, if it gave one.
    pub(crate) fn cut_off(&self, retry_after: Option<Duration>) {
        let rest = self.close(Instant::now(), retry_after);
        tracing::warn!(rest_ms = rest.as_millis(), "M-Pesa cuts us off; requests wait");
    }

    fn close(&self, now: Instant, retry_after: Option<Duration>) -> Duration {
        let mut state = self.lock();
        let rest = self.pace.rest * (1 << state.cut_offs.min(5));
        let rest = retry_after.map_or(rest, |told| told.clamp(rest, Duration::from_mins(5)));
        state.cut_offs = state.cut_offs.saturating_add(1);
        let until = now + rest;
        state.closed_until = Some(state.closed_until.map_or(until, |before| before.max(until)));
        rest
    }

    /// A request got through.
    pub(crate) fn passed(&self) {
        self.lock().cut_offs = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many() -> SendError {
    SendError::NotSent {
        code: "mpesa.too_many_waiting".to_owned(),
        message: "too many requests wait for M-Pesa; try again later".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(every_ms: u64, burst: u32) -> Turns {
        let pace = Pace {
            every: Duration::from_millis(every_ms),
            burst,
            patience: Duration::from_secs(1),
            rest: Duration::from_millis(100),
        };
        Turns::new(pace)
    }

    /// How long a request that comes now waits for its turn.
    fn waits_ms(turns: &Turns, now: Instant) -> Option<u128> {
        let turn = turns.reserve(now, now + turns.pace.patience);
        turn.ok().map(|turn| turn.saturating_duration_since(now).as_millis())
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_turn() {
        let (turns, now) = (turns(200, 3), Instant::now());
        let waits: Vec<_> = (0..6).map(|_| waits_ms(&turns, now)).collect();
        assert_eq!(waits, [Some(0), Some(0), Some(0), Some(200), Some(400), Some(600)]);
        let later = now + Duration::from_mins(1);
        let waits: Vec<_> = (0..4).map(|_| waits_ms(&turns, later)).collect();
        assert_eq!(waits, [Some(0), Some(0), Some(0), Some(200)], "a quiet time earns one burst");
    }

    #[test]
    fn who_would_wait_too_long_is_not_sent_and_takes_no_turn() {
        let (turns, now) = (turns(400, 1), Instant::now());
        let waits: Vec<_> = (0..5).map(|_| waits_ms(&turns, now)).collect();
        assert_eq!(waits, [Some(0), Some(400), Some(800), None, None]);
        assert_eq!(waits_ms(&turns, now + Duration::from_millis(400)), Some(800));
    }

    #[test]
    fn a_cut_off_lets_everybody_rest_longer_each_time() {
        let (turns, mut now) = (turns(0, 1), Instant::now());
        for expected in [100, 200, 400] {
            turns.close(now, None);
            assert_eq!(waits_ms(&turns, now), Some(expected));
            now += Duration::from_secs(10);
        }
        turns.passed();
        turns.close(now, None);
        assert_eq!(waits_ms(&turns, now), Some(100), "one that got through ends it");
        turns.close(now, Some(Duration::from_millis(700)));
        assert_eq!(waits_ms(&turns, now), Some(700), "the gateway's own word");
        turns.close(now, Some(Duration::from_mins(2)));
        assert_eq!(waits_ms(&turns, now), None, "longer than the patience");
    }
}
