//! Two oracles, one signature each, against the real program on a local chain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_chain::admin::{Operator, Planned, rotate_oracle};
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::witness::http::{self, HttpWitness, Token};
use jirani_chain::witness::registry::Registry;
use jirani_chain::witness::{WitnessKey, WitnessPolicy};
use jirani_chain::{
    AttestRow, ChainConfig, ChainError, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work,
};
use jirani_energy_interface::{EnergyProgram, LOCAL_PROGRAM_ID};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_meter::{Reading, message};
use jirani_oracle::merkle_root;
use jirani_oracle::witness::{Examination, StoredEvidence};
use jirani_store::{AttestedRow, HouseholdRecord, ReadingRow, SlotRecord, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, MeterId, Price, Timestamp, Wh};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use support::{START, enrol, loss, meter_of, read, record};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "a token that nobody can guess";
const TARIFF: Tariff =
    Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };

#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Site {
    localnet: RunningLocalnet,
    store: Arc<SqliteStore>,
    clock: HandClock,
    keys: ChainKeys,
    witness: WitnessKey,
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
        let keys = ChainKeys::from_seed(&[3; 32]);
        let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
        let program = GenesisProgram {
            address: LOCAL_PROGRAM_ID,
            elf: std::fs::read(elf).unwrap(),
            upgrade_authority: keys.upgrade_authority_address(),
        };
        let clock = HandClock(Arc::new(AtomicI64::new(START.0)));
        let config = LocalnetConfig {
            programs: vec![program],
            ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [9; 32])
        };
        let localnet = Localnet::start(config, Arc::new(clock.clone())).await.unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let witness = WitnessKey::new(ChainKeys::from_seed(&[4; 32]).oracle);
        let site = Self { localnet, store, clock, keys, witness, _folder: folder };
        let chain = site.chain().await;
        chain.initialise(&TARIFF).await.unwrap();
        for home in [record(1), record(2), loss(3)] {
            let outcome = chain.submit(&format!("enrol/{}", home.id), enrolment(&home)).await.unwrap();
            assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
        }
        site.clock.0.store(slot_end().plus_seconds(60).0, Ordering::SeqCst);
        enrol(&*site.store, [record(1), record(2), loss(3)]).await;
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

    async fn chain(&self) -> RpcEnergyChain {
        let config = ChainConfig::new(self.localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, self.keys.clone());
        RpcEnergyChain::connect(config, self.store.clone(), Arc::new(self.clock.clone())).await.unwrap()
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

    /// Makes the witness a member, and asks for that many signatures.
    async fn admit(&self, threshold: u8) {
        let operator = Operator::new(&self.localnet.rpc_url, LOCAL_PROGRAM_ID, true).unwrap();
        let oracle = WitnessKey::new(self.keys.oracle.clone()).address();
        let members = [oracle, self.witness.address()];
        let config = operator.initialised().await.unwrap();
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let Planned::Do(plan) = rotate_oracle(&program, &config, &members, threshold).unwrap() else {
            panic!("a new set")
        };
        let prepared = operator.prepare(&plan, self.keys.payer_address(), 0, 0).await.unwrap();
        let mut keyring = Keyring::default();
        keyring.add(Role::Payer, self.keys.payer.insecure_clone());
        keyring.add(Role::Admin, self.keys.admin.insecure_clone());
        let signed = prepared.sign(&keyring).unwrap();
        operator.deliver(&signed, prepared.last_valid).await.unwrap();
    }

    /// The witness's door, and a sender that knocks there.
    async fn with_witness(&self, alone_wh_per_day: u64, token: &str) -> (RpcEnergyChain, CancellationToken) {
        let registry = Registry::new(&self.localnet.rpc_url, LOCAL_PROGRAM_ID).unwrap();
        let examiner = Examination::new(self.witness.clone(), registry, 900);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cancel = CancellationToken::new();
        let ours = Token::new(TOKEN).unwrap();
        tokio::spawn(http::serve(listener, ours, Arc::new(examiner), cancel.clone()));
        let evidence = Arc::new(StoredEvidence::new(self.store.clone()));
        let witness = HttpWitness::new(&url, Token::new(token).unwrap(), self.witness.address(), evidence);
        let policy = WitnessPolicy { alone_wh_per_day };
        (self.chain().await.with_witness(Arc::new(witness.unwrap()), policy), cancel)
    }

    async fn attest(&self, rows: Vec<AttestRow>) -> Work {
        let slots = self.store.unattested_slots(1).await.unwrap();
        Work::Attest { feeder: 1, slot_end: slot_end(), evidence_root: slots[0].evidence_root, rows }
    }
}

fn enrolment(home: &HouseholdRecord) -> Work {
    Work::Enrol {
        household: home.id,
        kind: home.kind,
        feeder: home.feeder,
        meter_key: home.meter_key,
        meter_epoch: home.meter_epoch,
        export_rating_w: home.export_rating_w,
        import_rating_w: home.import_rating_w,
    }
}

fn waits(outcome: Result<Outcome, ChainError>, why: &str) {
    match outcome {
        Err(ChainError::NotReady(said)) => assert!(said.contains(why), "{said}"),
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
    site.admit(2).await;
    let truth = site.attest(rows(100)).await;
    waits(site.chain().await.submit("attest/1", truth.clone()).await, "configure a witness");

    let (chain, door) = site.with_witness(0, TOKEN).await;
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
    let (stranger, _door) = site.with_witness(0, "a token that somebody guessed").await;
    waits(stranger.submit("attest/2", truth).await, "witness.token");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_daily_value_the_oracle_is_enough_and_above_it_work_waits_for_the_witness() {
    let site = Site::new().await;
    site.admit(1).await;
    let truth = site.attest(rows(100)).await;
    let gone = HttpWitness::new(
        "http://127.0.0.1:9",
        Token::new(TOKEN).unwrap(),
        site.witness.address(),
        Arc::new(StoredEvidence::new(site.store.clone())),
    );
    let policy = WitnessPolicy { alone_wh_per_day: 99 };
    let chain = site.chain().await.with_witness(Arc::new(gone.unwrap()), policy);
    waits(chain.submit("attest/1", truth.clone()).await, "witness.unreachable");
    assert_eq!(site.store.outbox("attest/1").await.unwrap(), None, "nothing was signed");

    let (chain, _door) = site.with_witness(100, TOKEN).await;
    let outcome = chain.submit("attest/1", truth.clone()).await.unwrap();
    let stored = site.store.outbox("attest/1").await.unwrap().unwrap();
    assert_eq!(signed_and_applied(&stored, &outcome), (1, 3), "the oracle, who pays");
    // What was attested alone today is remembered over a restart.
    let kept = site.store.setting("chain.attested_alone").await.unwrap().unwrap();
    assert!(kept.ends_with(" 100"), "{kept}");
}
