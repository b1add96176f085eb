//! Meters that are asked to prove their keys.
//!
//! A challenge goes out when an operator asks for it and again until it is answered: a
//! meter that was off hears it when it comes back. An answer proves the key to whoever
//! knows the bytes that were asked, so each is asked once and a replayed answer is none.

use crate::known::Known;
use jirani_meter::{Challenge, ChallengeAnswer};
use jirani_readings::Refusal;
use jirani_store::{
    Change, Event, Events, MeterEventRow, MeterRecord, MeterState, QuarantineRow, Store, StoreError,
};
use jirani_units::{MeterId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

/// Real time after which a challenge goes out again, and the store is asked anew.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Most bytes kept of an answer that is none.
const KEPT_MAX: usize = 256;

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
        if let Err(error) = known.refresh_enrolled(&*self.store).await {
            tracing::warn!("enrolments cannot be read: {error}");
            return Vec::new();
        }
        self.fresh_until = Instant::now() + ASK_AGAIN;
        match self.store.meters().await {
            Ok(meters) => meters.iter().filter_map(asked).collect(),
            Err(error) => {
                tracing::warn!("enrolments cannot be read: {error}");
                Vec::new()
            }
        }
    }

    /// Takes an answer. One that is wrong is kept in quarantine and changes nothing.
    pub(crate) async fn answered(
        &mut self,
        meter: MeterId,
        bytes: &[u8],
        now: Timestamp,
        events: &Events,
    ) -> Result<(), StoreError> {
        let record = self.store.meter(meter).await?;
        let answer = ChallengeAnswer::open(bytes).map_err(Refusal::from);
        let answer = answer.and_then(|answer| {
            let right = record.as_ref().is_some_and(|record| {
                answer.meter == meter.0
                    && answer.public_key == record.key
                    && Some(answer.nonce) == record.nonce
            });
            right.then_some(answer).ok_or(Refusal::WrongAnswer)
        });
        let record = match (answer, record) {
            (Ok(_), Some(record)) if record.state == MeterState::Challenged => record,
            // It has answered before: the broker delivers at least once.
            (Ok(_), _) => return Ok(()),
            (Err(refusal), _) => {
                tracing::warn!(%meter, "{refusal}");
                let row = QuarantineRow {
                    meter: Some(meter),
                    code: refusal.code().to_owned(),
                    detail: refusal.to_string(),
                    bytes: bytes[..bytes.len().min(KEPT_MAX)].to_vec(),
                    received_at: now,
                };
                return self.store.append_readings(Vec::new(), vec![row]).await.map(drop);
            }
        };
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

fn asked(record: &MeterRecord) -> Option<Challenge> {
    let nonce = record.nonce.filter(|_| record.state == MeterState::Challenged)?;
    Some(Challenge { meter: record.meter.0, nonce })
}
