//! Commands to relays: from the store, where settlement orders them, to the meters.
//!
//! A command goes out when it is ordered and again with every acknowledgement of its
//! meter's readings, until a reading says that it was obeyed or its time is over. So a
//! meter that was off hears it when it comes back, and one that heard it twice does
//! nothing the second time. That it was obeyed is kept before anybody is told.

use crate::known::Known;
use jirani_market::shortfall::RelayPosition;
use jirani_meter::{Action, Command, Reading, Relay};
use jirani_store::{Change, Event, Events, ReadingRow, RelayRecord, Store, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

/// Real time after which the store is asked anew: another process may have ordered.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The same after it could not be asked.
const ASK_SOON: Duration = Duration::from_secs(1);

/// What is to be told to whom.
pub(crate) struct Relays {
    store: Arc<dyn Store>,
    events: Events,
    heard: Receiver<Event>,
    /// Something may have been ordered since `pending` was read.
    stale: bool,
    /// Something may have been ordered that has not gone out to all.
    untold: bool,
    /// When the store is asked anew, whatever was heard.
    ask_at: Instant,
    pending: HashMap<MeterId, RelayRecord>,
    /// Commands that went out as soon as they were ordered.
    told: HashMap<HouseholdId, u64>,
}

impl Relays {
    pub(crate) fn new(store: Arc<dyn Store>, events: Events) -> Self {
        let heard = events.subscribe();
        let (pending, told) = (HashMap::new(), HashMap::new());
        Self { store, events, heard, stale: true, untold: true, ask_at: Instant::now(), pending, told }
    }

    /// Waits until something may have been ordered. May be dropped at any time.
    pub(crate) async fn woken(&mut self) {
        while !self.untold {
            match tokio::time::timeout_at(self.ask_at, self.heard.recv()).await {
                Ok(Ok(Event::Relay(_)) | Err(RecvError::Lagged(_))) | Err(_) => {
                    (self.stale, self.untold) = (true, true);
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Closed)) => std::future::pending().await,
            }
        }
    }

    /// Commands that have not gone out yet.
    pub(crate) async fn ordered(&mut self, known: &Known, now: Timestamp) -> Vec<Command> {
        self.refresh(known).await;
        self.untold = false;
        self.ask_at = Instant::now() + if self.stale { ASK_SOON } else { ASK_AGAIN };
        let mut due: Vec<_> = self.pending.iter().filter(|(_, record)| !is_void(record, now)).collect();
        due.sort_unstable_by_key(|(_, record)| record.household);
        due.retain(|(_, record)| {
            let before = self.told.insert(record.household, record.number);
            before.is_none_or(|number| number < record.number)
        });
        due.into_iter().map(|(meter, record)| command(*meter, record)).collect()
    }

    /// Reads what these readings say of relays, keeps it, and gives the commands that
    /// their meters have not obeyed: to go out before the acknowledgements.
    pub(crate) async fn after(
        &mut self,
        accepted: &[ReadingRow],
        known: &Known,
        now: Timestamp,
    ) -> Vec<Command> {
        self.listen();
        self.refresh(known).await;
        let mut commands: Vec<Command> = Vec::new();
        for row in accepted {
            let Some(record) = self.pending.get(&row.meter) else { continue };
            if has_obeyed(row, record) {
                self.obeyed(row).await;
                commands.retain(|command| command.meter != row.meter.0);
            } else if !is_void(record, now) && commands.iter().all(|command| command.meter != row.meter.0) {
                commands.push(command(row.meter, record));
            }
        }
        commands
    }

    /// Whether something was announced meanwhile; never waits.
    fn listen(&mut self) {
        loop {
            match self.heard.try_recv() {
                Ok(Event::Relay(_)) | Err(TryRecvError::Lagged(_)) => {
                    (self.stale, self.untold) = (true, true);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    async fn refresh(&mut self, known: &Known) {
        if !self.stale {
            return;
        }
        match self.store.pending_relays().await {
            Ok(records) => {
                let by_meter = |record: RelayRecord| Some((known.meter_of(record.household)?, record));
                self.pending = records.into_iter().filter_map(by_meter).collect();
                self.stale = false;
            }
            // Stays stale: asked again with the next batch.
            Err(error) => tracing::warn!("commands to relays cannot be read: {error}"),
        }
    }

    async fn obeyed(&mut self, row: &ReadingRow) {
        let Some(record) = self.pending.remove(&row.meter) else { return };
        let household = record.household;
        let record = RelayRecord { obeyed_at: Some(row.time), ..record };
        match self.store.commit(vec![Change::Relay(record)]).await {
            Ok(_) => self.events.publish(Event::Relay(household)),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(%household, "an obeyed command cannot be kept: {error}"),
        }
        self.stale = true;
    }
}

fn command(meter: MeterId, record: &RelayRecord) -> Command {
    let action = match (record.position, record.not_after) {
        (RelayPosition::Closed, _) => Action::CloseRelay,
        (RelayPosition::Open, not_after) => {
            Action::OpenRelay { not_after_us: not_after.and_then(|at| u64::try_from(at.0).ok()).unwrap_or(1) }
        }
    };
    Command { meter: meter.0, number: record.number, action }
}

fn is_void(record: &RelayRecord, now: Timestamp) -> bool {
    record.not_after.is_some_and(|not_after| now >= not_after)
}

fn has_obeyed(row: &ReadingRow, record: &RelayRecord) -> bool {
    let wanted = match record.position {
        RelayPosition::Open => Relay::Open,
        RelayPosition::Closed => Relay::Closed,
    };
    Reading::decode(&row.bytes)
        .is_ok_and(|(reading, _)| reading.flags.obeyed(record.number) && reading.flags.relay() == wanted)
}
