//! The gateway: readings in, acknowledgements out.
//!
//! One task receives and puts what arrives into a bounded channel; this one takes
//! whatever is there (never waiting for more), decodes, verifies, judges, commits
//! once, and only then acknowledges everything of the batch. Commands to relays go out
//! before the acknowledgements of their meters ([`crate::relay`]).

use crate::counters::Counters;
use crate::error::GatewayError;
use crate::intake::{Decided, Intake};
use crate::known::{Known, latest};
use crate::link::{INBOUND, Inbound, Link, options};
use crate::notice::Notice;
use crate::refused::Refused;
use crate::relay::Relays;
use jirani_clock::ServiceClock;
use jirani_meter::{Ack, Command, Ed25519Signer};
use jirani_store::{Appended, Event, Events, Store, StoreError};
use jirani_units::{Clock as _, MeterId};
use rumqttc::{AsyncClient, QoS};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Most messages in one batch.
const MESSAGES_MAX: usize = 512;
/// Real time between attempts to commit, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// How the gateway reaches its broker.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// `mqtt://127.0.0.1:1883`; any MQTT 3.1.1 or 5 broker.
    pub url: String,
    /// Client id: `gateway`, or `gateway-<name>` when there are several.
    pub client_id: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Name of the shared subscription when several gateways split the load. The
    /// embedded broker has none.
    pub shared_group: Option<String>,
}

/// Takes readings from a broker into the store.
pub struct Gateway {
    link: Link,
    core: Core,
    inbound: mpsc::Receiver<Inbound>,
    subscribed: watch::Receiver<bool>,
}

struct Core {
    client: AsyncClient,
    connection: Arc<AtomicU64>,
    store: Arc<dyn Store>,
    signer: Ed25519Signer,
    clock: ServiceClock,
    events: Events,
    notice: Option<Notice>,
    counters: Counters,
    known: Known,
    refused: Refused,
    relays: Relays,
}

impl Gateway {
    /// Prepares; nothing is connected yet. `signer` is the key that meters have
    /// pinned. Learns from the store who is enrolled and what was said last.
    pub async fn new(
        config: GatewayConfig,
        store: Arc<dyn Store>,
        signer: Ed25519Signer,
        clock: ServiceClock,
        events: Events,
        counters: Counters,
    ) -> Result<Self, GatewayError> {
        let mut options = options(&config.url, &config.client_id)?;
        options.set_credentials(&config.username, &config.password);
        let filter = match &config.shared_group {
            Some(group) => format!("$share/{group}/v1/+/up"),
            None => "v1/+/up".to_owned(),
        };
        let known = Known::load(&*store).await?;
        let (sender, inbound) = mpsc::channel(INBOUND);
        let (subscribed_sender, subscribed) = watch::channel(false);
        let link = Link::new(options, filter, sender, subscribed_sender, clock.clone(), counters.clone());
        let core = Core {
            client: link.client.clone(),
            connection: link.connection.clone(),
            relays: Relays::new(store.clone(), events.clone()),
            store,
            signer,
            clock,
            events,
            notice: None,
            counters,
            known,
            refused: Refused::default(),
        };
        Ok(Self { link, core, inbound, subscribed })
    }

    /// Tells the slots of one process about readings (see [`crate::Slots::notice`]).
    #[must_use]
    pub fn with_notice(mut self, notice: Notice) -> Self {
        self.core.notice = Some(notice);
        self
    }

    /// True while the broker delivers readings to this gateway. What meters publish
    /// before that is lost by the broker, and sent again by them.
    pub fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.clone()
    }

    /// Runs until cancelled. A batch that has begun is finished and acknowledged.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), GatewayError> {
        let Self { link, mut core, mut inbound, subscribed: _ } = self;
        let stop_link = CancellationToken::new();
        let _stop_link_if_dropped = stop_link.clone().drop_guard();
        let receiving = tokio::spawn(link.run(stop_link.clone()));
        loop {
            let first = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                first = inbound.recv() => first,
                () = core.relays.woken() => {
                    core.tell_relays().await;
                    continue;
                }
            };
            let Some(first) = first else { break };
            let mut batch = vec![first];
            while batch.len() < MESSAGES_MAX {
                let Ok(next) = inbound.try_recv() else { break };
                batch.push(next);
            }
            if core.take(batch, &cancel).await.is_none() {
                break;
            }
        }
        stop_link.cancel();
        receiving.await.map_err(|error| GatewayError::LinkEnded(error.to_string()))
    }
}

impl Core {
    /// Takes a batch whole. `None` when cancelled before it could be committed:
    /// nothing was acknowledged then.
    async fn take(&mut self, batch: Vec<Inbound>, cancel: &CancellationToken) -> Option<()> {
        let mut retry = RETRY_FIRST;
        let decided = loop {
            match self.decide_and_commit(&batch).await {
                Ok(decided) => break decided,
                Err(error) => {
                    tracing::error!("readings cannot be kept, next attempt in {retry:?}: {error}");
                    tokio::select! {
                        () = cancel.cancelled() => return None,
                        () = tokio::time::sleep(retry) => {}
                    }
                    retry = (retry * 2).min(RETRY_LAST);
                }
            }
        };
        for inbound in &batch {
            // An identifier of an earlier connection could be another message's now.
            if inbound.connection == self.connection.load(Ordering::SeqCst) {
                self.client.ack(&inbound.publish).await.ok()?;
            }
        }
        let now = self.clock.now();
        for command in self.relays.after(&decided.accepted, &self.known, now).await {
            self.command(command, QoS::AtMostOnce).await?;
        }
        for ((meter, epoch), seqs) in decided.durable {
            for (first_seq, seq) in runs(&seqs) {
                self.acknowledge(Ack { meter: meter.0, epoch, first_seq, seq }).await?;
            }
        }
        let latest = decided.accepted.iter().map(|row| row.time).max();
        if let (Some(notice), Some(latest)) = (&self.notice, latest) {
            notice.tell(latest, self.clock.busy());
        }
        Some(())
    }

    /// Sent once: a meter that misses it sends its readings again, and is
    /// acknowledged again.
    async fn acknowledge(&self, ack: Ack) -> Option<()> {
        let topic = format!("v1/{}/ack", MeterId(ack.meter));
        match ack.sign(&self.signer) {
            Ok(bytes) => self.client.publish(topic, QoS::AtMostOnce, false, bytes.as_slice()).await.ok(),
            Err(error) => {
                tracing::error!("an acknowledgement could not be signed: {error}");
                Some(())
            }
        }
    }

    /// Tells meters what was ordered for them just now.
    async fn tell_relays(&mut self) {
        for command in self.relays.ordered(&self.known, self.clock.now()).await {
            if self.command(command, QoS::AtLeastOnce).await.is_none() {
                return;
            }
        }
    }

    async fn command(&self, command: Command, qos: QoS) -> Option<()> {
        let topic = format!("v1/{}/cmd", MeterId(command.meter));
        match command.sign(&self.signer) {
            Ok(bytes) => self.client.publish(topic, qos, false, bytes.as_slice()).await.ok(),
            Err(error) => {
                tracing::error!("a command could not be signed: {error}");
                Some(())
            }
        }
    }

    async fn decide_and_commit(&mut self, batch: &[Inbound]) -> Result<Decided, StoreError> {
        let intake = Intake {
            store: &*self.store,
            known: &mut self.known,
            refused: &self.refused,
            now: self.clock.now(),
            decided: Decided::default(),
        };
        let decided = intake.decide(batch.iter().map(|inbound| &inbound.publish)).await?;
        if !decided.accepted.is_empty() || !decided.quarantined.is_empty() {
            let appended =
                self.store.append_readings(decided.accepted.clone(), decided.quarantined.clone()).await?;
            self.note(&decided, &appended).await;
        }
        self.counters.duplicate(decided.duplicates);
        self.counters.rejected(decided.quarantined.len());
        self.refused.remember(&decided.fingerprints);
        Ok(decided)
    }

    /// After the commit: counts, remembers and announces.
    async fn note(&mut self, decided: &Decided, appended: &[Appended]) {
        let mut stale = false;
        for (row, appended) in decided.accepted.iter().zip(appended) {
            match appended {
                Appended::New => {
                    self.known.latest.insert(row.meter, latest(row));
                    self.counters.stored(1);
                    self.events.publish(Event::Reading {
                        household: row.household,
                        time: row.time,
                        power_w: row.power_w,
                    });
                }
                Appended::Duplicate => {
                    stale = true;
                    self.counters.duplicate(1);
                }
                Appended::Equivocation => {
                    stale = true;
                    self.counters.rejected(1);
                }
            }
        }
        if stale {
            // Another gateway has stored readings of the same meters.
            if let Err(error) = self.known.refresh_latest(&*self.store).await {
                tracing::warn!("the latest readings could not be read again: {error}");
            }
        }
    }
}

/// Consecutive numbers, as (first, last).
fn runs(seqs: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &seq in seqs {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seq) => *last = seq,
            _ => runs.push((seq, seq)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn only_consecutive_numbers_are_acknowledged_together() {
        let runs = |seqs: &[u64]| runs(&seqs.iter().copied().collect());
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[1, 2, 3, 7, 9, 10]), [(1, 3), (7, 7), (9, 10)]);
        assert_eq!(runs(&[u64::MAX]), [(u64::MAX, u64::MAX)]);
    }
}
