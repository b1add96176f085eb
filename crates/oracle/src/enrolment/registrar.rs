//! What an approval needs of the chain, and what is approved about meters that count.
//!
//! Runs between two slots, in their task: while another meter takes a household's place no
//! attestation of it is under way, so that what the chain counts from is what it has.
//! Safe to repeat after any crash: the chain knows its work by a key, and what it already
//! has is not asked for again.

use super::{Closing, EnrolmentError, NewHome, closing, happened, last_span, request};
use crate::boundary::Spans;
use crate::journal::enrolled_before;
use jirani_chain::{EnergyChain, HouseholdOnChain, Outcome, Work};
use jirani_clock::ServiceClock;
use jirani_meter::Registers;
use jirani_readings::{Base, Span, SpanReason};
use jirani_store::{
    Change, Event, Events, HouseholdKind, HouseholdRecord, Language, MeterPurpose, MeterRecord, MeterState,
    Store,
};
use jirani_units::{Clock as _, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

/// Real time after which the store is asked for approvals of another process.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// How often what met a conflict is made up again before other work goes on.
const AGAIN_AT_ONCE: u32 = 3;

/// Brings approved meters to the chain.
pub struct Registrar {
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    clock: ServiceClock,
    events: Events,
    heard: Receiver<Event>,
    ask_at: Instant,
}

impl Registrar {
    /// Listens from now on.
    pub fn new(
        store: Arc<dyn Store>,
        chain: Arc<dyn EnergyChain>,
        clock: ServiceClock,
        events: Events,
    ) -> Self {
        let heard = events.subscribe();
        Self { store, chain, clock, events, heard, ask_at: Instant::now() + ASK_AGAIN }
    }

    /// Waits until something may be approved. May be dropped at any time.
    pub async fn woken(&mut self) {
        loop {
            match tokio::time::timeout_at(self.ask_at, self.heard.recv()).await {
                Ok(Ok(Event::Meter(_)) | Err(RecvError::Lagged(_))) => return,
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Closed)) => std::future::pending().await,
                Err(_) => {
                    self.ask_at = Instant::now() + ASK_AGAIN;
                    if self.approved().await.is_ok_and(|approved| !approved.is_empty()) {
                        return;
                    }
                }
            }
        }
    }

    async fn approved(&self) -> Result<Vec<MeterRecord>, EnrolmentError> {
        let meters = self.store.meters().await?;
        let waits = |record: &MeterRecord| {
            record.state == MeterState::Approved || request::approved(record).is_some()
        };
        Ok(meters.into_iter().filter(waits).collect())
    }

    /// Brings all that is approved to the chain. What cannot be done now is tried again.
    pub async fn settle(&mut self) {
        let approved = match self.approved().await {
            Ok(approved) => approved,
            Err(error) => return tracing::warn!("approved meters cannot be read: {error}"),
        };
        for record in approved {
            let meter = record.meter;
            let mut done = self.bring_about(record.clone()).await;
            // A reading came in between: what was made up is made up again.
            for _ in 0..AGAIN_AT_ONCE {
                if !matches!(done, Err(EnrolmentError::Changed)) {
                    break;
                }
                done = self.bring_about(record.clone()).await;
            }
            match done {
                Ok(()) => self.events.publish(Event::Meter(meter)),
                Err(error) => tracing::warn!(%meter, "approved and not done yet: {error}"),
            }
        }
    }

    async fn bring_about(&self, record: MeterRecord) -> Result<(), EnrolmentError> {
        if request::approved(&record).is_some() {
            request::fulfil(&*self.store, record, self.clock.now()).await
        } else {
            self.bring(record).await
        }
    }

    async fn bring(&self, record: MeterRecord) -> Result<(), EnrolmentError> {
        let kept = self.store.household(record.household).await?;
        let home = match &kept {
            Some(home) => home.clone(),
            None => begun(&record, self.clock.now())?,
        };
        let on_chain = self.chain.household(home.id).await?;
        let chain_epoch = match &on_chain {
            Some(on_chain) if on_chain.meter.0 == record.key => on_chain.meter.1,
            Some(on_chain) => self.replace(&record, &home, on_chain).await?,
            None => self.enrol(&record, &home).await?,
        };
        let address: jirani_chain::Address = self
            .chain
            .household_address(home.id)
            .parse()
            .map_err(|_| EnrolmentError::Invalid("the household's address on chain is none"))?;
        let now = self.clock.now();
        let mut changes = Vec::new();
        let has_counted = home.meter.is_some() || !Spans::load(&*self.store).await?.of(home.id).is_empty();
        if !has_counted {
            changes.extend(opened(&record, on_chain.as_ref(), chain_epoch, now)?);
        } else if on_chain.is_some() {
            changes.extend(self.spans(&record, &home, chain_epoch, now).await?);
        }
        let mut held = None;
        if let Some(old) = record.replaces {
            let (old_held, replaced) = self.replaced(&record, &home, old, now).await?;
            held = old_held;
            changes.extend(replaced);
        }
        changes.insert(
            0,
            Change::Household(HouseholdRecord {
                meter: Some(record.meter),
                meter_key: record.key,
                meter_epoch: record.epoch,
                chain_address: Some(address.to_bytes()),
                ..home
            }),
        );
        let event = happened(&record, "chain", "meter.active", format!("epoch {chain_epoch} on chain"), now);
        let record = MeterRecord { state: MeterState::Active, draft: None, held, ..record };
        changes.extend([Change::Meter(Box::new(record)), Change::MeterEvent(event)]);
        self.store.commit(changes).await?;
        Ok(())
    }

    async fn enrol(&self, record: &MeterRecord, home: &HouseholdRecord) -> Result<u32, EnrolmentError> {
        let work = Work::Enrol {
            household: home.id,
            kind: home.kind,
            feeder: home.feeder,
            meter_key: record.key,
            meter_epoch: record.epoch,
            export_rating_w: home.export_rating_w,
            import_rating_w: home.import_rating_w,
        };
        self.done(&format!("enrol/{}", home.id), work, record).await?;
        Ok(record.epoch)
    }

    /// Rows name the epoch, not the key: another key begins a later one. The registers that
    /// are attested go on, since attested ones are virtual.
    async fn replace(
        &self,
        record: &MeterRecord,
        home: &HouseholdRecord,
        on_chain: &HouseholdOnChain,
    ) -> Result<u32, EnrolmentError> {
        let meter_epoch = on_chain.meter.1.saturating_add(1);
        let work = Work::ReplaceMeter {
            household: home.id,
            meter_key: record.key,
            meter_epoch,
            export_rating_w: home.export_rating_w,
            import_rating_w: home.import_rating_w,
            export_wh: on_chain.export_wh,
            import_wh: on_chain.import_wh,
        };
        self.done(&format!("replace/{}/{meter_epoch}", home.id), work, record).await?;
        Ok(meter_epoch)
    }

    async fn done(&self, key: &str, work: Work, record: &MeterRecord) -> Result<(), EnrolmentError> {
        match self.chain.submit(key, work).await? {
            Outcome::Landed { .. } => Ok(()),
            Outcome::Refused { code, message, .. } => {
                let detail = format!(
                    "the chain does not take it ({code}: {message}); whoever holds the admin's key does it by `jirani chain`"
                );
                let last = self.store.meter_events(Some(record.meter), 1).await?;
                if last.first().is_none_or(|row| row.code != "meter.chain_refused") {
                    let at = self.clock.now();
                    let event = happened(record, "chain", "meter.chain_refused", detail, at);
                    self.store.commit(vec![Change::MeterEvent(event)]).await?;
                }
                Err(EnrolmentError::Invalid("the chain does not take it; see what happened to the meter"))
            }
        }
    }

    /// The span that begins with another meter or key, and the first one when there is none.
    async fn spans(
        &self,
        record: &MeterRecord,
        home: &HouseholdRecord,
        chain_epoch: u32,
        now: Timestamp,
    ) -> Result<Vec<Change>, EnrolmentError> {
        let Closing { spans, base: closing, condition } = closing(&*self.store, home).await?;
        let last = last_span(&spans, home);
        let rotated = record.purpose == MeterPurpose::Rotate;
        let begins = Span {
            meter: record.meter,
            meter_key: record.key,
            epoch: record.epoch,
            chain_epoch,
            from: Timestamp(closing.time.max(last.from).0 + 1),
            reason: if rotated { SpanReason::KeyRotated } else { SpanReason::Replaced },
            note: record.reason.clone(),
            by: record.approved_by.clone().unwrap_or_default(),
            at: now,
            ..last.clone()
        };
        let next = if rotated {
            // The same registers under another key: what was added to them still is.
            let kept = last.followed(begins, closing, closing.registers)?;
            Span { offsets: last.offsets, ..kept }
        } else {
            last.followed(begins, closing, record.opening)?
        };
        let first = spans.is_empty().then(|| Change::Span(Box::new(last)));
        Ok(first.into_iter().chain([Change::Span(Box::new(next)), condition]).collect())
    }

    /// The meter whose place is taken, and what held it. A hold goes over to the new meter:
    /// a household must get one that works at any time, but the new one's registers go on
    /// from the held one's, and its first attestation would mint what nobody has decided about.
    async fn replaced(
        &self,
        record: &MeterRecord,
        home: &HouseholdRecord,
        old: jirani_units::MeterId,
        now: Timestamp,
    ) -> Result<(Option<String>, Vec<Change>), EnrolmentError> {
        let kept = self.store.meter(old).await?.unwrap_or_else(|| enrolled_before(old, home));
        let event = happened(&kept, "chain", "meter.replaced", format!("by {}", record.meter), now);
        let state = if kept.state == MeterState::Retired { kept.state } else { MeterState::Replaced };
        let held = kept.held.clone();
        let mut changes = vec![Change::MeterEvent(event)];
        if let Some(code) = &held {
            let detail = format!("{old} was held ({code}), and what it counted is in these registers");
            changes.push(Change::MeterEvent(happened(record, "chain", "meter.hold_kept", detail, now)));
        }
        changes.push(Change::Meter(Box::new(MeterRecord { state, request: None, ..kept })));
        Ok((held, changes))
    }
}

/// The spans of a household's first meter. Nothing, if its registers are the attested ones
/// as they are. Else they count from what they showed when it was put in place, for the
/// whole time it has the meter: what it counted before, for somebody else, is nobody's.
fn opened(
    record: &MeterRecord,
    on_chain: Option<&HouseholdOnChain>,
    chain_epoch: u32,
    now: Timestamp,
) -> Result<Vec<Change>, EnrolmentError> {
    let attested = on_chain.map_or_else(Registers::default, |on_chain| Registers {
        import_wh: on_chain.import_wh.0,
        export_wh: on_chain.export_wh.0,
        generation_wh: 0,
    });
    if (attested, chain_epoch) == (record.opening, record.epoch) {
        return Ok(Vec::new());
    }
    let first = Span::original(record.household, record.meter, record.key, record.epoch);
    let begins = Span {
        chain_epoch,
        from: Timestamp(first.from.0 + 1),
        note: record.reason.clone(),
        by: record.approved_by.clone().unwrap_or_default(),
        at: now,
        ..first.clone()
    };
    // The opening was read when the meter was claimed at the latest.
    let base = Base { time: record.claimed_at, registers: attested };
    let counts = first.followed(begins, base, record.opening)?;
    Ok(vec![Change::Span(Box::new(first)), Change::Span(Box::new(counts))])
}

/// The household that begins with a meter.
fn begun(record: &MeterRecord, now: Timestamp) -> Result<HouseholdRecord, EnrolmentError> {
    let draft = record.draft.as_deref().and_then(|draft| serde_json::from_str::<NewHome>(draft).ok());
    let home = draft.ok_or(EnrolmentError::NoHousehold)?;
    Ok(HouseholdRecord {
        id: record.household,
        kind: HouseholdKind::Home,
        alias: home.alias,
        name: home.name,
        msisdn: home.msisdn.and_then(|number| number.parse().ok()),
        language: if home.swahili { Language::Sw } else { Language::En },
        meter: None,
        meter_key: record.key,
        meter_epoch: record.epoch,
        export_rating_w: home.export_rating_w,
        import_rating_w: home.import_rating_w,
        pv_rated_w: home.pv_rated_w,
        feeder: home.feeder,
        chain_address: None,
        enrolled_at: now,
        version: 0,
    })
}
