//! Two oracles, one signature each, against the real program on a local chain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

#[path = "support/oracles.rs"]
mod oracles;
mod support;

use jirani_chain::witness::WitnessPolicy;
use jirani_chain::witness::http::{HttpWitness, Token};
use jirani_chain::{AttestRow, ChainError, EnergyChain as _, Outcome, Work};
use jirani_meter::{Reading, message};
use jirani_oracle::merkle_root;
use jirani_oracle::witness::StoredEvidence;
use jirani_store::{AttestedRow, ReadingRow, SlotRecord, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, MeterId, Timestamp, Wh};
use oracles::{Oracles, TOKEN, enrolment};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use support::{START, enrol, loss, meter_of, read, record};

#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Site {
    oracles: Oracles,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

/// 100 Wh exported by home 1, 90 imported by home 2, 10 lost, at the first slot's end.
fn slot_end() -> Timestamp {
    START.plus_seconds(900)
}

fn rows(exported: u64) -> Vec<AttestRow> {
    let row = |id, export_wh, import_wh| AttestRow {
        household: HouseholdId(id),
        export_wh: Wh(export_wh),
        import_wh: Wh(import_wh),
    };
    vec![row(1, exported, 0), row(2, 0, 90), row(3, 0, exported.saturating_sub(90))]
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock(Arc::new(AtomicI64::new(START.0)));
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let oracles = Oracles::start(store.clone(), Arc::new(clock.clone())).await;
        let chain = oracles.chain().await;
        for home in [record(1), record(2), loss(3)] {
            let outcome = chain.submit(&format!("enrol/{}", home.id), enrolment(&home)).await.unwrap();
            assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
        }
        clock.0.store(slot_end().plus_seconds(60).0, Ordering::SeqCst);
        enrol(&*store, [record(1), record(2), loss(3)]).await;
        let site = Self { oracles, store, _folder: folder };
        let evidence = [site.read(1, 0, 100).await, site.read(2, 90, 0).await];
        let slot = SlotRecord {
            feeder: 1,
            end: slot_end(),
            evidence_root: merkle_root(evidence.iter().map(Vec::as_slice)),
            rows: rows(100)
                .into_iter()
                .map(|row| AttestedRow {
                    household: row.household,
                    export_wh: row.export_wh,
                    import_wh: row.import_wh,
                    estimated: false,
                })
                .collect(),
            signatures: Vec::new(),
            attested_at: None,
        };
        site.store.put_slot(slot).await.unwrap();
        site
    }

    /// A home's reading at the slot's end, kept; its signed bytes.
    async fn read(&self, home: u32, import_wh: u64, export_wh: u64) -> Vec<u8> {
        let mut meter = meter_of(home);
        read(&mut meter, 900, import_wh, export_wh);
        let sent = meter.message().unwrap();
        let signed = message::split(&sent).unwrap().next().unwrap().unwrap().bytes.to_vec();
        let (reading, _) = Reading::decode(&signed).unwrap();
        let row = ReadingRow {
            meter: MeterId(reading.meter),
            epoch: reading.epoch,
            seq: reading.seq,
            household: HouseholdId(home),
            time: slot_end(),
            import_wh: Wh(import_wh),
            export_wh: Wh(export_wh),
            generation_wh: Wh(0),
            power_w: 0,
            bytes: signed.clone(),
            received_at: slot_end(),
        };
        self.store.append_readings(vec![row], Vec::new()).await.unwrap();
        signed
    }

    async fn attest(&self, rows: Vec<AttestRow>) -> Work {
        let slots = self.store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap();
        Work::Attest { feeder: 1, slot_end: slot_end(), evidence_root: slots[0].evidence_root, rows }
    }
}

fn waits(outcome: Result<Outcome, ChainError>, why: &str) {
    match outcome {
        Err(ChainError::NotReady(said)) => assert!(said.contains(why), "{said}"),
        Err(ChainError::Unsigned { why: said, rows }) => {
            assert!(said.contains(why) && rows.is_empty(), "{said}, {rows:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// How many signed the transaction that landed, and how many of its rows were applied.
fn signed_and_applied(stored: &jirani_store::OutboxRecord, outcome: &Outcome) -> (usize, usize) {
    let Outcome::Landed { rows, .. } = outcome else { panic!("{outcome:?}") };
    // One is 64 bytes; the count follows from the fee of 5,000 lamports each.
    (usize::try_from(stored.fee_lamports / 5_000).unwrap(), rows.iter().filter(|row| row.is_done()).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_of_two_needs_a_witness_that_found_the_same() {
    let site = Site::new().await;
    site.oracles.admit(2).await;
    let truth = site.attest(rows(100)).await;
    waits(site.oracles.chain().await.submit("attest/1", truth.clone()).await, "configure a witness");

    let (chain, door) = site.oracles.with_witness(0, TOKEN).await;
    for (key, lie) in [("lie/1", rows(101)), ("lie/2", rows(99))] {
        waits(chain.submit(key, site.attest(lie).await).await, "witness.");
    }
    let mut other_root = truth.clone();
    if let Work::Attest { evidence_root, .. } = &mut other_root {
        evidence_root[0] ^= 1;
    }
    waits(chain.submit("lie/3", other_root).await, "witness.differs");
    assert_eq!(chain.household(HouseholdId(1)).await.unwrap().unwrap().minted_wh, Wh(0), "nothing was sent");

    let outcome = chain.submit("attest/1", truth.clone()).await.unwrap();
    let stored = site.store.outbox("attest/1").await.unwrap().unwrap();
    assert_eq!(signed_and_applied(&stored, &outcome), (2, 3), "the oracle, who pays, and the witness");
    assert_eq!(chain.household(HouseholdId(1)).await.unwrap().unwrap().minted_wh, Wh(100));

    door.cancel();
    let (stranger, _door) = site.oracles.with_witness(0, "a token that somebody guessed").await;
    waits(stranger.submit("attest/2", truth).await, "witness.token");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_daily_value_the_oracle_is_enough_and_above_it_work_waits_for_the_witness() {
    let site = Site::new().await;
    site.oracles.admit(1).await;
    let truth = site.attest(rows(100)).await;
    let gone = HttpWitness::new(
        "http://127.0.0.1:9",
        Token::new(TOKEN).unwrap(),
        site.oracles.witness.address(),
        Arc::new(StoredEvidence::new(site.store.clone())),
    );
    let policy = WitnessPolicy { alone_wh_per_day: 99 };
    let chain = site.oracles.chain().await.with_witness(Arc::new(gone.unwrap()), policy);
    waits(chain.submit("attest/1", truth.clone()).await, "witness.unreachable");
    assert_eq!(site.store.outbox("attest/1").await.unwrap(), None, "nothing was signed");

    let (chain, _door) = site.oracles.with_witness(100, TOKEN).await;
    let outcome = chain.submit("attest/1", truth.clone()).await.unwrap();
    let stored = site.store.outbox("attest/1").await.unwrap().unwrap();
    assert_eq!(signed_and_applied(&stored, &outcome), (1, 3), "the oracle, who pays");
    // What was attested alone today is remembered over a restart.
    let kept = site.store.setting("chain.attested_alone").await.unwrap().unwrap();
    assert!(kept.ends_with(" 100"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_nothing_proves_is_named_and_the_others_are_signed_without_it() {
    let site = Site::new().await;
    site.oracles.admit(2).await;
    let (chain, _door) = site.oracles.with_witness(0, TOKEN).await;
    // Home 4 has neither a meter on this feeder nor evidence.
    let home = AttestRow { household: HouseholdId(4), export_wh: Wh(1), import_wh: Wh(0) };
    chain.submit("enrol/4", enrolment(&record(4))).await.unwrap();
    let with = [rows(100), vec![home]].concat();
    match chain.submit("attest/1", site.attest(with).await).await {
        Err(ChainError::Unsigned { rows, .. }) => {
            let [named] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(named.household, HouseholdId(4));
            assert!(named.why.contains("witness.no_evidence"), "{}", named.why);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(site.store.outbox("attest/1").await.unwrap(), None, "nothing was sent");
    let outcome = chain.submit("attest/1-4", site.attest(rows(90)).await).await;
    waits(outcome, "witness.differs");
}
