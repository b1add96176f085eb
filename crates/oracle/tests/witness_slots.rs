//! Slots and approvals on the real program, every attestation signed by a witness that
//! looks itself: one meter never holds up the others, and no past is counted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

#[path = "support/oracles.rs"]
mod oracles;
mod support;

use jirani_chain::{EnergyChain as _, HouseholdOnChain, Outcome, RpcEnergyChain};
use jirani_clock::ServiceClock;
use jirani_meter::{Reading, Registers, Signer as _, message};
use jirani_oracle::enrolment::NewHome;
use jirani_oracle::{Counters, Slots, SlotsConfig, SlotsError};
use jirani_store::{Change, Event, Events, MeterPurpose, MeterRecord, MeterState, ReadingRow, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, MeterId, Timestamp, Wh};
use oracles::{Oracles, TOKEN, enrolment};
use std::sync::Arc;
use std::time::Duration;
use support::{HomeMeter, SLOT_S, START, enrol, id_of, key_of, loss, meter_of, read, record};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GRACE_S: u32 = 60;
const PATIENCE: Duration = Duration::from_mins(1);

/// Homes 1 and 2 and the loss record 3 on feeder 1.
struct Site {
    _oracles: Oracles,
    chain: Arc<RpcEnergyChain>,
    store: Arc<dyn Store>,
    clock: ServiceClock,
    events: Events,
    slots: JoinHandle<Result<(), SlotsError>>,
    cancel: CancellationToken,
    _door: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let clock = ServiceClock::advanced_from(START);
        let oracles = Oracles::start(store.clone(), Arc::new(clock.clone())).await;
        oracles.admit(2).await;
        let (chain, door) = oracles.with_witness(0, TOKEN).await;
        let chain = Arc::new(chain);
        for home in [record(1), record(2), loss(3)] {
            let outcome = chain.submit(&format!("enrol/{}", home.id), enrolment(&home)).await.unwrap();
            assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
        }
        enrol(&*store, [record(1), record(2), loss(3)]).await;
        let (events, cancel) = (Events::new(64), CancellationToken::new());
        let config = SlotsConfig { slot_length_s: 900, grace_s: GRACE_S };
        let counters = Counters::default();
        let slots = Slots::new(config, store.clone(), chain.clone(), clock.clone(), events.clone(), counters);
        let slots = tokio::spawn(slots.unwrap().run(cancel.clone()));
        Self { _oracles: oracles, chain, store, clock, events, slots, cancel, _door: door, _folder: folder }
    }

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

    async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.slots).await.unwrap().unwrap().unwrap();
    }

    /// Reads, and stores what was read as the gateway would.
    async fn read(&self, home: u32, meter: &mut HomeMeter, seconds: i64, registers: (u64, u64)) {
        read(meter, seconds, registers.0, registers.1);
        let sent = meter.message().unwrap();
        let signed = message::split(&sent).unwrap().last().unwrap().unwrap().bytes.to_vec();
        let (reading, _) = Reading::decode(&signed).unwrap();
        let time = Timestamp(i64::try_from(reading.time_us).unwrap());
        let row = ReadingRow {
            meter: MeterId(reading.meter),
            epoch: reading.epoch,
            seq: reading.seq,
            household: HouseholdId(home),
            time,
            import_wh: Wh(reading.registers.import_wh),
            export_wh: Wh(reading.registers.export_wh),
            generation_wh: Wh(0),
            power_w: 0,
            bytes: signed,
            received_at: time,
        };
        self.store.append_readings(vec![row], Vec::new()).await.unwrap();
    }

    /// An approval, and what follows of it.
    async fn approve(&self, record: MeterRecord) {
        let (meter, mut heard) = (record.meter, self.events.subscribe());
        self.store.commit(vec![Change::Meter(Box::new(record))]).await.unwrap();
        self.events.publish(Event::Meter(meter));
        let active = async {
            while self.store.meter(meter).await.unwrap().unwrap().state != MeterState::Active {
                heard.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, active).await.expect("the approval never reached the chain");
    }

    async fn on_chain(&self, home: u32) -> HouseholdOnChain {
        self.chain.household(HouseholdId(home)).await.unwrap().unwrap()
    }

    /// Minted and attested import of each of these homes.
    async fn counted<const N: usize>(&self, homes: [u32; N]) -> [(u64, u64); N] {
        let mut counted = [(0, 0); N];
        for (place, home) in homes.into_iter().enumerate() {
            let home = self.on_chain(home).await;
            counted[place] = (home.minted_wh.0, home.import_wh.0);
        }
        counted
    }

    /// E4: everything exported is imported, losses included.
    async fn adds_up(&self) {
        let chain = self.chain.snapshot().await.unwrap();
        let sum =
            |of: fn(&HouseholdOnChain) -> Wh| chain.households.iter().map(|(_, h)| of(h).0).sum::<u64>();
        assert_eq!(sum(|home| home.export_wh), sum(|home| home.import_wh));
        assert_eq!(chain.supply_wh.0, sum(|home| home.shortfall_wh));
    }
}

/// Home `id`'s meter, whose approval only needs the chain.
fn approved(id: u32, home: u32, purpose: MeterPurpose, at: Timestamp) -> MeterRecord {
    MeterRecord {
        meter: id_of(id),
        key: key_of(id).public_key(),
        household: HouseholdId(home),
        purpose,
        state: MeterState::Approved,
        replaces: None,
        epoch: 1,
        modulus_wh: None,
        opening: Registers::default(),
        trust: "device".to_owned(),
        draft: None,
        nonce: None,
        claimed_by: "Amina".to_owned(),
        claimed_at: at,
        challenged_at: Some(at),
        answered_at: Some(at),
        approved_by: Some("Baraka".to_owned()),
        approved_at: Some(at),
        reason: String::new(),
        held: None,
        request: None,
        version: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_meter_that_counted_too_much_holds_up_neither_the_others_nor_approvals() {
    let site = Site::new().await;
    let (mut one, mut two) = (meter_of(1), meter_of(2));
    for slot in 1..=2 {
        // More than ten days of its 5 kW in its first reading: nobody signs that.
        site.read(1, &mut one, slot * SLOT_S, (0, 1_300_000)).await;
        site.read(2, &mut two, slot * SLOT_S, (90, 0)).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.counted([1, 2, 3]).await, [(0, 0), (0, 180), (0, 0)]);
    assert_eq!(site.on_chain(2).await.attested_through, START.plus_seconds(2 * SLOT_S));
    assert_eq!(site.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
    let history = site.store.meter_events(Some(id_of(1)), 10).await.unwrap();
    assert_eq!(history.len(), 1, "it is written down once");
    assert!(history.iter().all(|event| event.code == "meter.not_witnessed"), "{history:?}");
    assert!(history[0].detail.contains("witness.rating"), "{history:?}");

    let now = site.clock.now();
    let replacement = MeterRecord { replaces: Some(id_of(2)), ..approved(9, 2, MeterPurpose::Replace, now) };
    site.approve(replacement).await;
    assert_eq!(site.on_chain(2).await.meter, (key_of(9).public_key(), 2));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_ended_before_a_replacement_waits_for_the_new_meter_and_every_wh_counts_once() {
    let site = Site::new().await;
    let (mut one, mut new, mut two) = (meter_of(1), meter_of(9), meter_of(2));
    site.read(1, &mut one, SLOT_S, (0, 100)).await;
    site.read(2, &mut two, SLOT_S, (90, 0)).await;
    site.run_to(SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.counted([1, 2, 3]).await, [(100, 0), (0, 90), (0, 10)]);
    site.adds_up().await;

    // It reads at the slot's end, and is replaced before that is attested.
    site.read(1, &mut one, 2 * SLOT_S, (0, 50)).await;
    site.run_to(2 * SLOT_S + 10).await;
    let now = site.clock.now();
    let replacement = MeterRecord { replaces: Some(id_of(1)), ..approved(9, 1, MeterPurpose::Replace, now) };
    site.approve(replacement).await;
    site.read(2, &mut two, 2 * SLOT_S, (60, 0)).await;
    site.run_to(2 * SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.counted([1, 2, 3]).await, [(100, 0), (0, 150), (0, 10)]);

    site.read(1, &mut new, 3 * SLOT_S, (0, 30)).await;
    site.read(2, &mut two, 3 * SLOT_S, (20, 0)).await;
    site.run_to(3 * SLOT_S + i64::from(GRACE_S)).await;
    assert_eq!(site.counted([1, 2, 3]).await, [(180, 0), (0, 170), (0, 10)]);
    assert_eq!(site.store.meter_events(Some(id_of(9)), 10).await.unwrap().len(), 1, "no row was refused");
    site.adds_up().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_meter_that_has_counted_before_only_what_comes_after_its_opening_counts() {
    let site = Site::new().await;
    let home = NewHome {
        alias: "Mti".to_owned(),
        name: "Mama Mti".to_owned(),
        msisdn: None,
        swahili: true,
        feeder: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
    };
    let opening = Registers { import_wh: 3_000_000, export_wh: 2_000_000, generation_wh: 4_000_000 };
    let used = MeterRecord {
        opening,
        draft: Some(serde_json::to_string(&home).unwrap()),
        ..approved(4, 4, MeterPurpose::Enrol, START)
    };
    site.approve(used).await;
    let (mut one, mut two, mut four) = (meter_of(1), meter_of(2), meter_of(4));
    for slot in 1..=2 {
        site.read(1, &mut one, slot * SLOT_S, (0, 100)).await;
        site.read(2, &mut two, slot * SLOT_S, (90, 0)).await;
        let past = if slot == 1 { (opening.import_wh, opening.export_wh) } else { (0, 0) };
        site.read(4, &mut four, slot * SLOT_S, (past.0 + 20, past.1 + 50)).await;
        site.run_to(slot * SLOT_S + i64::from(GRACE_S)).await;
    }
    assert_eq!(site.counted([1, 2, 4, 3]).await, [(200, 0), (0, 180), (100, 40), (0, 80)]);
    assert_eq!(site.on_chain(4).await.export_wh, Wh(100));
    site.adds_up().await;
    // Another meter goes on from there: what its span begins at is what the chain has.
    let spans = site.store.spans().await.unwrap();
    let offsets: Vec<_> = spans.iter().map(|span| (span.number, span.offsets.export_wh)).collect();
    assert_eq!(offsets, [(0, 0), (1, -2_000_000)]);
    site.stop().await;
}
