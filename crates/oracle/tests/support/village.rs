//! Homes on one feeder whose slots are judged and attested, for tests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses its part, and says what it expects"
)]

use crate::support::gated::Gated;
use crate::support::{SLOT_S, START, enrol, id_of, key_of, loss, record};
use async_trait::async_trait;
use jirani_chain::{
    AttestRow, ChainError, ChainSnapshot, EnergyChain, HouseholdOnChain, Outcome, RowOutcome, RowStatus, Work,
};
use jirani_clock::ServiceClock;
use jirani_forecast::Place;
use jirani_meter::{Registers, Signer as _};
use jirani_oracle::enrolment::{Claim, Enrolment, Place as Where};
use jirani_oracle::{Counters, Findings, FindingsConfig, Slots, SlotsConfig, SlotsError, Spans};
use jirani_plausibility::Policy;
use jirani_readings::{Base, Span, SpanReason, virtual_of};
use jirani_store::{
    Change, Event, Events, FindingDecision, FindingRecord, HouseholdRecord, MeterRecord, MeterState,
    ReadingRow, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, MeterId, Timestamp, Wh};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const GRACE_S: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(20);

/// Export and import registers by household.
pub type Told = BTreeMap<u32, (u64, u64)>;

/// A chain that applies whatever it is asked, and remembers it by slot.
#[derive(Default)]
pub struct Chain {
    pub slots: Mutex<BTreeMap<i64, Told>>,
    /// What is committed when the next slot has come.
    pub meanwhile: Mutex<Option<(Arc<dyn Store>, Change)>>,
}

#[async_trait]
impl EnergyChain for Chain {
    async fn ended(&self, _: &str, _: &Work) -> Result<Option<Outcome>, ChainError> {
        // Whatever was asked for was answered at once.
        Ok(None)
    }

    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((store, change)) = meanwhile {
            store.commit(vec![change]).await.unwrap();
        }
        let signature = format!("signature of {key}");
        let (slot_end, rows) = match work {
            Work::Attest { slot_end, rows, .. } => (slot_end, rows),
            Work::ReplaceMeter { .. } => {
                return Ok(Outcome::Landed { signature, slot: 1, at: START, rows: Vec::new() });
            }
            _ => panic!("neither an attestation nor another meter"),
        };
        let slot = slot_end.since(START) / 1_000_000 / SLOT_S;
        let told = rows.iter().map(|row| (row.household.0, (row.export_wh.0, row.import_wh.0)));
        // Losses come after the rows that they follow from.
        self.slots.lock().unwrap().entry(slot).or_default().extend(told);
        let outcome = |row: AttestRow| {
            let (minted_wh, burned_wh, shortfall_wh) = (Wh(0), Wh(0), Wh(0));
            RowOutcome {
                household: row.household,
                status: RowStatus::Applied,
                minted_wh,
                burned_wh,
                shortfall_wh,
            }
        };
        let rows = rows.into_iter().map(outcome).collect();
        Ok(Outcome::Landed { signature, slot: 1, at: slot_end, rows })
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        let slots = self.slots.lock().unwrap();
        let last = slots.values().rev().find_map(|rows| rows.get(&id.0));
        Ok(last.map(|(export, import)| HouseholdOnChain {
            export_wh: Wh(*export),
            import_wh: Wh(*import),
            ..HouseholdOnChain::default()
        }))
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        Ok(ChainSnapshot::default())
    }

    async fn set_tariff(&self, _: &jirani_market::Tariff) -> Result<jirani_chain::TariffOutcome, ChainError> {
        panic!("the oracle sets no tariff")
    }

    fn household_address(&self, _: HouseholdId) -> String {
        "1".repeat(32)
    }

    fn order_window_s(&self) -> (u32, u32) {
        (120, 300)
    }
}

/// What a home's meter counts: raw registers, as it has signed them last.
struct Speaks {
    seed: u32,
    epoch: u32,
    seq: u64,
    registers: [u64; 3],
}

impl Speaks {
    fn new(seed: u32) -> Self {
        Self { seed, epoch: 1, seq: 0, registers: [0; 3] }
    }
}

pub struct Village {
    _folder: tempfile::TempDir,
    pub store: Arc<dyn Store>,
    pub gate: Arc<Gated>,
    pub chain: Arc<Chain>,
    pub clock: ServiceClock,
    pub events: Events,
    speaks: BTreeMap<u32, Speaks>,
    running: Option<(CancellationToken, JoinHandle<Result<(), SlotsError>>)>,
    pub slot: i64,
}

impl Village {
    /// Three homes with 5 kW of panels each and the loss record, under Kitonyoni's sun. It
    /// begins at three in the morning.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
        let gate = Arc::new(Gated::new(Arc::new(inner)));
        let store: Arc<dyn Store> = gate.clone();
        enrol(&*store, [record(1), record(2), record(3), loss(4)]).await;
        let mut village = Self {
            _folder: folder,
            store,
            gate,
            chain: Arc::default(),
            clock: ServiceClock::advanced_from(START),
            events: Events::new(64),
            speaks: (1..=3).map(|home| (home, Speaks::new(home))).collect(),
            running: None,
            slot: 0,
        };
        village.start();
        village
    }

    pub fn start(&mut self) {
        let config = SlotsConfig { slot_length_s: 900, grace_s: GRACE_S };
        let rules = FindingsConfig {
            place: Place::KITONYONI,
            slot_length_s: 900,
            policy: Policy::default(),
            storage: BTreeSet::new(),
            accepted_days: 7,
        };
        let findings = Findings::new(rules, self.store.clone(), self.clock.clone());
        let slots = Slots::new(
            config,
            self.store.clone(),
            self.chain.clone(),
            self.clock.clone(),
            self.events.clone(),
            Counters::default(),
        );
        let cancel = CancellationToken::new();
        let task = tokio::spawn(slots.unwrap().with_findings(findings).run(cancel.clone()));
        self.running = Some((cancel, task));
    }

    pub async fn stop(&mut self) {
        let (cancel, task) = self.running.take().unwrap();
        cancel.cancel();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    /// One slot: each home's import, export and generation, and then the attestation.
    pub async fn slot(&mut self, grew: [(u32, [u64; 3]); 3]) -> Told {
        self.say(grew).await;
        self.run_to(START.plus_seconds(self.slot * SLOT_S + i64::from(GRACE_S))).await;
        self.told(self.slot)
    }

    /// What was attested of a slot.
    pub fn told(&self, slot: i64) -> Told {
        self.chain.slots.lock().unwrap().get(&slot).cloned().unwrap_or_default()
    }

    /// The readings at a slot's end, as the gateway keeps them.
    pub async fn say(&mut self, grew: [(u32, [u64; 3]); 3]) {
        self.slot += 1;
        let time = START.plus_seconds(self.slot * SLOT_S);
        let rows = grew.into_iter().map(|(home, grew)| self.reading(home, grew, time)).collect();
        self.store.append_readings(rows, Vec::new()).await.unwrap();
    }

    /// What a home's meter signs next.
    pub fn reading(&mut self, home: u32, grew: [u64; 3], time: Timestamp) -> ReadingRow {
        let speaks = self.speaks.get_mut(&home).unwrap();
        for (register, grew) in speaks.registers.iter_mut().zip(grew) {
            *register += grew;
        }
        speaks.seq += 1;
        let [import_wh, export_wh, generation_wh] = speaks.registers.map(Wh);
        ReadingRow {
            meter: id_of(speaks.seed),
            epoch: speaks.epoch,
            seq: speaks.seq,
            household: HouseholdId(home),
            time,
            import_wh,
            export_wh,
            generation_wh,
            power_w: 0,
            bytes: vec![1, 2, 3],
            received_at: time,
        }
    }

    /// A home's registers go on in a new epoch with the reading that comes next, as its meter
    /// has proven to the gateway.
    pub async fn go_on_in_a_new_epoch(&mut self, home: u32) {
        let id = HouseholdId(home);
        let record = self.store.household(id).await.unwrap().unwrap();
        let spans = Spans::load(&*self.store).await.unwrap().of(id).to_vec();
        let original = Span::original(id, record.meter.unwrap(), record.meter_key, record.meter_epoch);
        let first = spans.is_empty().then(|| Change::Span(Box::new(original.clone())));
        let last = spans.last().cloned().unwrap_or(original);
        let speaks = self.speaks.get_mut(&home).unwrap();
        (speaks.epoch, speaks.seq) = (speaks.epoch + 1, 0);
        let [import_wh, export_wh, generation_wh] = speaks.registers;
        let raw = Registers { import_wh, export_wh, generation_wh };
        let from = START.plus_seconds((self.slot + 1) * SLOT_S);
        let base =
            Base { time: from.plus_seconds(-SLOT_S), registers: virtual_of(&last.offsets, &raw).unwrap() };
        let begins = Span { epoch: speaks.epoch, from, reason: SpanReason::ResetProven, ..last.clone() };
        let next = last.followed(begins, base, raw).unwrap();
        let meter_epoch = speaks.epoch;
        let changes =
            [Change::Household(HouseholdRecord { meter_epoch, ..record }), Change::Span(Box::new(next))];
        self.store.commit(changes.into_iter().chain(first).collect()).await.unwrap();
    }

    /// What operators ask for meters at.
    pub fn desk(&self) -> Enrolment {
        Enrolment::new(
            self.store.clone(),
            Arc::new(self.clock.clone()),
            self.events.clone(),
            Box::new(|| [7; 32]),
            Box::new(|_| String::new()),
            [0; 32],
        )
    }

    /// What an operator reads of a meter's enrolment has this number.
    pub async fn revision(&self, meter: MeterId) -> u64 {
        self.store.meter(meter).await.unwrap().unwrap().version
    }

    /// The claim of another meter in the place of a home's.
    pub fn claim(&self, home: u32, seed: u32) -> Claim {
        Claim {
            identity: hex::encode(key_of(seed).public_key()),
            place: Where::Replaces(id_of(self.speaks[&home].seed)),
            epoch: 1,
            modulus_wh: None,
            opening: Registers::default(),
            reason: "broken".to_owned(),
        }
    }

    /// Another meter takes the place of a home's, by two operators; its registers begin at zero.
    pub async fn replace(&mut self, home: u32, seed: u32) {
        let (desk, claim) = (self.desk(), self.claim(home, seed));
        let mut heard = self.events.subscribe();
        desk.claim("Amina", claim).await.unwrap();
        let challenged = desk.challenge("Amina", id_of(seed)).await.unwrap();
        let answered = MeterRecord { state: MeterState::Answered, ..challenged };
        self.store.commit(vec![Change::Meter(Box::new(answered))]).await.unwrap();
        desk.approve("Baraka", id_of(seed), self.revision(id_of(seed)).await).await.unwrap();
        self.until(&mut heard, id_of(seed), |record| record.state == MeterState::Active).await;
        self.speaks.insert(home, Speaks::new(seed));
    }

    /// Waits until something is so of a meter's enrolment.
    pub async fn until(
        &self,
        heard: &mut Receiver<Event>,
        meter: MeterId,
        right: impl Fn(&MeterRecord) -> bool,
    ) -> MeterRecord {
        loop {
            if let Some(record) = self.store.meter(meter).await.unwrap().filter(&right) {
                return record;
            }
            tokio::time::timeout(PATIENCE, heard.recv()).await.expect("it never came").unwrap();
        }
    }

    pub async fn run_to(&self, to: Timestamp) {
        loop {
            tokio::time::timeout(PATIENCE, self.clock.idle()).await.expect("somebody is busy for ever");
            match self.clock.next_due() {
                Some(due) if due <= to => self.clock.advance_to(due),
                _ if self.clock.now() < to => self.clock.advance_to(to),
                _ => return,
            }
        }
    }

    pub async fn findings(&self) -> Vec<FindingRecord> {
        self.store.findings(None, false, 100).await.unwrap()
    }

    pub async fn decide(&self, number: u64, decision: FindingDecision) {
        let read = self.store.finding(number).await.unwrap().unwrap();
        let decided = read.decided(decision, "Amina", "looked at it", self.clock.now()).unwrap();
        self.store.commit(vec![Change::Finding(Box::new(decided))]).await.unwrap();
    }
}

pub const QUIET: [u64; 3] = [60, 0, 0];
