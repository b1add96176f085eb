//! Slots from the store to the chain, on an advanced clock. The chain here only
//! writes down what it is asked; what it answers can be chosen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use async_trait::async_trait;
use jirani_broker::{Broker, BrokerConfig, meter_password};
use jirani_chain::witness::RefusedRow;
use jirani_chain::{
    AttestRow, ChainError, ChainSnapshot, EnergyChain, HouseholdOnChain, Outcome, Retry, RowOutcome,
    RowStatus, Work,
};
use jirani_clock::ServiceClock;
use jirani_meter::{Reading, Registers, Signer as _, message};
use jirani_oracle::{Counters, Gateway, GatewayConfig, Slots, SlotsConfig, SlotsError, merkle_root};
use jirani_readings::{Base, Span, SpanReason};
use jirani_store::{
    AttestedRow, Change, Events, HouseholdRecord, MeterRecord, MeterState, ReadingRow, SlotRecord, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, MeterId, Timestamp, Wh};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{
    HomeMeter, SLOT_S, START, enrol, enrolment, gateway_key, id_of, key_of, loss, meter_of, read, record,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GRACE_S: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Chain {
    store: Mutex<Option<Arc<dyn Store>>>,
    sent: Mutex<Vec<(String, Work)>>,
    applied: Mutex<BTreeMap<HouseholdId, (Timestamp, AttestRow)>>,
    /// Calls that fail before one is answered.
    unreachable: Mutex<u32>,
    /// What is committed while it is not reached.
    meanwhile: Mutex<Option<Change>>,
    refuse_key: Mutex<Option<String>>,
    refusal_lasts: Mutex<Option<Retry>>,
    skip: Mutex<Option<HouseholdId>>,
    /// Whose rows a witness does not sign.
    unsigned: Mutex<Option<HouseholdId>>,
    /// Which work a witness does not sign at all.
    unsigned_key: Mutex<Option<String>>,
    /// What is committed when work has landed whose answer is lost, once.
    lost: Mutex<Option<Change>>,
    /// Whether accounts are shown as they were before all of it.
    is_behind: AtomicBool,
    landed: Mutex<BTreeMap<String, Outcome>>,
}

impl Chain {
    fn apply(&self, rows: Vec<AttestRow>, slot_end: Timestamp, skip: Option<HouseholdId>) -> Vec<RowOutcome> {
        let mut applied = self.applied.lock().unwrap();
        rows.into_iter()
            .map(|row| {
                let status = if Some(row.household) == skip {
                    RowStatus::ExportOverBucket
                } else if applied.get(&row.household).is_some_and(|(through, _)| slot_end <= *through) {
                    RowStatus::Stale
                } else {
                    applied.insert(row.household, (slot_end, row));
                    RowStatus::Applied
                };
                let (minted_wh, burned_wh, shortfall_wh) = (Wh(0), Wh(0), Wh(0));
                RowOutcome { household: row.household, status, minted_wh, burned_wh, shortfall_wh }
            })
            .collect()
    }

    fn keys(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(key, _)| key.clone()).collect()
    }

    fn rows(&self, place: usize) -> Vec<(u32, u64, u64)> {
        let sent = self.sent.lock().unwrap();
        let Work::Attest { rows, .. } = &sent[place].1 else { panic!("not an attestation") };
        rows.iter().map(|row| (row.household.0, row.export_wh.0, row.import_wh.0)).collect()
    }
}

#[async_trait]
impl EnergyChain for Chain {
    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let Work::Attest { feeder, slot_end, rows, .. } = work.clone() else { panic!("not an attestation") };
        let store = self.store.lock().unwrap().clone().unwrap();
        let stored = store.unattested_slots(feeder, Timestamp(i64::MIN), 1_000).await.unwrap();
        assert!(stored.iter().any(|slot| slot.end == slot_end), "a slot is stored before it is sent");
        let is_away = {
            let mut left = self.unreachable.lock().unwrap();
            let is_away = *left > 0;
            *left = left.saturating_sub(1);
            is_away
        };
        if is_away {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(change) = meanwhile {
                store.commit(vec![change]).await.unwrap();
            }
            return Err(ChainError::Unreachable("no route".into()));
        }
        let why = "witness.rating: it grew faster than its rating".to_owned();
        if self.unsigned_key.lock().unwrap().as_deref() == Some(key) {
            return Err(ChainError::Unsigned { why, rows: Vec::new() });
        }
        let unsigned = *self.unsigned.lock().unwrap();
        if let Some(household) = unsigned.filter(|id| rows.iter().any(|row| row.household == *id)) {
            let rows = vec![RefusedRow { household, why: why.clone() }];
            return Err(ChainError::Unsigned { why, rows });
        }
        self.sent.lock().unwrap().push((key.to_owned(), work));
        if self.refuse_key.lock().unwrap().as_deref() == Some(key) {
            let retry = self.refusal_lasts.lock().unwrap().unwrap_or(Retry::Never);
            return Ok(Outcome::Refused { code: "energy.paused".into(), message: "paused".into(), retry });
        }
        let skip = *self.skip.lock().unwrap();
        let rows = self.apply(rows, slot_end, skip);
        let outcome =
            Outcome::Landed { signature: format!("signature of {key}"), slot: 1, at: slot_end, rows };
        self.landed.lock().unwrap().insert(key.to_owned(), outcome.clone());
        let lost = self.lost.lock().unwrap().take();
        if let Some(change) = lost {
            store.commit(vec![change]).await.unwrap();
            return Err(ChainError::NotReady("the node is behind".into()));
        }
        Ok(outcome)
    }

    async fn ended(&self, key: &str, _: &Work) -> Result<Option<Outcome>, ChainError> {
        Ok(self.landed.lock().unwrap().get(key).cloned())
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        if self.is_behind.load(Ordering::SeqCst) {
            return Ok(None);
        }
        Ok(self.applied.lock().unwrap().get(&id).map(|(slot_end, row)| HouseholdOnChain {
            export_wh: row.export_wh,
            import_wh: row.import_wh,
            attested_through: *slot_end,
            ..HouseholdOnChain::default()
        }))
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        Ok(ChainSnapshot::default())
    }

    async fn set_tariff(&self, _: &jirani_market::Tariff) -> Result<jirani_chain::TariffOutcome, ChainError> {
        panic!("the oracle sets no tariff")
    }

    fn household_address(&self, id: HouseholdId) -> String {
        id.to_string()
    }

    fn order_window_s(&self) -> (u32, u32) {
        (120, 300)
    }
}

struct Site {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    chain: Arc<Chain>,
    clock: ServiceClock,
    events: Events,
    counters: Counters,
    running: Option<(CancellationToken, JoinHandle<Result<(), SlotsError>>)>,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("test.db")).await.unwrap());
        let chain = Arc::new(Chain::default());
        *chain.store.lock().unwrap() = Some(store.clone());
        Self {
            _folder: folder,
            store,
            chain,
            clock: ServiceClock::advanced_from(START),
            events: Events::new(64),
            counters: Counters::default(),
            running: None,
        }
    }

    fn slots(&self) -> Slots {
        let config = SlotsConfig { slot_length_s: 900, grace_s: GRACE_S };
        let (clock, events) = (self.clock.clone(), self.events.clone());
        Slots::new(config, self.store.clone(), self.chain.clone(), clock, events, self.counters.clone())
            .unwrap()
    }

    fn start(&mut self, slots: Slots) {
        let cancel = CancellationToken::new();
        self.running = Some((cancel.clone(), tokio::spawn(slots.run(cancel))));
    }

    async fn stop(&mut self) {
        let (cancel, task) = self.running.take().unwrap();
        cancel.cancel();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    /// Runs the clock as a village does.
    async fn run_to(&self, seconds: i64) {
        let to = START.plus_seconds(seconds);
        loop {
            tokio::time::timeout(PATIENCE, self.clock.idle()).await.expect("somebody is busy for ever");
            match self.clock.next_due() {
                Some(due) if due <= to => self.clock.advance_to(due),
                _ if self.clock.now() < to => self.clock.advance_to(to),
                _ => return,
            }
        }
    }

    /// Stores what a meter has said, as the gateway would.
    async fn store(&self, home: u32, meter: &mut HomeMeter) {
        let Some(sent) = meter.message() else { return };
        let mut rows: Vec<ReadingRow> = Vec::new();
        for signed in message::split(&sent).unwrap() {
            let (reading, signed) = Reading::decode(signed.unwrap().bytes).unwrap();
            let time = Timestamp(i64::try_from(reading.time_us).unwrap());
            rows.push(ReadingRow {
                meter: MeterId(reading.meter),
                epoch: reading.epoch,
                seq: reading.seq,
                household: HouseholdId(home),
                time,
                import_wh: Wh(reading.registers.import_wh),
                export_wh: Wh(reading.registers.export_wh),
                generation_wh: Wh(reading.registers.generation_wh),
                power_w: 0,
                bytes: signed.bytes.to_vec(),
                received_at: time,
            });
        }
        self.store.append_readings(rows, Vec::new()).await.unwrap();
    }

    async fn attested(&self, home: u32) -> Vec<(i64, AttestedRow)> {
        let rows =
            self.store.attested_rows(HouseholdId(home), Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
        rows.into_iter().map(|(end, row, _)| (end.since(START) / 1_000_000, row)).collect()
    }
}

fn key(slot: i64, chunk: usize) -> String {
    format!("attest/1/{}/{chunk}", START.plus_seconds(slot * SLOT_S).seconds())
}

fn losses(slot: i64) -> String {
    format!("attest/1/{}/loss", START.plus_seconds(slot * SLOT_S).seconds())
}

#[tokio::test]
async fn a_slot_is_attested_after_its_grace_with_the_loss_and_the_evidence() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let mut announced = site.events.subscribe();
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    read(&mut one, SLOT_S, 0, 1_000);
    read(&mut two, SLOT_S, 900, 0);
    site.store(1, &mut one).await;
    site.store(2, &mut two).await;
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S) - 1).await;
    assert!(site.chain.keys().is_empty(), "grace is not over");
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;

    assert_eq!(site.chain.keys(), [key(1, 0), losses(1)]);
    assert_eq!(site.chain.rows(0), [(1, 1_000, 0), (2, 0, 900)]);
    assert_eq!(site.chain.rows(1), [(3, 0, 100)]);
    let slot = site.store.last_attested_slot(1).await.unwrap().unwrap();
    assert_eq!(slot.end, START.plus_seconds(SLOT_S));
    let signatures = [key(1, 0), losses(1)].map(|key| format!("signature of {key}"));
    assert_eq!(slot.signatures, signatures);
    let readings: Vec<_> = site.store.readings(HouseholdId(1), START, Timestamp(i64::MAX), 9).await.unwrap();
    let others: Vec<_> = site.store.readings(HouseholdId(2), START, Timestamp(i64::MAX), 9).await.unwrap();
    let evidence = readings.iter().chain(&others).map(|row| &row.bytes[..]);
    assert_eq!(slot.evidence_root, merkle_root(evidence));
    let event = announced.recv().await.unwrap();
    assert_eq!(event, jirani_store::Event::Attested { feeder: 1, end: slot.end });
    assert_eq!(site.counters.totals().attestation_rows, 3);
    site.stop().await;
}

#[tokio::test]
async fn many_households_share_transactions_and_too_many_for_one_use_two() {
    let mut site = Site::new().await;
    enrol(&*site.store, (1..=30).map(record)).await;
    for home in 1..=30 {
        let mut meter = meter_of(home);
        read(&mut meter, SLOT_S, 10, 0);
        site.store(home, &mut meter).await;
    }
    site.start(site.slots());
    site.run_to(SLOT_S * 2 - 1).await;
    // They go out at once, so either may arrive first.
    let mut sent: Vec<_> =
        site.chain.keys().into_iter().enumerate().map(|(at, key)| (key, site.chain.rows(at).len())).collect();
    sent.sort();
    assert_eq!(sent, [(key(1, 0), 28), (key(1, 1), 2)]);
    site.stop().await;
}

#[tokio::test]
async fn a_silent_meter_is_skipped_and_attested_when_it_returns() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    site.start(site.slots());
    for slot in 1..=3 {
        read(&mut one, slot * SLOT_S, 0, 100);
        site.store(1, &mut one).await;
        if slot != 2 {
            read(&mut two, slot * SLOT_S, 90, 0);
            site.store(2, &mut two).await;
        }
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.chain.keys(), [key(1, 0), losses(1), key(2, 0), key(3, 0), losses(3)]);
    assert_eq!(site.chain.rows(0), [(1, 100, 0), (2, 0, 90)]);
    assert_eq!(site.chain.rows(1), [(3, 0, 10)]);
    assert_eq!(site.chain.rows(2), [(1, 200, 0)]);
    assert_eq!(site.chain.rows(3), [(1, 300, 0), (2, 0, 180)]);
    assert_eq!(site.chain.rows(4), [(3, 0, 120)]);
    site.stop().await;
}

#[tokio::test]
async fn a_day_after_a_meter_was_retired_without_another_losses_wait_for_it_no_more() {
    const LATER: i64 = 97;
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    read(&mut two, SLOT_S, 90, 0);
    site.store(2, &mut two).await;
    let retired = enrolment(2, MeterState::Active);
    site.store.commit(vec![Change::Meter(Box::new(retired.clone()))]).await.unwrap();
    site.start(site.slots());
    for slot in [1, 2, LATER - 1, LATER] {
        if slot == 2 {
            let retired = MeterRecord { state: MeterState::Retired, version: 1, ..retired.clone() };
            site.store.commit(vec![Change::Meter(Box::new(retired))]).await.unwrap();
        }
        site.run_to(slot * SLOT_S - 1).await;
        read(&mut one, slot * SLOT_S, 0, 100);
        site.store(1, &mut one).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.chain.rows(0), [(1, 100, 0), (2, 0, 90)]);
    assert_eq!(site.chain.rows(1), [(3, 0, 10)]);
    assert_eq!(site.chain.rows(2), [(1, 200, 0)], "it may have more to say");
    let last = site.chain.keys().len() - 1;
    let asked = [key(LATER - 1, 0), key(LATER, 0), losses(LATER)];
    assert_eq!(site.chain.keys()[last - 2..], asked);
    assert_eq!(site.chain.rows(last - 2), [(1, 300, 0)]);
    assert_eq!(site.chain.rows(last - 1), [(1, 400, 0)]);
    // What was attested of it stays in the residual.
    assert_eq!(site.chain.rows(last), [(3, 0, 310)]);
    site.stop().await;
}

#[tokio::test]
async fn a_boundary_between_two_readings_is_estimated_from_both() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    let mut meter = meter_of(1);
    read(&mut meter, SLOT_S - 30, 100, 0);
    read(&mut meter, SLOT_S + 30, 60, 0);
    site.store(1, &mut meter).await;
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    let rows = site.attested(1).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0, rows[0].1.import_wh, rows[0].1.estimated), (SLOT_S, Wh(130), true));
    site.stop().await;
}

#[tokio::test]
async fn what_a_crash_left_unsent_is_sent_unchanged() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    let rows =
        vec![AttestedRow { household: HouseholdId(1), export_wh: Wh(7), import_wh: Wh(5), estimated: false }];
    let end = START.plus_seconds(SLOT_S);
    let slot =
        SlotRecord { feeder: 1, end, evidence_root: [4; 32], rows, signatures: vec![], attested_at: None };
    site.store.put_slot(slot).await.unwrap();
    site.clock.advance_to(START.plus_seconds(SLOT_S + i64::from(GRACE_S)));
    site.start(site.slots());
    site.run_to(SLOT_S + 100).await;
    assert_eq!(site.chain.keys(), [key(1, 0)]);
    assert_eq!(site.chain.rows(0), [(1, 7, 5)]);
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);

    // The next slot goes on from there.
    site.stop().await;
    let mut meter = meter_of(1);
    read(&mut meter, 2 * SLOT_S, 50, 70);
    site.store(1, &mut meter).await;
    site.start(site.slots());
    site.run_to(2 * SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.chain.keys(), [key(1, 0), key(2, 0)]);
    site.stop().await;
}

#[tokio::test]
async fn slots_whose_end_passed_while_nobody_worked_are_made_up_for() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    for slot in 1..=3 {
        read(&mut one, slot * SLOT_S, 0, 100);
        read(&mut two, slot * SLOT_S, 100 - 10 * u64::try_from(slot).unwrap(), 0);
    }
    site.store(1, &mut one).await;
    site.store(2, &mut two).await;
    site.clock.advance_to(START.plus_seconds(10 * SLOT_S));
    site.start(site.slots());
    site.run_to(10 * SLOT_S + 1).await;
    let slots = [1, 2, 3].map(|slot| [key(slot, 0), losses(slot)]);
    assert_eq!(site.chain.keys(), slots.concat());
    assert_eq!(site.chain.rows(4), [(1, 300, 0), (2, 0, 240)]);
    assert_eq!(site.chain.rows(5), [(3, 0, 60)]);
    site.stop().await;
}

#[tokio::test]
async fn an_unreachable_node_is_asked_again_for_the_same_work() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    let mut meter = meter_of(1);
    read(&mut meter, SLOT_S, 10, 0);
    site.store(1, &mut meter).await;
    *site.chain.unreachable.lock().unwrap() = 2;
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.chain.keys(), [key(1, 0)]);
    assert_eq!(site.attested(1).await.len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn a_refused_attestation_is_not_recorded_and_the_next_slot_carries_its_energy() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    *site.chain.refuse_key.lock().unwrap() = Some(key(1, 0));
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    site.start(site.slots());
    for slot in 1..=2 {
        read(&mut one, slot * SLOT_S, 0, 100);
        read(&mut two, slot * SLOT_S, 90, 0);
        site.store(1, &mut one).await;
        site.store(2, &mut two).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.attested(1).await.iter().map(|(end, _)| *end).collect::<Vec<_>>(), [2 * SLOT_S]);
    assert_eq!(site.chain.rows(1), [(1, 200, 0), (2, 0, 180)]);
    assert_eq!(site.chain.rows(2), [(3, 0, 20)], "no losses without the rows that they follow from");
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
    site.stop().await;
}

/// Homes 1 and 2 export 100 and import 90 Wh in each of these slots; `before` each of them
/// something may change.
async fn two_homes(site: &mut Site, slots: std::ops::RangeInclusive<i64>, before: impl Fn(&Chain, i64)) {
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    site.start(site.slots());
    for slot in slots {
        before(&site.chain, slot);
        read(&mut one, slot * SLOT_S, 0, 100);
        read(&mut two, slot * SLOT_S, 90, 0);
        site.store(1, &mut one).await;
        site.store(2, &mut two).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    site.stop().await;
}

fn ends(rows: &[(i64, AttestedRow)]) -> Vec<i64> {
    rows.iter().map(|(end, _)| end / SLOT_S).collect()
}

#[tokio::test]
async fn losses_wait_until_the_program_has_applied_the_rows_that_they_follow_from() {
    let mut site = Site::new().await;
    two_homes(&mut site, 1..=2, |chain, slot| {
        *chain.skip.lock().unwrap() = (slot == 1).then_some(HouseholdId(2));
    })
    .await;
    assert_eq!(site.chain.keys(), [key(1, 0), key(2, 0), losses(2)]);
    assert_eq!(site.chain.rows(2), [(3, 0, 20)]);
    assert_eq!(ends(&site.attested(3).await), [2]);
    assert_eq!(ends(&site.attested(2).await), [2]);
}

#[tokio::test]
async fn a_row_that_the_witness_does_not_sign_holds_up_nobody_and_stands_in_the_meters_history() {
    let mut site = Site::new().await;
    two_homes(&mut site, 1..=3, |chain, slot| {
        *chain.unsigned.lock().unwrap() = (slot < 3).then_some(HouseholdId(2));
    })
    .await;
    let without = |slot| format!("{}-2", key(slot, 0));
    assert_eq!(site.chain.keys(), [without(1), without(2), key(3, 0), losses(3)]);
    assert_eq!(site.chain.rows(0), [(1, 100, 0)]);
    assert_eq!(site.chain.rows(2), [(1, 300, 0), (2, 0, 270)], "its energy comes when it may");
    assert_eq!(site.chain.rows(3), [(3, 0, 30)]);
    assert_eq!(ends(&site.attested(1).await), [1, 2, 3]);
    assert_eq!(ends(&site.attested(2).await), [3]);
    assert_eq!(site.counters.totals().attestation_rows_refused, 2);
    let history = site.store.meter_events(Some(id_of(2)), 10).await.unwrap();
    let told: Vec<_> = history.iter().map(|event| (event.code.as_str(), event.detail.as_str())).collect();
    assert_eq!(told, [("meter.not_witnessed", "witness.rating: it grew faster than its rating")]);
}

#[tokio::test]
async fn a_slot_that_the_witness_does_not_sign_at_all_is_put_off_and_the_next_goes_on() {
    let mut site = Site::new().await;
    two_homes(&mut site, 1..=3, |chain, slot| {
        *chain.unsigned_key.lock().unwrap() = (slot < 3).then(|| key(1, 0));
    })
    .await;
    // By then the chain holds later registers: no losses follow from the former ones.
    assert_eq!(site.chain.keys(), [key(2, 0), losses(2), key(1, 0), key(3, 0), losses(3)]);
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
}

#[tokio::test]
async fn a_slot_that_is_never_signed_stands_behind_those_that_wait_for_something_else() {
    let mut site = Site::new().await;
    two_homes(&mut site, 1..=4, |chain, slot| {
        *chain.unsigned_key.lock().unwrap() = Some(key(1, 0));
        *chain.refuse_key.lock().unwrap() = (slot == 2).then(|| key(2, 0));
        *chain.refusal_lasts.lock().unwrap() = Some(Retry::From(START));
    })
    .await;
    assert_eq!(ends(&site.attested(1).await), [2, 3, 4]);
    let waiting = site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap();
    assert_eq!(waiting.iter().map(|slot| slot.end).collect::<Vec<_>>(), [START.plus_seconds(SLOT_S)]);
}

#[tokio::test]
async fn of_more_waiting_slots_than_are_read_at_once_none_is_planned_anew_and_all_go() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2), loss(3)]).await;
    let waiting = 21;
    for slot in 1..=waiting {
        let rows = vec![AttestedRow {
            household: HouseholdId(1),
            export_wh: Wh(0),
            import_wh: Wh(u64::try_from(slot).unwrap()),
            estimated: false,
        }];
        let end = START.plus_seconds(slot * SLOT_S);
        let record = SlotRecord {
            feeder: 1,
            end,
            evidence_root: [1; 32],
            rows,
            signatures: vec![],
            attested_at: None,
        };
        site.store.put_slot(record).await.unwrap();
    }
    // Their readings are stored as well: each of these slots could be planned again.
    let mut meter = meter_of(1);
    for slot in 1..=waiting {
        read(&mut meter, slot * SLOT_S, 1, 0);
    }
    site.store(1, &mut meter).await;
    site.clock.advance_to(START.plus_seconds(waiting * SLOT_S));
    site.start(site.slots());
    site.run_to(waiting * SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1).await.unwrap(), []);
    assert_eq!(site.chain.keys(), (1..=waiting).map(|slot| key(slot, 0)).collect::<Vec<_>>());
    site.stop().await;
}

#[tokio::test]
async fn what_a_replaced_meter_counted_last_comes_with_the_first_row_of_the_one_in_its_place() {
    let mut site = Site::new().await;
    // The first meter's last reading is of the slot's very end, and stored; then the chain
    // has another key.
    let mut old = meter_of(1);
    read(&mut old, SLOT_S, 0, 100);
    site.store(1, &mut old).await;
    let home = HouseholdRecord { meter: Some(id_of(9)), meter_key: key_of(9).public_key(), ..record(1) };
    enrol(&*site.store, [home, record(2), loss(3)]).await;
    let first = Span::original(HouseholdId(1), id_of(1), key_of(1).public_key(), 1);
    let begins = Span {
        meter: id_of(9),
        meter_key: key_of(9).public_key(),
        chain_epoch: 2,
        from: Timestamp(START.plus_seconds(SLOT_S).0 + 1),
        reason: SpanReason::Replaced,
        ..first.clone()
    };
    let base = Base {
        time: START.plus_seconds(SLOT_S),
        registers: Registers { export_wh: 100, ..Registers::default() },
    };
    let second = first.followed(begins, base, Registers::default()).unwrap();
    let spans = [first, second].map(|span| Change::Span(Box::new(span)));
    site.store.commit(spans.to_vec()).await.unwrap();
    let (mut new, mut two) = (meter_of(9), meter_of(2));
    site.start(site.slots());
    for slot in 1..=2 {
        if slot == 2 {
            read(&mut new, slot * SLOT_S, 0, 30);
            site.store(1, &mut new).await;
        }
        read(&mut two, slot * SLOT_S, 60, 0);
        site.store(2, &mut two).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    // No witness could prove the old key's readings against the chain any more.
    assert_eq!(site.chain.keys(), [key(1, 0), key(2, 0), losses(2)]);
    assert_eq!(site.chain.rows(0), [(2, 0, 60)]);
    assert_eq!(site.chain.rows(1), [(1, 130, 0), (2, 0, 120)]);
    assert_eq!(site.chain.rows(2), [(3, 0, 10)]);
    site.stop().await;
}

#[tokio::test]
async fn a_row_that_the_program_skipped_is_noticed() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2)]).await;
    *site.chain.skip.lock().unwrap() = Some(HouseholdId(2));
    for home in 1..=2 {
        let mut meter = meter_of(home);
        read(&mut meter, SLOT_S, 10, 0);
        site.store(home, &mut meter).await;
    }
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.counters.totals().attestation_rows_refused, 1);
    assert_eq!(site.attested(1).await.len(), 1, "the record holds what was applied");
    assert_eq!(site.attested(2).await, []);
    site.stop().await;
}

#[tokio::test]
async fn a_slot_that_is_put_off_is_sent_again_before_the_next() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    *site.chain.refuse_key.lock().unwrap() = Some(key(1, 0));
    *site.chain.refusal_lasts.lock().unwrap() = Some(Retry::From(START));
    let mut meter = meter_of(1);
    site.start(site.slots());
    for slot in 1..=3 {
        read(&mut meter, slot * SLOT_S, 10, 0);
        site.store(1, &mut meter).await;
        if slot == 3 {
            *site.chain.refuse_key.lock().unwrap() = None;
        }
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.chain.keys(), [key(1, 0), key(1, 0), key(2, 0), key(1, 0), key(3, 0)]);
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
    let ends: Vec<i64> = site.attested(1).await.iter().map(|(end, _)| *end).collect();
    assert_eq!(ends, [SLOT_S, 2 * SLOT_S, 3 * SLOT_S]);
    site.stop().await;
}

fn held(home: u32) -> Change {
    let held = Some("reading.equivocation".to_owned());
    Change::Meter(Box::new(MeterRecord { held, ..enrolment(home, MeterState::Active) }))
}

#[tokio::test]
async fn who_is_held_while_the_node_is_away_is_left_out_when_it_is_back() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2)]).await;
    for (home, meter) in [(1, &mut meter_of(1)), (2, &mut meter_of(2))] {
        read(meter, SLOT_S, 10, 0);
        site.store(home, meter).await;
    }
    *site.chain.unreachable.lock().unwrap() = 2;
    *site.chain.meanwhile.lock().unwrap() = Some(held(2));
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.chain.keys(), [format!("{}-2", key(1, 0))]);
    assert_eq!(site.chain.rows(0), [(1, 0, 10)]);
    assert_eq!(site.attested(2).await, []);
    site.stop().await;
}

#[tokio::test]
async fn what_was_under_way_at_the_hold_is_neither_sent_again_nor_forgotten() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2)]).await;
    for (home, meter) in [(1, &mut meter_of(1)), (2, &mut meter_of(2))] {
        read(meter, SLOT_S, 10, 0);
        site.store(home, meter).await;
    }
    *site.chain.lost.lock().unwrap() = Some(held(2));
    site.chain.is_behind.store(true, Ordering::SeqCst);
    site.start(site.slots());
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.chain.keys(), [key(1, 0)]);
    assert_eq!((site.attested(1).await.len(), site.attested(2).await.len()), (1, 1));
    site.stop().await;
}

#[tokio::test]
async fn what_landed_before_the_hold_stays_in_the_record() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    let mut meter = meter_of(1);
    read(&mut meter, SLOT_S, 10, 0);
    site.store(1, &mut meter).await;
    let row = AttestRow { household: HouseholdId(1), export_wh: Wh(0), import_wh: Wh(10) };
    site.chain.applied.lock().unwrap().insert(row.household, (START.plus_seconds(SLOT_S), row));
    let rows = vec![AttestedRow {
        household: HouseholdId(1),
        export_wh: Wh(0),
        import_wh: Wh(10),
        estimated: false,
    }];
    let end = START.plus_seconds(SLOT_S);
    let slot =
        SlotRecord { feeder: 1, end, evidence_root: [4; 32], rows, signatures: vec![], attested_at: None };
    site.store.put_slot(slot).await.unwrap();
    site.store.commit(vec![held(1)]).await.unwrap();
    site.clock.advance_to(START.plus_seconds(SLOT_S + i64::from(GRACE_S)));
    site.start(site.slots());
    site.run_to(SLOT_S + 100).await;
    assert_eq!(site.attested(1).await.len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn who_is_held_while_a_slot_is_put_off_is_left_out_of_it_when_it_goes() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1), record(2)]).await;
    *site.chain.refuse_key.lock().unwrap() = Some(key(1, 0));
    *site.chain.refusal_lasts.lock().unwrap() = Some(Retry::From(START));
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    site.start(site.slots());
    for slot in 1..=2 {
        for (home, meter) in [(1, &mut one), (2, &mut two)] {
            read(meter, slot * SLOT_S, 10, 0);
            site.store(home, meter).await;
        }
        if slot == 2 {
            site.store.commit(vec![held(2)]).await.unwrap();
            *site.chain.refuse_key.lock().unwrap() = None;
        }
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.chain.keys(), [key(1, 0), format!("{}-2", key(1, 0)), key(2, 0)]);
    let ends = async |home| site.attested(home).await.iter().map(|(end, _)| *end).collect::<Vec<i64>>();
    assert_eq!(ends(1).await, [SLOT_S, 2 * SLOT_S]);
    assert_eq!(ends(2).await, [] as [i64; 0]);
    site.stop().await;
}

#[tokio::test]
async fn a_silent_grid_wakes_nobody_until_a_reading_comes() {
    let mut site = Site::new().await;
    enrol(&*site.store, [record(1)]).await;
    let config = BrokerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        gateway_password: "gateway".into(),
        meter_secret: [0; 32],
    };
    let broker = Broker::start(config).await.unwrap();
    let config = GatewayConfig {
        url: format!("mqtt://{}", broker.addr()),
        client_id: "gateway".into(),
        username: "gateway".into(),
        password: "gateway".into(),
        shared_group: None,
    };
    let mut slots = site.slots();
    let (clock, events, counters) = (site.clock.clone(), site.events.clone(), site.counters.clone());
    let gateway = Gateway::new(config, site.store.clone(), gateway_key(), clock, events, counters)
        .await
        .unwrap()
        .with_notice(slots.notice());
    let mut subscribed = gateway.subscribed();
    let cancel = CancellationToken::new();
    let receiving = tokio::spawn(gateway.run(cancel.clone()));
    tokio::time::timeout(PATIENCE, subscribed.wait_for(|is| *is)).await.unwrap().unwrap();
    site.start(slots);
    site.run_to(50 * SLOT_S).await;
    assert_eq!(site.clock.next_due(), None, "nothing to wait for");

    let mut meter = meter_of(1);
    let (name, addr) = (id_of(1).to_string(), broker.addr());
    let mut options = MqttOptions::new(&name, addr.ip().to_string(), addr.port());
    options.set_credentials(&name, meter_password(&[0; 32], id_of(1)));
    let (client, mut wire) = AsyncClient::new(options, 8);
    client.subscribe(format!("v1/{name}/ack"), QoS::AtLeastOnce).await.unwrap();
    while !matches!(wire.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    for slot in 51..=53 {
        site.run_to(slot * SLOT_S).await;
        // As a village does: busy from the reading to its acknowledgement.
        let busy = site.clock.busy();
        read(&mut meter, slot * SLOT_S, 10, 0);
        client
            .publish(format!("v1/{name}/up"), QoS::AtLeastOnce, false, meter.message().unwrap())
            .await
            .unwrap();
        let ack = loop {
            if let Event::Incoming(Packet::Publish(publish)) = wire.poll().await.unwrap() {
                break publish.payload;
            }
        };
        meter.acknowledge(&ack).unwrap();
        drop(busy);
        tokio::time::timeout(PATIENCE, site.clock.idle()).await.unwrap();
        let due = START.plus_seconds(slot * SLOT_S + i64::from(GRACE_S));
        assert_eq!(site.clock.next_due(), Some(due), "the slot's end is waited for before time can go on");
    }
    site.run_to(60 * SLOT_S).await;
    assert_eq!(site.chain.keys(), [key(51, 0), key(52, 0), key(53, 0)]);
    assert_eq!(site.clock.next_due(), None);
    site.stop().await;
    cancel.cancel();
    tokio::time::timeout(PATIENCE, receiving).await.unwrap().unwrap().unwrap();
    broker.stop().await;
}

#[tokio::test]
async fn a_length_that_does_not_divide_a_day_is_refused() {
    let site = Site::new().await;
    for slot_length_s in [0, 7, 1_000, 100_000] {
        let config = SlotsConfig { slot_length_s, grace_s: 1 };
        let (clock, events) = (site.clock.clone(), site.events.clone());
        let made =
            Slots::new(config, site.store.clone(), site.chain.clone(), clock, events, Counters::default());
        assert!(matches!(made.map(|_| ()).unwrap_err(), SlotsError::BadLength(_)));
    }
}
