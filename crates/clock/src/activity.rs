//! Who is working right now, as one number.
//!
//! Work that is handed from one part to another must be taken up (a new
//! [`Busy`]) before the giver lets go, so that the count never touches zero
//! while anything is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Counter of work under way, shared by all parts of one process.
#[derive(Clone, Default)]
pub struct Activity(Arc<Shared>);

#[derive(Default)]
struct Shared {
    count: AtomicUsize,
    rests: AtomicUsize,
    idle: Notify,
}

/// Work under way; ends when dropped.
#[must_use = "work counts as under way only while this is held"]
pub struct Busy(Activity);

impl Activity {
    /// Takes up work.
    pub fn enter(&self) -> Busy {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        Busy(self.clone())
    }

    /// How much work is under way.
    pub fn count(&self) -> usize {
        self.0.count.load(Ordering::SeqCst)
    }

    /// How often the last work under way has ended since the start.
    pub fn rests(&self) -> usize {
        self.0.rests.load(Ordering::SeqCst)
    }

    /// Waits until nothing is under way.
    pub async fn idle(&self) {
        loop {
            let notified = self.0.idle.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.0.rests.fetch_add(1, Ordering::SeqCst);
            self.0.0.idle.notify_waiters();
        }
    }
}
