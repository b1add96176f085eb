//! Callbacks: stored first, answered second, read third.
//!
//! A callback says nothing by itself ([`matching`]). It is matched to an intent of ours by the
//! secret segment of its path, or by our reference (C2B); phones and names are
//! never looked at. What matches nothing, is malformed or comes too late is kept
//! with an outcome in words, and changes nothing.
//! How many are read at once is bounded; what is above waits in the store.

mod matching;

use crate::error::SettlementError;
use crate::interruption::Moment;
use crate::service::Settlement;
use crate::step::Step;
use jirani_clock::Busy;
use jirani_store::{Change, InboxRow, NewCallback, StoreError};
pub(crate) use matching::{Heard, Paid};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How many callbacks are in lanes at once.
const READING_MAX: usize = 1_000;
/// Pause before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Which callbacks are being read.
#[derive(Default)]
pub(crate) struct Inbox {
    reading: Arc<Reading>,
    /// Busy on behalf of callbacks that wait in the store.
    backlog: Mutex<Option<Busy>>,
    more: Notify,
}

#[derive(Default)]
struct Reading {
    places: Mutex<Places>,
    freed: Notify,
}

#[derive(Default)]
struct Places {
    taken: HashSet<u64>,
    /// Given back since the page was asked for that is being pumped now: the page
    /// may still show them.
    given_back: Option<HashSet<u64>>,
}

/// A place among those being read; given back when dropped.
pub(crate) struct Place {
    id: u64,
    reading: Arc<Reading>,
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut places = self.reading.lock();
            places.taken.remove(&self.id);
            if let Some(given_back) = &mut places.given_back {
                given_back.insert(self.id);
            }
        }
        self.reading.freed.notify_one();
    }
}

/// Whether a callback found a place.
enum Placed {
    Here(Place),
    /// Somebody reads it, or has read it since the page was asked for.
    Seen,
    Full,
}

impl Reading {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn place(&self, id: u64) -> Placed {
        let mut places = self.reading.lock();
        if places.taken.contains(&id) || places.given_back.as_ref().is_some_and(|ids| ids.contains(&id)) {
            return Placed::Seen;
        }
        if places.taken.len() >= READING_MAX {
            return Placed::Full;
        }
        places.taken.insert(id);
        Placed::Here(Place { id, reading: self.reading.clone() })
    }

    fn page_begins(&self) {
        self.reading.lock().given_back = Some(HashSet::new());
    }

    fn pages_end(&self) {
        self.reading.lock().given_back = None;
    }
}

/// News in the lane of what it belongs to.
pub(crate) struct Note {
    /// The callback it came by; `None` when we found it ourselves.
    pub(crate) place: Option<Place>,
    pub(crate) heard: Heard,
}

impl Settlement {
    /// Keeps a callback; durable on return, and dealt with afterwards.
    pub async fn receive_callback(&self, callback: NewCallback) -> Result<(), SettlementError> {
        let busy = self.clock.busy();
        let id = self.store.receive(callback.clone()).await.map_err(SettlementError::Store)?;
        self.interruption.reached(Moment::CallbackStored);
        let row = InboxRow { id, callback, outcome: None };
        let backlog = match self.inbox.place(id) {
            Placed::Here(place) => match self.target(&row).await {
                Ok((key, heard)) => {
                    self.lanes.note(key, Note { place: Some(place), heard }, busy);
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(callback = id, %error, "a stored callback waits for the store");
                    busy
                }
            },
            // The pump was faster.
            Placed::Seen => return Ok(()),
            Placed::Full => busy,
        };
        self.inbox.backlog.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(backlog);
        self.inbox.more.notify_one();
        Ok(())
    }

    /// Hands every stored callback that nobody reads yet to its lane.
    pub(crate) async fn pump(&self) -> Result<(), StoreError> {
        let pumped = self.pump_pages().await;
        self.inbox.pages_end();
        pumped
    }

    async fn pump_pages(&self) -> Result<(), StoreError> {
        loop {
            self.inbox.page_begins();
            let rows = self.store.pending_callbacks(jirani_store::verbs::PAGE_MAX).await?;
            let is_last = rows.len() < jirani_store::verbs::PAGE_MAX as usize;
            let mut all_placed = true;
            for row in rows {
                let place = match self.inbox.place(row.id) {
                    Placed::Here(place) => place,
                    Placed::Seen => continue,
                    Placed::Full => {
                        all_placed = false;
                        break;
                    }
                };
                let (key, heard) = self.target(&row).await?;
                self.lanes.note(key, Note { place: Some(place), heard }, self.clock.busy());
            }
            if is_last && all_placed {
                return Ok(());
            }
            self.inbox.reading.freed.notified().await;
        }
    }

    /// Pumps whenever callbacks wait in the store, until cancelled.
    pub(crate) async fn pump_until(&self, cancel: &CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.inbox.more.notified() => {}
            }
            let busy = self.inbox.backlog.lock().unwrap_or_else(PoisonError::into_inner).take();
            loop {
                let pumped = tokio::select! {
                    () = cancel.cancelled() => return,
                    pumped = self.pump() => pumped,
                };
                let Err(error) = pumped else { break };
                tracing::warn!(%error, "callbacks wait for the store");
                tokio::time::sleep(STORE_PAUSE).await;
            }
            drop(busy);
        }
    }
}

/// Marks a callback as dealt with, in the commit of what it changed.
pub(crate) fn done(step: &mut Step, id: u64) {
    let outcome = step.outcome.clone();
    step.change(Change::InboxDone { id, outcome });
}
