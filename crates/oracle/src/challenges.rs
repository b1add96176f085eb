//! Meters that are asked to prove their keys.
//!
//! A challenge goes out when an operator asks for it and again until it is answered: a
//! meter that was off hears it when it comes back. An answer proves the key to whoever
//! knows the bytes that were asked, so each is asked once and a replayed answer is none.
//! What is no answer was refused before it came here ([`crate::intake`]), like any message.

use crate::known::{Asked, Known};
use jirani_meter::{Challenge, ChallengeAnswer};
use jirani_store::{Change, Event, Events, MeterEventRow, MeterRecord, MeterState, Store, StoreError};
use jirani_units::{MeterId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

/// Real time after which a challenge goes out again, and the store is asked anew.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Who is asked, and whether enrolments may have changed.
pub(crate) struct Challenges {
    store: Arc<dyn Store>,
    heard: Receiver<Event>,
    stale: bool,
    ask_at: Instant,
    /// Until when what is known of enrolments is believed without word of a change: other
    /// processes, whose word is not heard here, change them, too.
    fresh_until: Instant,
}

impl Challenges {
    pub(crate) fn new(store: Arc<dyn Store>, events: &Events) -> Self {
        let now = Instant::now();
        Self { store, heard: events.subscribe(), stale: false, ask_at: now, fresh_until: now + ASK_AGAIN }
    }

    /// Whether somebody is to be asked now, or enrolments are to be read anew.
    pub(crate) fn are_due(&self) -> bool {
        self.stale || self.ask_at <= Instant::now()
    }

    /// Waits until an enrolment may have changed. May be dropped at any time.
    pub(crate) async fn woken(&mut self) {
        while !self.stale {
            match tokio::time::timeout_at(self.ask_at, self.heard.recv()).await {
                Ok(Ok(Event::Meter(_)) | Err(RecvError::Lagged(_))) | Err(_) => self.stale = true,
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Closed)) => std::future::pending().await,
            }
        }
    }

    /// Has `known` know of enrolments that changed, before readings are judged by it.
    pub(crate) async fn catch_up(&mut self, known: &mut Known) -> Result<(), StoreError> {
        let mut changed = false;
        loop {
            match self.heard.try_recv() {
                Ok(Event::Meter(_)) | Err(TryRecvError::Lagged(_)) => changed = true,
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.stale |= changed;
        if changed || self.fresh_until <= Instant::now() {
            known.refresh_enrolled(&*self.store).await?;
            self.fresh_until = Instant::now() + ASK_AGAIN;
        }
        Ok(())
    }

    /// Whom to ask now.
    pub(crate) async fn due(&mut self, known: &mut Known) -> Vec<Challenge> {
        (self.stale, self.ask_at) = (false, Instant::now() + ASK_AGAIN);
        match known.refresh_enrolled(&*self.store).await {
            Ok(()) => {
                self.fresh_until = Instant::now() + ASK_AGAIN;
                known.challenges()
            }
            Err(error) => {
                tracing::warn!("enrolments cannot be read: {error}");
                Vec::new()
            }
        }
    }

    /// Takes an answer that was right by what is known. By what is stored it may be an old
    /// one: then it changes nothing.
    pub(crate) async fn answered(
        &mut self,
        meter: MeterId,
        answer: &ChallengeAnswer,
        now: Timestamp,
        events: &Events,
    ) -> Result<(), StoreError> {
        let record = self.store.meter(meter).await?;
        let asked = |record: &MeterRecord| Asked::of(record).is_some_and(|asked| asked.is_met_by(answer));
        let Some(record) = record.filter(asked) else { return Ok(()) };
        let event = MeterEventRow {
            meter,
            household: Some(record.household),
            at: now,
            by: "gateway".to_owned(),
            code: "meter.answered".to_owned(),
            detail: "it has proven that it has its key".to_owned(),
        };
        let record = MeterRecord { state: MeterState::Answered, answered_at: Some(now), ..record };
        let changes = vec![Change::Meter(Box::new(record)), Change::MeterEvent(event)];
        match self.store.commit(changes).await {
            // Another gateway has heard it, too.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
        events.publish(Event::Meter(meter));
        Ok(())
    }
}
