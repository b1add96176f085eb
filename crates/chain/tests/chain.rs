//! The sender against a real local chain with the real program, through public doors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use jirani_chain::admin::{self, Operator, Planned};
use jirani_chain::index::{LiveConfig, RpcHistory};
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::readiness::Expectation;
use jirani_chain::{
    AttestRow, ChainConfig, ChainError, ChainKeys, EnergyChain as _, FeeBounds, Finished, Outcome,
    PayerLevel, Retry, RowStatus, RpcEnergyChain, TariffOutcome, Work,
};
use jirani_energy_interface::{EnergyProgram, LOCAL_PROGRAM_ID};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::{Fill, Tariff};
use jirani_store::{HouseholdKind, OutboxRecord, OutboxState, Proof, ReleaseReason, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use solana_message::{Message, VersionedMessage};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NOON: Timestamp = Timestamp::from_seconds(1_795_348_800);
const SELLER: HouseholdId = HouseholdId(1);
const BUYER: HouseholdId = HouseholdId(2);
const TARIFF: Tariff =
    Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };

#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A chain, a store and a client, on a folder.
struct Bench {
    localnet: Option<RunningLocalnet>,
    listen: SocketAddr,
    store: Arc<SqliteStore>,
    chain: RpcEnergyChain,
    clock: HandClock,
    folder: tempfile::TempDir,
}

fn elf() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn localnet(
    listen: SocketAddr,
    folder: &Path,
    slot_time: Duration,
    clock: &HandClock,
) -> RunningLocalnet {
    let keys = ChainKeys::from_seed(&[3; 32]);
    let program = GenesisProgram {
        address: LOCAL_PROGRAM_ID,
        elf: elf(),
        upgrade_authority: keys.upgrade_authority_address(),
    };
    let config = LocalnetConfig {
        data_dir: Some(folder.to_owned()),
        programs: vec![program],
        slot_time,
        ..LocalnetConfig::new(listen, [9; 32])
    };
    Localnet::start(config, Arc::new(clock.clone())).await.unwrap()
}

async fn connect(url: &str, store: Arc<dyn Store>, clock: &HandClock) -> RpcEnergyChain {
    let keys = ChainKeys::from_seed(&[3; 32]);
    let config = ChainConfig { patience: Duration::ZERO, ..ChainConfig::new(url, LOCAL_PROGRAM_ID, keys) };
    RpcEnergyChain::connect(config, store, Arc::new(clock.clone())).await.unwrap()
}

impl Bench {
    async fn new() -> Self {
        Self::with_slots_of(Duration::from_millis(400)).await
    }

    async fn with_slots_of(slot_time: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock(Arc::new(AtomicI64::new(NOON.0)));
        let localnet = localnet("127.0.0.1:0".parse().unwrap(), folder.path(), slot_time, &clock).await;
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let chain = connect(&localnet.rpc_url, store.clone(), &clock).await;
        chain.initialise(&TARIFF).await.unwrap();
        Self { listen: localnet.addr, localnet: Some(localnet), store, chain, clock, folder }
    }

    /// A seller with 5 kWh in the vault and a buyer who owes 1 kWh.
    async fn with_energy() -> Self {
        let bench = Self::new().await;
        for id in [SELLER, BUYER] {
            landed(&bench.submit(&format!("enrol/{id}"), enrol(id)).await);
        }
        bench.advance(900);
        landed(&bench.submit("attest/1", attest(bench.clock.now(), 5_000, 1_000)).await);
        bench
    }

    async fn submit(&self, key: &str, work: Work) -> Outcome {
        self.chain.submit(key, work).await.unwrap()
    }

    fn advance(&self, seconds: i64) -> Timestamp {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        self.clock.now()
    }

    /// The admin pauses the market, or resumes.
    async fn pause(&self, paused: bool) {
        let operator = Operator::new(&format!("http://{}", self.listen), LOCAL_PROGRAM_ID, true).unwrap();
        let config = operator.initialised().await.unwrap();
        let keys = ChainKeys::from_seed(&[3; 32]);
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let planned = if paused {
            admin::pause(&program, &config, config.pause_key.into())
        } else {
            admin::resume(&program, &config)
        };
        let Planned::Do(plan) = planned else { panic!("it changes") };
        let prepared = operator.prepare(&plan, keys.payer_address(), 0, 0).await.unwrap();
        let mut keyring = Keyring::default();
        keyring.add(Role::Payer, keys.payer.insecure_clone());
        keyring.add(Role::Admin, keys.admin.insecure_clone());
        operator.deliver(&prepared.sign(&keyring).unwrap(), prepared.last_valid).await.unwrap();
    }

    async fn restart(&mut self) {
        if let Some(localnet) = self.localnet.take() {
            localnet.stop().await;
        }
        let slot_time = Duration::from_millis(400);
        self.localnet = Some(localnet(self.listen, self.folder.path(), slot_time, &self.clock).await);
    }

    /// A store that was killed after the bytes were sent and before anything more
    /// was recorded.
    async fn killed_store(&self, key: &str) -> (Arc<SqliteStore>, OutboxRecord) {
        let record = self.store.outbox(key).await.unwrap().unwrap();
        let store = Arc::new(SqliteStore::open(&self.folder.path().join("killed.db")).await.unwrap());
        let sent =
            OutboxRecord { state: OutboxState::Sent, compute_units: 0, fee_lamports: 0, ..record.clone() };
        store.put_outbox(sent).await.unwrap();
        (store, record)
    }
}

fn enrol(household: HouseholdId) -> Work {
    Work::Enrol {
        household,
        kind: HouseholdKind::Home,
        feeder: 1,
        meter_key: [u8::try_from(household.0).unwrap(); 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
    }
}

fn attest(slot_end: Timestamp, exported: u64, imported: u64) -> Work {
    let row = |household, export_wh, import_wh| AttestRow {
        household,
        export_wh: Wh(export_wh),
        import_wh: Wh(import_wh),
    };
    let rows = vec![row(SELLER, exported, 0), row(BUYER, 0, imported)];
    Work::Attest { feeder: 1, slot_end, evidence_root: [5; 32], rows }
}

fn post(offer: u64, energy_wh: u64) -> Work {
    Work::PostOffer {
        seller: SELLER,
        offer: OfferId(offer),
        energy_wh: Wh(energy_wh),
        price: Price(1_500),
        expires_at: NOON.plus_seconds(86_400),
    }
}

fn fills(energy_wh: u32) -> Vec<Fill> {
    vec![Fill { offer: OfferId(1), seller: SELLER, energy_wh, price: Price(1_500) }]
}

fn place(order: u64, energy_wh: u32) -> Work {
    Work::PlaceOrder {
        buyer: BUYER,
        order: OrderId(order),
        fills: fills(energy_wh),
        fee: Price(200),
        tax: Price(100),
    }
}

fn settle(order: u64, energy_wh: u32, proof: u8, paid_at: Timestamp) -> Work {
    let proof = Proof::Receipt([proof; 32]);
    Work::Settle { buyer: BUYER, order: OrderId(order), fills: fills(energy_wh), proof, paid_at }
}

fn release(order: u64, energy_wh: u32) -> Work {
    let reason = ReleaseReason::PaymentRefused;
    Work::Release { buyer: BUYER, order: OrderId(order), fills: fills(energy_wh), reason }
}

fn landed(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Landed { signature, .. } => signature.clone(),
        Outcome::Refused { code, message, .. } => panic!("{code}: {message}"),
    }
}

fn refused(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Refused { code, .. } => code,
        Outcome::Landed { signature, .. } => panic!("{signature} landed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn energy_is_attested_offered_ordered_and_settled() {
    let bench = Bench::with_energy().await;
    assert_eq!(bench.chain.order_window_s(), (120, 300));
    let seller = bench.chain.household(SELLER).await.unwrap().unwrap();
    assert_eq!((seller.vault_wh, seller.minted_wh), (Wh(5_000), Wh(5_000)));
    assert_eq!(seller.attested_through, bench.clock.now());
    let buyer = bench.chain.household(BUYER).await.unwrap().unwrap();
    assert_eq!((buyer.vault_wh, buyer.shortfall_wh), (Wh(0), Wh(1_000)));
    assert_eq!(bench.chain.household(HouseholdId(99)).await.unwrap(), None);

    landed(&bench.submit("post/1", post(1, 3_000)).await);
    let placed_at = bench.advance(60);
    let placed = bench.submit("place/1", place(1, 1_500)).await;
    assert!(matches!(placed, Outcome::Landed { at, .. } if at == placed_at), "{placed:?}");
    let paid_at = bench.advance(30);
    landed(&bench.submit("settle/1", settle(1, 1_500, 1, paid_at)).await);
    let buyer = bench.chain.household(BUYER).await.unwrap().unwrap();
    assert_eq!((buyer.vault_wh, buyer.shortfall_wh, buyer.burned_wh), (Wh(500), Wh(0), Wh(1_000)));

    landed(&bench.submit("place/2", place(2, 700)).await);
    let held = bench.chain.snapshot().await.unwrap();
    assert_eq!((held.orders.len(), held.orders[0].held_wh, held.offers[0].owed_wh), (1, Wh(700), Wh(1_500)));
    landed(&bench.submit("release/2", release(2, 700)).await);
    landed(&bench.submit("cancel/1", Work::CancelOffer { seller: SELLER, offer: OfferId(1) }).await);

    let snapshot = bench.chain.snapshot().await.unwrap();
    assert_eq!(snapshot.supply_wh, Wh(4_000), "5,000 minted, 1,000 burned");
    assert_eq!(snapshot.token_accounts_wh, snapshot.supply_wh);
    assert_eq!((snapshot.vaults_wh, snapshot.escrow_wh, snapshot.wallets_wh), (Wh(4_000), Wh(0), Wh(0)));
    assert_eq!((snapshot.households.len(), snapshot.orders.len(), snapshot.markers), (2, 0, 1));
    let (transactions, units, fees) = bench.store.outbox_totals().await.unwrap();
    assert_eq!((transactions, fees), (9, 8 * 10_000 + 5_000), "two signatures each, of the attestation one");
    assert!(units > 9 * 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_from_balance_is_placed_and_settled_in_one_transaction() {
    let bench = Bench::with_energy().await;
    landed(&bench.submit("post/1", post(1, 3_000)).await);
    let work = Work::PlaceAndSettle {
        buyer: BUYER,
        order: OrderId(1),
        fills: fills(2_000),
        fee: Price(200),
        tax: Price(100),
        proof: Proof::Transfer([4; 32]),
        paid_at: bench.clock.now(),
    };
    landed(&bench.submit("balance/1", work).await);
    let buyer = bench.chain.household(BUYER).await.unwrap().unwrap();
    assert_eq!((buyer.vault_wh, buyer.shortfall_wh), (Wh(1_000), Wh(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_outcome_however_often_it_is_asked_for() {
    let bench = Bench::with_energy().await;
    let first = bench.submit("post/1", post(1, 3_000)).await;
    assert_eq!(bench.submit("post/1", post(1, 3_000)).await, first);
    let no = bench.submit("post/2", post(2, 90_000)).await;
    assert_eq!(refused(&no), "energy.vault_too_small");
    assert_eq!(bench.submit("post/2", post(2, 90_000)).await, no);

    let chain = &bench.chain;
    let many = futures::future::join_all((0..20).map(|_| chain.submit("post/3", post(3, 100)))).await;
    let signatures: Vec<String> = many.iter().map(|outcome| landed(outcome.as_ref().unwrap())).collect();
    assert!(signatures.iter().all(|signature| *signature == signatures[0]));
    assert_eq!(chain.snapshot().await.unwrap().escrow_wh, Wh(3_100));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_but_not_sent_lands_once_after_a_restart() {
    let mut bench = Bench::with_energy().await;
    // A blockhash is at hand; then the node is gone.
    bench.localnet.take().unwrap().stop().await;
    let unknown = bench.chain.submit("post/1", post(1, 3_000)).await;
    assert!(matches!(unknown, Err(ChainError::Unreachable(_))), "{unknown:?}");
    let stored = bench.store.outbox("post/1").await.unwrap().expect("durable before it is sent");
    assert_eq!(stored.state, OutboxState::Sent);

    bench.restart().await;
    let again = connect(&format!("http://{}", bench.listen), bench.store.clone(), &bench.clock).await;
    let outcome = again.submit("post/1", post(1, 3_000)).await.unwrap();
    assert_eq!(landed(&outcome), stored.signature, "the same bytes");
    assert_eq!(again.snapshot().await.unwrap().escrow_wh, Wh(3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_landed_but_was_not_recorded_is_found_again() {
    let mut bench = Bench::with_energy().await;
    landed(&bench.submit("post/1", post(1, 3_000)).await);
    let (store, record) = bench.killed_store("post/1").await;
    bench.restart().await;
    let again = connect(&format!("http://{}", bench.listen), store.clone(), &bench.clock).await;
    assert_eq!(landed(&again.submit("post/1", post(1, 3_000)).await.unwrap()), record.signature);
    assert_eq!(store.outbox("post/1").await.unwrap().unwrap(), record, "all of it, units and fee");
    assert_eq!(bench.chain.snapshot().await.unwrap().escrow_wh, Wh(3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_can_land_no_more_are_signed_anew() {
    let elsewhere = Bench::new().await;
    landed(&elsewhere.submit("enrol/1", enrol(SELLER)).await);
    let foreign = elsewhere.store.outbox("enrol/1").await.unwrap().unwrap();

    // A chain that has passed the last block of these bytes, and never saw them.
    let bench = Bench::with_slots_of(Duration::from_millis(2)).await;
    landed(&bench.submit("enrol/2", enrol(BUYER)).await);
    // Both chains begin with the same blockhashes: these bytes are dead once 150 blocks have passed.
    let node = RpcClient::new(format!("http://{}", bench.listen));
    while node.get_block_height().await.unwrap() < 400 {
        tokio::task::yield_now().await;
    }
    let dead = OutboxRecord { state: OutboxState::Sent, last_valid_block_height: 0, ..foreign.clone() };
    bench.store.put_outbox(dead).await.unwrap();
    assert_ne!(landed(&bench.submit("enrol/1", enrol(SELLER)).await), foreign.signature);
    assert!(bench.chain.household(SELLER).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_attestation_is_signed_anew_only_for_whoever_asks_for_it() {
    let elsewhere = Bench::new().await;
    let bench = Bench::with_slots_of(Duration::from_millis(2)).await;
    for id in [SELLER, BUYER] {
        landed(&elsewhere.submit(&format!("enrol/{id}"), enrol(id)).await);
        landed(&bench.submit(&format!("enrol/{id}"), enrol(id)).await);
    }
    let work = attest(bench.advance(900), 100, 40);
    assert_eq!(work, attest(elsewhere.advance(900), 100, 40));
    landed(&elsewhere.submit("attest/1", work.clone()).await);
    let foreign = elsewhere.store.outbox("attest/1").await.unwrap().unwrap();
    let node = RpcClient::new(format!("http://{}", bench.listen));
    while node.get_block_height().await.unwrap() < 400 {
        tokio::task::yield_now().await;
    }
    let dead = OutboxRecord { state: OutboxState::Sent, last_valid_block_height: 0, ..foreign.clone() };
    bench.store.put_outbox(dead).await.unwrap();

    // By the time the slots ask again somebody may be held.
    bench.chain.finish_unfinished().await.unwrap();
    let left = bench.store.outbox("attest/1").await.unwrap().unwrap();
    assert_eq!(left.state, OutboxState::Refused { code: "chain.expired".to_owned() });
    assert_eq!(bench.chain.snapshot().await.unwrap().supply_wh, Wh(0));
    assert_ne!(landed(&bench.submit("attest/1", work).await), foreign.signature);
    assert_eq!(bench.chain.snapshot().await.unwrap().supply_wh, Wh(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_that_the_chain_does_not_know_is_named_so_that_the_others_go_without_it() {
    let bench = Bench::new().await;
    landed(&bench.submit("enrol/1", enrol(SELLER)).await);
    let error = bench.chain.submit("attest/1", attest(bench.advance(900), 100, 40)).await.unwrap_err();
    let ChainError::Unsigned { rows, .. } = error else { panic!("{error}") };
    assert_eq!(rows.iter().map(|row| row.household).collect::<Vec<_>>(), [BUYER]);
    assert_eq!(bench.store.outbox("attest/1").await.unwrap(), None, "nothing was signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_done_in_a_forgotten_life_counts_as_done() {
    let bench = Bench::with_energy().await;
    landed(&bench.submit("post/1", post(1, 3_000)).await);
    let placed = bench.submit("place/1", place(1, 1_500)).await;
    let settled = bench.submit("settle/1", settle(1, 1_500, 1, bench.clock.now())).await;
    landed(&bench.submit("place/2", place(2, 700)).await);
    let released = bench.submit("release/2", release(2, 700)).await;

    // The same chain, and a store restored from before all of it.
    let restored = Arc::new(SqliteStore::open(&bench.folder.path().join("restored.db")).await.unwrap());
    let chain = connect(&format!("http://{}", bench.listen), restored, &bench.clock).await;
    assert_eq!(chain.submit("place/1", place(1, 1_500)).await.unwrap(), placed);
    assert_eq!(chain.submit("settle/1", settle(1, 1_500, 1, bench.clock.now())).await.unwrap(), settled);
    assert_eq!(chain.submit("release/2", release(2, 700)).await.unwrap(), released);
    landed(&chain.submit("enrol/1", enrol(SELLER)).await.unwrap());
    let not_released = chain.submit("release/1", release(1, 1_500)).await.unwrap();
    assert_eq!(refused(&not_released), "energy.wrong_owner", "it was settled");
    let other = chain.submit("settle/other", settle(3, 1_500, 1, bench.clock.now())).await.unwrap();
    assert!(refused(&other).starts_with("energy."), "the proof settled another order");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_work_under_two_keys_is_two_transactions() {
    let bench = Bench::with_energy().await;
    let now = bench.clock.now();
    let one = landed(&bench.submit("attest/again", attest(now, 5_000, 1_000)).await);
    let two = landed(&bench.submit("attest/once more", attest(now, 5_000, 1_000)).await);
    assert_ne!(one, two);
    assert_eq!(bench.chain.household(SELLER).await.unwrap().unwrap().minted_wh, Wh(5_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_says_what_became_of_every_row_also_when_asked_again() {
    let bench = Bench::with_energy().await;
    let row = |household, export_wh, import_wh| AttestRow {
        household,
        export_wh: Wh(export_wh),
        import_wh: Wh(import_wh),
    };
    // One grows, one falls back.
    let rows = vec![row(SELLER, 5_100, 0), row(BUYER, 0, 999)];
    let work = Work::Attest { feeder: 1, slot_end: bench.advance(900), evidence_root: [6; 32], rows };
    let outcome = bench.submit("attest/2", work.clone()).await;
    let Outcome::Landed { rows, .. } = &outcome else { panic!("{outcome:?}") };
    let told: Vec<_> = rows.iter().map(|row| (row.household, row.status, row.minted_wh)).collect();
    assert_eq!(told, [(SELLER, RowStatus::Applied, Wh(100)), (BUYER, RowStatus::Lowered, Wh(0))]);
    assert_eq!(bench.submit("attest/2", work.clone()).await, outcome, "from our own record");

    // The same registers again: done before, and so done.
    let Work::Attest { feeder, slot_end, rows, .. } = work else { unreachable!() };
    let again = Work::Attest { feeder, slot_end, evidence_root: [7; 32], rows: vec![rows[0]] };
    let Outcome::Landed { rows, .. } = bench.submit("attest/3", again).await else { panic!("landed") };
    assert_eq!((rows[0].status, rows[0].is_done()), (RowStatus::Stale, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_refused_under_a_pause_is_done_by_the_same_key_after_it() {
    let bench = Bench::with_energy().await;
    bench.pause(true).await;
    let no = bench.submit("post/1", post(1, 3_000)).await;
    assert_eq!(refused(&no), "energy.paused");
    let Outcome::Refused { retry: Retry::From(at), .. } = no else { panic!("a pause ends") };
    assert!(at > bench.clock.now());
    bench.pause(false).await;
    assert_eq!(bench.submit("post/1", post(1, 3_000)).await, no, "not before its moment");
    bench.clock.0.store(at.0, Ordering::SeqCst);
    landed(&bench.submit("post/1", post(1, 3_000)).await);
    assert_eq!(bench.store.outbox("post/1").await.unwrap().unwrap().signed, 2);
    assert_eq!(bench.chain.snapshot().await.unwrap().escrow_wh, Wh(3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_is_finished_without_being_asked_for() {
    let mut bench = Bench::with_energy().await;
    bench.localnet.take().unwrap().stop().await;
    for n in 1..=3 {
        assert!(bench.chain.submit(&format!("post/{n}"), post(n, 100)).await.is_err());
    }
    bench.restart().await;
    let again = connect(&format!("http://{}", bench.listen), bench.store.clone(), &bench.clock).await;
    let finished = again.finish_unfinished().await.unwrap();
    assert_eq!(finished, Finished { landed: 3, refused: 0, unknown: 0 });
    assert_eq!(again.finish_unfinished().await.unwrap(), Finished::default());
    assert_eq!(again.snapshot().await.unwrap().escrow_wh, Wh(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payer_is_watched_and_pays_for_priority_within_bounds() {
    let bench = Bench::with_energy().await;
    let heard = bench.chain.payer();
    assert_eq!(bench.chain.look_at_payer().await.unwrap().level, PayerLevel::Enough);
    assert!(heard.has_changed().unwrap());
    let before = heard.borrow().lamports;
    landed(&bench.submit("post/1", post(1, 100)).await);
    assert_eq!(heard.borrow().lamports, before - 10_000, "two signatures");

    let config = ChainConfig {
        priority_fee: FeeBounds { floor_lamports: 700, cap_lamports: 9_000 },
        ..ChainConfig::new(
            format!("http://{}", bench.listen),
            LOCAL_PROGRAM_ID,
            ChainKeys::from_seed(&[3; 32]),
        )
    };
    let chain =
        RpcEnergyChain::connect(config, bench.store.clone(), Arc::new(bench.clock.clone())).await.unwrap();
    landed(&chain.submit("post/2", post(2, 100)).await.unwrap());
    let record = bench.store.outbox("post/2").await.unwrap().unwrap();
    assert_eq!(record.fee_lamports, 10_700, "nobody else bids here: the floor");
    assert!(record.compute_units > 0);
}

/// The oracle gives all it can spend to the payer.
async fn empty_the_oracle(bench: &Bench) {
    let node = RpcClient::new(format!("http://{}", bench.listen));
    let keys = ChainKeys::from_seed(&[3; 32]);
    let (oracle, payer) = (keys.oracle.pubkey(), keys.payer.pubkey());
    let lamports = node.get_balance(&oracle).await.unwrap() - 5_000;
    let transfer = solana_system_interface::instruction::transfer(&oracle, &payer, lamports);
    let message =
        Message::new_with_blockhash(&[transfer], Some(&oracle), &node.get_latest_blockhash().await.unwrap());
    let signed = VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[&*keys.oracle]).unwrap();
    node.send_transaction(&signed).await.unwrap();
    assert_eq!(node.get_balance(&oracle).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oracle_pays_for_its_attestations_out_of_a_purse_that_the_payer_fills() {
    let bench = Bench::with_energy().await;
    let attested = bench.store.outbox("attest/1").await.unwrap().unwrap();
    assert_eq!(attested.fee_lamports, 5_000, "one signature");
    empty_the_oracle(&bench).await;

    // A sender that knows nothing of the purse looks into it first.
    let url = format!("http://{}", bench.listen);
    let chain = connect(&url, bench.store.clone(), &bench.clock).await;
    let before = chain.payer_lamports().await.unwrap();
    let again = |exported| attest(bench.advance(900), exported, 1_000);
    landed(&chain.submit("attest/2", again(5_100)).await.unwrap());
    let purse = *chain.oracle_purse().borrow();
    assert_eq!((purse.level, purse.lamports), (PayerLevel::Enough, 20_000_000 - 5_000));
    let given = before - chain.payer_lamports().await.unwrap();
    assert_eq!(given, 20_000_000 + 5_000, "the payer pays for the sending");

    // One that believes it full is told otherwise once, and then fills it.
    empty_the_oracle(&bench).await;
    let told = chain.submit("attest/3", again(5_200)).await;
    assert!(matches!(told, Err(ChainError::NotReady(_))), "{told:?}");
    landed(&chain.submit("attest/3", again(5_200)).await.unwrap());
    assert_eq!(chain.household(SELLER).await.unwrap().unwrap().minted_wh, Wh(5_200));
    assert_ne!(chain.payer().borrow().level, PayerLevel::Empty, "the payer was not the one in want");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_account_and_is_told_the_same_when_asked_again() {
    let bench = Bench::with_energy().await;
    let first = bench.submit("release/9", release(9, 100)).await;
    let Outcome::Refused { code, message, .. } = &first else { panic!("{first:?}") };
    assert!(code.starts_with("energy.") && message.contains("(account `"), "{code}: {message}");
    assert_eq!(bench.submit("release/9", release(9, 100)).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_tended_finishes_what_a_crash_left_and_fills_the_purse() {
    let mut bench = Bench::with_energy().await;
    bench.localnet.take().unwrap().stop().await;
    for n in 1..=3 {
        assert!(bench.chain.submit(&format!("post/{n}"), post(n, 100)).await.is_err());
    }
    bench.restart().await;
    empty_the_oracle(&bench).await;
    let url = format!("http://{}", bench.listen);
    let again = Arc::new(connect(&url, bench.store.clone(), &bench.clock).await);
    let mut purse = again.oracle_purse();
    let cancel = CancellationToken::new();
    let tending = tokio::spawn(again.clone().tend(cancel.clone()));
    purse.wait_for(|purse| purse.level == PayerLevel::Enough).await.unwrap();
    while !bench.store.outbox_unfinished("", 10).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(again.snapshot().await.unwrap().escrow_wh, Wh(300));
    cancel.cancel();
    tending.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn work_lands_whether_the_node_can_be_listened_to_or_not() {
    let bench = Bench::with_energy().await;
    let localnet = bench.localnet.as_ref().unwrap();
    for (n, ws_url) in [(1, localnet.ws_url.as_str()), (2, "ws://127.0.0.1:9"), (3, "nonsense")] {
        let keys = ChainKeys::from_seed(&[3; 32]);
        let config = ChainConfig {
            ws_url: Some(ws_url.into()),
            ..ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys)
        };
        let (store, clock) = (bench.store.clone(), Arc::new(bench.clock.clone()));
        let chain = Arc::new(RpcEnergyChain::connect(config, store, clock).await.unwrap());
        let cancel = CancellationToken::new();
        let tending = tokio::spawn(chain.clone().tend(cancel.clone()));
        landed(&chain.submit(&format!("post/{n}"), post(n, 100)).await.unwrap());
        cancel.cancel();
        tending.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_nor_state_tells_what_is_secret_in_a_nodes_url() {
    let secrets = ["hunter2", "AbCdEf0123456789", "sesame"];
    let folder = tempfile::tempdir().unwrap();
    let clock = HandClock(Arc::new(AtomicI64::new(NOON.0)));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
    // Nobody answers at the first; the second answers every question with an error page.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = axum::Router::new().fallback(|| async { (axum::http::StatusCode::FORBIDDEN, "no sesame") });
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, page).await });
    for host in ["127.0.0.1:9".to_owned(), address.to_string()] {
        let url = format!("http://me:hunter2@{host}/v2/AbCdEf0123456789?api-key=sesame");
        let config = ChainConfig {
            ws_url: Some(url.replace("http", "ws").into()),
            ..ChainConfig::new(url.clone(), LOCAL_PROGRAM_ID, ChainKeys::from_seed(&[3; 32]))
        };
        let mut texts = vec![format!("{config:?}"), format!("{:?}", LiveConfig::new(&url, LOCAL_PROGRAM_ID))];
        let failed = RpcEnergyChain::connect(config, store.clone(), Arc::new(clock.clone())).await.err();
        let failed = failed.expect("no node there");
        texts.extend([failed.to_string(), format!("{failed:?}")]);
        let operator = Operator::new(&url, LOCAL_PROGRAM_ID, false).unwrap();
        let expected = Expectation { genesis_hash: None, program: operator.program, payer: None };
        texts.push(format!("{:?}", operator.readiness(&expected, None).await));
        let history = RpcHistory::new(&url).unwrap();
        texts.push(history.genesis_hash().await.unwrap_err().to_string());
        for text in &texts {
            let told = secrets.iter().find(|secret| text.contains(**secret));
            assert!(told.is_none(), "{told:?} in {text}");
            assert!(text.contains("127.0.0.1"), "the host is told: {text}");
        }
    }
    let none = Operator::new("hunter2", LOCAL_PROGRAM_ID, false).err().unwrap().to_string();
    assert!(!none.contains("hunter2"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn initialising_again_changes_only_what_differs() {
    let bench = Bench::new().await;
    let before = bench.chain.snapshot().await.unwrap();
    bench.chain.initialise(&TARIFF).await.unwrap();
    assert_eq!(bench.chain.snapshot().await.unwrap(), before);
    let other = Tariff { retail: Price(2_500), ..TARIFF };
    bench.chain.initialise(&other).await.unwrap();
    assert_eq!(bench.chain.set_tariff(&other).await.unwrap(), TariffOutcome::AlreadySet);
    assert_eq!(bench.chain.set_tariff(&TARIFF).await.unwrap(), TariffOutcome::Set);
    assert_eq!(bench.chain.set_tariff(&TARIFF).await.unwrap(), TariffOutcome::AlreadySet);

    let strangers = ChainKeys::from_seed(&[8; 32]);
    let url = format!("http://{}", bench.listen);
    let config = ChainConfig::new(url, LOCAL_PROGRAM_ID, strangers);
    let chain =
        RpcEnergyChain::connect(config, bench.store.clone(), Arc::new(bench.clock.clone())).await.unwrap();
    assert_eq!(chain.set_tariff(&TARIFF).await.unwrap(), TariffOutcome::AlreadySet);
    assert_eq!(chain.set_tariff(&other).await.unwrap(), TariffOutcome::NotAdmin);
    let error = chain.initialise(&TARIFF).await.unwrap_err();
    assert!(matches!(error, ChainError::NotReady(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_attestation_fits_one_transaction() {
    let bench = Bench::new().await;
    let ids: Vec<HouseholdId> = (1..=28).map(HouseholdId).collect();
    for id in &ids {
        landed(&bench.submit(&format!("enrol/{id}"), enrol(*id)).await);
    }
    let rows: Vec<AttestRow> =
        ids.iter().map(|id| AttestRow { household: *id, export_wh: Wh(100), import_wh: Wh(40) }).collect();
    let work = Work::Attest { feeder: 1, slot_end: bench.advance(900), evidence_root: [1; 32], rows };
    landed(&bench.submit("attest/1", work.clone()).await);
    assert_eq!(bench.chain.snapshot().await.unwrap().supply_wh, Wh(28 * 60));

    let Work::Attest { feeder, slot_end, evidence_root, mut rows } = work else { unreachable!() };
    rows.push(AttestRow { household: HouseholdId(29), ..rows[0] });
    let too_many = Work::Attest { feeder, slot_end, evidence_root, rows };
    assert!(matches!(bench.chain.submit("attest/2", too_many).await, Err(ChainError::InvalidWork(_))));
}
