//! The clock of an emulator that runs alone: it follows the system's, stands
//! still, or is moved on by hand. It never goes back.

use jirani_clock::ServiceClock;
use jirani_units::{Clock as _, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it follows.
const TICK: Duration = Duration::from_millis(10);
/// How long a leap waits for callbacks on their way, at each event.
const PATIENCE: Duration = Duration::from_secs(12);

/// A clock of the emulator's own.
#[derive(Clone)]
pub struct OwnClock {
    clock: ServiceClock,
    read: fn() -> Timestamp,
    frozen: Arc<AtomicBool>,
}

impl OwnClock {
    /// Stands at `start` until it follows `read`.
    pub fn new(start: Timestamp, read: fn() -> Timestamp, frozen: bool) -> Self {
        let clock = ServiceClock::advanced_from(start);
        Self { clock, read, frozen: Arc::new(AtomicBool::new(frozen)) }
    }

    /// The clock as the parts see it.
    pub fn clock(&self) -> ServiceClock {
        self.clock.clone()
    }

    /// Whether it stands still.
    pub fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::SeqCst)
    }

    /// Lets it stand still, or follow.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::SeqCst);
    }

    /// Follows until cancelled: as much time passes here as there.
    pub async fn follow(self, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = (self.read)();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let read = (self.read)();
            let passed = read.since(last).max(0);
            last = read;
            if !self.is_frozen() {
                self.clock.advance_to(Timestamp(self.clock.now().0.saturating_add(passed)));
            }
        }
    }

    /// Moves on to `to`, event by event, so that everything happens at its own
    /// moment and what follows from it is under way before the next.
    pub async fn advance(&self, to: Timestamp) {
        loop {
            self.rest().await;
            match self.clock.next_due() {
                Some(due) if due <= to => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(to);
        self.rest().await;
    }

    async fn rest(&self) {
        if tokio::time::timeout(PATIENCE, self.clock.idle()).await.is_err() {
            tracing::warn!("time goes on although something is still under way");
        }
    }
}
