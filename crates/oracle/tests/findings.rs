//! A village in which somebody cheats: who is found is not attested until an operator has
//! decided, the others are, and nothing that was counted is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use async_trait::async_trait;
use jirani_chain::{
    AttestRow, ChainError, ChainSnapshot, EnergyChain, HouseholdOnChain, Outcome, RowOutcome, RowStatus, Work,
};
use jirani_clock::ServiceClock;
use jirani_forecast::Place;
use jirani_oracle::{Counters, Findings, FindingsConfig, Slots, SlotsConfig, SlotsError};
use jirani_plausibility::Policy;
use jirani_store::{
    Change, Events, FindingDecision, FindingRecord, FindingState, HouseholdRecord, ReadingRow, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, Timestamp, Wh};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{SLOT_S, START, enrol, id_of, loss, record};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GRACE_S: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(20);

/// Export and import registers by household.
type Told = BTreeMap<u32, (u64, u64)>;

/// A chain that applies whatever it is asked, and remembers it by slot.
#[derive(Default)]
struct Chain {
    slots: Mutex<BTreeMap<i64, Told>>,
}

#[async_trait]
impl EnergyChain for Chain {
    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let Work::Attest { slot_end, rows, .. } = work else { panic!("not an attestation") };
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
        Ok(Outcome::Landed { signature: format!("signature of {key}"), slot: 1, at: slot_end, rows })
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

    fn household_address(&self, id: HouseholdId) -> String {
        id.to_string()
    }

    fn order_window_s(&self) -> (u32, u32) {
        (120, 300)
    }
}

struct Village {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    chain: Arc<Chain>,
    clock: ServiceClock,
    registers: BTreeMap<u32, [u64; 3]>,
    running: Option<(CancellationToken, JoinHandle<Result<(), SlotsError>>)>,
    slot: i64,
}

impl Village {
    /// Three homes with 5 kW of panels each and the loss record, under Kitonyoni's sun. It
    /// begins at three in the morning.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("test.db")).await.unwrap());
        enrol(&*store, [record(1), record(2), record(3), loss(4)]).await;
        let mut village = Self {
            _folder: folder,
            store,
            chain: Arc::default(),
            clock: ServiceClock::advanced_from(START),
            registers: BTreeMap::new(),
            running: None,
            slot: 0,
        };
        village.start();
        village
    }

    fn start(&mut self) {
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
            Events::new(64),
            Counters::default(),
        );
        let cancel = CancellationToken::new();
        let task = tokio::spawn(slots.unwrap().with_findings(findings).run(cancel.clone()));
        self.running = Some((cancel, task));
    }

    async fn stop(&mut self) {
        let (cancel, task) = self.running.take().unwrap();
        cancel.cancel();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    /// One slot: each home's import, export and generation, and then the attestation.
    async fn slot(&mut self, grew: [(u32, [u64; 3]); 3]) -> BTreeMap<u32, (u64, u64)> {
        self.slot += 1;
        let at = START.plus_seconds(self.slot * SLOT_S);
        let mut rows = Vec::new();
        for (home, grew) in grew {
            let registers = self.registers.entry(home).or_default();
            for (register, grew) in registers.iter_mut().zip(grew) {
                *register += grew;
            }
            rows.push(reading(home, self.slot, *registers));
        }
        self.store.append_readings(rows, Vec::new()).await.unwrap();
        self.run_to(at.plus_seconds(i64::from(GRACE_S))).await;
        self.chain.slots.lock().unwrap().get(&self.slot).cloned().unwrap_or_default()
    }

    async fn run_to(&self, to: Timestamp) {
        loop {
            tokio::time::timeout(PATIENCE, self.clock.idle()).await.expect("somebody is busy for ever");
            match self.clock.next_due() {
                Some(due) if due <= to => self.clock.advance_to(due),
                _ if self.clock.now() < to => self.clock.advance_to(to),
                _ => return,
            }
        }
    }

    async fn findings(&self) -> Vec<FindingRecord> {
        self.store.findings(None, false, 100).await.unwrap()
    }

    async fn decide(&self, number: u64, decision: FindingDecision) {
        let read = self.store.finding(number).await.unwrap().unwrap();
        let decided = read.decided(decision, "Amina", "looked at it", self.clock.now()).unwrap();
        self.store.commit(vec![Change::Finding(Box::new(decided))]).await.unwrap();
    }
}

/// A reading as the gateway keeps it.
fn reading(home: u32, slot: i64, [import_wh, export_wh, generation_wh]: [u64; 3]) -> ReadingRow {
    let time = START.plus_seconds(slot * SLOT_S);
    ReadingRow {
        meter: id_of(home),
        epoch: 1,
        seq: u64::try_from(slot).unwrap(),
        household: HouseholdId(home),
        time,
        import_wh: Wh(import_wh),
        export_wh: Wh(export_wh),
        generation_wh: Wh(generation_wh),
        power_w: 0,
        bytes: vec![1, 2, 3],
        received_at: time,
    }
}

const QUIET: [u64; 3] = [60, 0, 0];

#[tokio::test]
async fn who_exports_at_night_is_held_the_others_go_on_and_nothing_is_lost() {
    let mut village = Village::new().await;
    let honest = village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    assert_eq!(honest.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4], "with the loss record");
    let sells = [(1, QUIET), (2, [0, 500, 0]), (3, QUIET)];
    for slot in 2..=3 {
        let rows = village.slot(sells).await;
        assert_eq!(rows, BTreeMap::from([(1, (0, 60 * slot)), (3, (0, 60 * slot))]), "losses wait, too");
    }
    let found = village.findings().await;
    assert_eq!(found.len(), 1, "one is enough: {found:?}");
    assert_eq!((found[0].household, &found[0].code[..]), (Some(HouseholdId(2)), "plausibility.night"));
    assert_eq!(found[0].from, START.plus_seconds(SLOT_S));
    assert!(found[0].evidence.contains(r#""export_wh":500"#), "{}", found[0].evidence);
    for (whom, count) in [(Some(HouseholdId(2)), 1), (None, 1), (Some(HouseholdId(1)), 0)] {
        assert_eq!(village.store.notices_of(whom, 10).await.unwrap().len(), count, "{whom:?}");
    }

    // A restart forgets nobody.
    village.stop().await;
    village.start();
    assert_eq!(village.slot(sells).await.len(), 2);

    // She showed the battery: all of it is attested at once, and the rule rests.
    village.decide(found[0].number, FindingDecision::Accept).await;
    let rows = village.slot(sells).await;
    assert_eq!(rows, BTreeMap::from([(1, (0, 300)), (2, (2_000, 60)), (3, (0, 300)), (4, (180, 1_520))]));
    assert_eq!(village.findings().await.len(), 1);
    village.stop().await;
}

#[tokio::test]
async fn who_was_refused_stays_held_until_the_meter_is_another() {
    let mut village = Village::new().await;
    village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    // More than a cable of 5 kW can carry in a quarter of an hour.
    let burns = [(1, QUIET), (2, [2_000, 0, 0]), (3, QUIET)];
    assert_eq!(village.slot(burns).await.keys().copied().collect::<Vec<_>>(), [1, 3]);
    let found = village.findings().await;
    assert_eq!((found.len(), &found[0].code[..]), (1, "plausibility.rated_power"));
    let kept = village.store.quarantine(10).await.unwrap();
    assert_eq!((kept.len(), &kept[0].1.code[..]), (1, "plausibility.rated_power"));

    village.decide(found[0].number, FindingDecision::Refuse).await;
    let quiet = [(1, QUIET), (2, QUIET), (3, QUIET)];
    assert_eq!(village.slot(quiet).await.keys().copied().collect::<Vec<_>>(), [1, 3]);

    let old = village.store.household(HouseholdId(2)).await.unwrap().unwrap();
    let replaced = HouseholdRecord { meter_epoch: 2, ..old };
    village.store.commit(vec![Change::Household(replaced)]).await.unwrap();
    village.slot(quiet).await;
    let closed = village.store.finding(found[0].number).await.unwrap().unwrap();
    assert_eq!(closed.state, FindingState::Closed);
    assert_eq!(closed.decided_by.as_deref(), Some(jirani_oracle::findings::DECIDED_BY_SYSTEM));
    village.stop().await;
}

#[tokio::test]
async fn a_day_that_was_lived_before_is_found_when_it_is_over() {
    let mut village = Village::new().await;
    // The place's midnight is 21:00 UTC: days begin with slot 85 of the first one.
    let usage = |home: u64, slot: i64| {
        let of_day = u64::try_from((slot + 11).rem_euclid(96)).unwrap();
        let day = u64::try_from((slot + 11) / 96).unwrap();
        // Home 2 lives its first whole day again.
        let day = if home == 2 && day > 1 { 1 } else { day };
        [40 + (of_day * 7 + day * 13 + home * 29 + of_day * of_day * day) % 61, 0, 0]
    };
    for slot in 1..=(96 * 3 - 11) {
        village.slot([(1, usage(1, slot)), (2, usage(2, slot)), (3, usage(3, slot))]).await;
    }
    let found = village.findings().await;
    let found: Vec<_> = found.iter().map(|one| (one.household.unwrap().0, &one.code[..])).collect();
    assert_eq!(found, [(2, "plausibility.replay")]);
    village.stop().await;
}
