//! The gateway: readings in, acknowledgements out.
//!
//! One task receives and puts what arrives into a bounded channel; this one takes
//! whatever is there (never waiting for more), decodes, verifies, judges, commits
//! once, and only then acknowledges everything of the batch. Commands to relays go out
//! before the acknowledgements of their meters ([`crate::relay`]).

use crate::challenges::Challenges;
use crate::counters::Counters;
use crate::early::Early;
use crate::error::GatewayError;
use crate::intake::{Decided, Intake};
use crate::journal::Remarked;
use crate::known::{Known, latest};
use crate::link::{INBOUND, Inbound, Link, options};
use crate::notice::Notice;
use crate::refused::Refused;
use crate::relay::Relays;
use crate::tally::Tally;
use crate::tls::GatewayTls;
use jirani_clock::ServiceClock;
use jirani_meter::{Ack, Command, Ed25519Signer};
use jirani_store::{Appended, Event, Events, RefusalCount, Store, StoreError};
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

/// Real time between two commits of what was refused, at least.
const KEEP_REFUSALS: Duration = Duration::from_secs(5);

/// How the gateway reaches its broker.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// `mqtt://127.0.0.1:1883`; any MQTT 3.1.1 or 5 broker.
    pub url: String,
    /// Client id: begins with `gateway`, and is no other client's. One that can be guessed
    /// lets whoever the broker lets in end this connection (`jirani_broker::own_client_id`).
    pub client_id: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Name of the shared subscription when several gateways split the load: each message
    /// goes to one of them. Their client ids must differ.
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
    /// Other gateways store readings, too: what this one knows may be old.
    shares: bool,
    early: Early,
    challenges: Challenges,
    remarked: Remarked,
    refusals_kept_at: Option<tokio::time::Instant>,
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
            challenges: Challenges::new(store.clone(), &events),
            remarked: Remarked::default(),
            store,
            signer,
            clock,
            events,
            notice: None,
            counters,
            known,
            refused: Refused::default(),
            shares: config.shared_group.is_some(),
            early: Early::default(),
            refusals_kept_at: None,
        };
        Ok(Self { link, core, inbound, subscribed })
    }

    /// Tells the slots of one process about readings (see [`crate::Slots::notice`]).
    #[must_use]
    pub fn with_notice(mut self, notice: Notice) -> Self {
        self.core.notice = Some(notice);
        self
    }

    /// Believes only brokers that these authorities vouch for, and shows the gateway's own
    /// certificate if there is one. `gateway.bad_tls` when a text is no certificate or key.
    pub fn with_tls(mut self, tls: &GatewayTls) -> Result<Self, GatewayError> {
        self.link.set_transport(tls.transport()?);
        Ok(self)
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
                () = core.early.look() => {
                    if core.take(Vec::new(), &cancel).await.is_none() {
                        break;
                    }
                    continue;
                }
                () = core.relays.woken() => {
                    core.tell_relays().await;
                    core.keep_refusals().await;
                    continue;
                }
                () = core.challenges.woken() => {
                    core.challenge().await;
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
            // Readings that never end must not keep meters from being challenged.
            if core.challenges.are_due() {
                core.challenge().await;
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
        let batch = self.in_order(batch, cancel).await?;
        if batch.is_empty() {
            return Some(());
        }
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

    /// What of a batch, and of what waits, can be judged now. With other gateways beside
    /// this one, what the meters said last is read anew first.
    async fn in_order(&mut self, batch: Vec<Inbound>, cancel: &CancellationToken) -> Option<Vec<Inbound>> {
        if !self.shares {
            return Some(batch);
        }
        let meters = self.early.meters(&batch);
        let mut retry = RETRY_FIRST;
        while let Err(error) = self.known.refresh_latest_of(&*self.store, meters.clone()).await {
            tracing::error!("the latest readings cannot be read, next attempt in {retry:?}: {error}");
            tokio::select! {
                () = cancel.cancelled() => return None,
                () = tokio::time::sleep(retry) => {}
            }
            retry = (retry * 2).min(RETRY_LAST);
        }
        Some(self.early.sort(batch, &self.known))
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

    /// Learns who is enrolled now, and asks meters to prove their keys.
    async fn challenge(&mut self) {
        for challenge in self.challenges.due(&mut self.known).await {
            let topic = format!("v1/{}/cmd", MeterId(challenge.meter));
            match challenge.sign(&self.signer) {
                Ok(bytes) => {
                    let sent = self.client.publish(topic, QoS::AtLeastOnce, false, bytes.as_slice()).await;
                    if sent.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::error!("a challenge could not be signed: {error}"),
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
        let mut decided = loop {
            self.challenges.catch_up(&mut self.known).await?;
            let now = self.clock.now();
            self.refused.begin(now);
            let intake = Intake {
                store: &*self.store,
                known: &mut self.known,
                refused: &self.refused,
                now,
                decided: Decided::default(),
            };
            let mut decided = intake.decide(batch.iter().map(|inbound| &inbound.publish)).await?;
            self.keep_spans(&mut decided, now).await?;
            for (meter, answer) in std::mem::take(&mut decided.answers) {
                self.challenges.answered(meter, &answer, now, &self.events).await?;
            }
            if decided.accepted.is_empty() && decided.quarantined.is_empty() {
                break decided;
            }
            // Also those of whom nothing is kept but an acknowledgement: it makes them forget.
            let meters: BTreeSet<MeterId> = decided.durable.keys().map(|(meter, _)| *meter).collect();
            let judged_by = meters.iter().map(|meter| self.known.judged_by(*meter)).collect();
            let (accepted, quarantined) = (decided.accepted.clone(), decided.quarantined.clone());
            if let Some(appended) = self.store.append_judged(accepted, quarantined, judged_by).await? {
                self.note(&decided, &appended).await;
                break decided;
            }
            // Another gateway has stored readings of these meters since, or one of them was
            // replaced or retired, by whichever process: they are judged again.
            self.known.refresh_enrolled(&*self.store).await?;
            self.known.refresh_latest_of(&*self.store, meters.into_iter().collect()).await?;
        };
        for (meter, code) in &decided.refusals {
            self.counters.tally().refuse(*meter, code);
        }
        self.keep_refusals().await;
        self.counters.duplicate(decided.duplicates);
        self.counters.rejected(decided.quarantined.len());
        self.refused.remember(&decided.fingerprints, std::mem::take(&mut decided.keeping));
        Ok(decided)
    }

    /// Keeps what must be there before the readings are: spans that begin with them, holds
    /// on meters that said two things, and what is remarkable.
    async fn keep_spans(
        &mut self,
        decided: &mut Decided,
        now: jirani_units::Timestamp,
    ) -> Result<(), StoreError> {
        let mut changes = std::mem::take(&mut decided.changes);
        let begun = !changes.is_empty();
        for meter in &decided.equivocal {
            changes.extend(crate::journal::hold(&*self.store, *meter, "reading.equivocation", now).await?);
        }
        changes.extend(self.remarked.rows(&decided.remarks, &self.known, now));
        if changes.is_empty() {
            return Ok(());
        }
        let kept = self.store.commit(changes).await.map(drop);
        if begun || kept.is_err() {
            // Somebody else may have kept the same: what stands in the store is judged anew.
            self.known.refresh_enrolled(&*self.store).await?;
        }
        if kept.is_err() {
            let meters = decided.durable.keys().map(|(meter, _)| *meter).collect();
            self.known.refresh_latest_of(&*self.store, meters).await?;
        }
        kept?;
        self.remarked.remember(&decided.remarks, now);
        for meter in &decided.equivocal {
            self.events.publish(Event::Meter(*meter));
        }
        Ok(())
    }

    /// Keeps the counts of what was refused where the operator's desk finds them, now and then.
    async fn keep_refusals(&mut self) {
        if self.refusals_kept_at.is_some_and(|at| at.elapsed() < KEEP_REFUSALS) {
            return;
        }
        let news = self.counters.tally().news();
        if news.is_empty() {
            return;
        }
        self.refusals_kept_at = Some(tokio::time::Instant::now());
        match self.add_refusals(&news).await {
            Ok(()) => self.counters.tally().tell(&news),
            Err(error) => tracing::warn!("the counts of what was refused could not be kept: {error}"),
        }
    }

    /// Two gateways that do this at once lose one of their counts: they are for people.
    async fn add_refusals(&self, news: &[RefusalCount]) -> Result<(), StoreError> {
        let kept = RefusalCount::all(&*self.store).await?;
        let change = RefusalCount::change(&Tally::merged(&kept, news))?;
        self.store.commit(vec![change]).await.map(drop)
    }

    /// After the commit: counts, remembers and announces.
    async fn note(&mut self, decided: &Decided, appended: &[Appended]) {
        let mut stale = false;
        let mut equivocal = BTreeSet::new();
        for (row, appended) in decided.accepted.iter().zip(appended) {
            match appended {
                Appended::New => {
                    let said = decided.said.get(&row.meter).copied();
                    self.known.latest.insert(row.meter, said.unwrap_or_else(|| latest(row)));
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
                    equivocal.insert(row.meter);
                }
            }
        }
        if !equivocal.is_empty() {
            let mut decided = Decided { equivocal, ..Decided::default() };
            if let Err(error) = self.keep_spans(&mut decided, self.clock.now()).await {
                tracing::error!("a meter that said two things could not be held: {error}");
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
