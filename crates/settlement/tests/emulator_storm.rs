//! Everything at once on the real emulator, over real HTTP, with the real client and
//! a real database: faults in every answer, callback and outcome, a float that runs
//! dry, reversals, payments by hand, and a service that is dropped in the middle.
//! In the end every shilling is where the statement says, once.
//!
//! `JIRANI_STORM_TRADES=10000 JIRANI_STORM_PAYOUTS=5000 cargo test --release -p
//! jirani-settlement --test emulator_storm` is the long form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod door;
mod world;

use door::{Door, open_door};
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential};
use jirani_daraja_sandbox::{Behaviour, PhoneMode, RunningSandbox, Sandbox, SandboxConfig};
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId, invariants};
use jirani_settlement::{PayoutPolicy, Settlement, SettlementConfig, SettlementDeps, Want};
use jirani_store::{
    Change, CollectionState, Events, HouseholdKind, HouseholdRecord, Language, OrderState, PayWith,
    PayoutState, ReceiptUse, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, MeterId, OrderId, PayoutId, Price, Receipt, Wh};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use world::chain::{ChainFault, TestChain};
use world::{START, TARIFF};

const SELLERS: u32 = 10;
const BUYERS: u32 = 60;
const SHORTCODE: &str = "600966";
const PAYOUT_SHORTCODE: &str = "600992";
/// So little that it runs dry again and again.
const FLOAT: Cents = Cents(10_000);

/// What goes wrong, how often in a thousand.
const FAULTS: [(&str, &str, u32); 36] = [
    ("stk_response", "lose", 30),
    ("stk_response", "drop", 20),
    ("stk_response", "callback_first", 20),
    ("stk_response", "refuse:busy", 15),
    ("stk_response", "fail:internal", 15),
    ("stk_response", "fail:html_503", 10),
    ("query", "pending", 80),
    ("query", "processing", 80),
    ("query", "empty", 40),
    ("query", "unknown", 40),
    ("query", "lose", 20),
    ("query", "contradict", 10),
    ("stk_callback", "lose", 150),
    ("stk_callback", "duplicate:3", 80),
    ("stk_callback", "delay_s:40", 50),
    ("stk_callback", "reorder", 50),
    ("stk_callback", "shape:masked_phone", 50),
    ("stk_callback", "shape:no_value=MpesaReceiptNumber", 20),
    ("c2b", "lose", 250),
    ("c2b", "duplicate", 80),
    ("c2b", "delay_s:100", 50),
    ("stk", "result:17", 20),
    ("stk", "result:1001", 10),
    ("stk", "pays_late_s:200", 20),
    ("b2c_response", "lose", 40),
    ("b2c_response", "drop", 30),
    ("b2c_response", "callback_first", 20),
    ("b2c_response", "fail:system_internal", 20),
    ("b2c_callback", "lose", 150),
    ("b2c_callback", "duplicate:3", 80),
    ("b2c_callback", "delay_s:300", 50),
    ("b2c", "timeout_then_result_s:100", 20),
    ("b2c", "timeout_done", 20),
    ("status_response", "lose", 40),
    ("status_callback", "lose", 60),
    ("pull_response", "lose", 40),
];

struct Storm {
    clock: ServiceClock,
    store: Arc<SqliteStore>,
    chain: Arc<TestChain>,
    sandbox: RunningSandbox,
    mpesa: Arc<DarajaClient>,
    config: SettlementConfig,
    events: Events,
    door: Door,
    settlement: Arc<Settlement>,
    running: Option<(JoinHandle<()>, CancellationToken)>,
    rng: ChaCha20Rng,
    http: reqwest::Client,
    supply: u64,
    deposited: Cents,
    trades: usize,
    payouts: usize,
    number: u64,
    seen: BTreeMap<String, usize>,
    reversed: HashSet<Receipt>,
    _folder: tempfile::TempDir,
}

fn buyer(number: u32) -> HouseholdId {
    HouseholdId(100 + number)
}

fn amount_from(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

impl Storm {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ServiceClock::advanced_from(START);
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let chain = Arc::new(TestChain::new(clock.clone(), store.clone()));
        for id in (1..=SELLERS).map(HouseholdId).chain((0..BUYERS).map(buyer)) {
            let vault_wh = if id.0 <= SELLERS { 100_000_000 } else { 0 };
            store.commit(vec![Change::Household(household(id))]).await.unwrap();
            chain.enrol(id, vault_wh, 0);
        }
        let phones = Behaviour { cancel_per_mille: 30, silent_per_mille: 30, ..Behaviour::ALWAYS_PAYS };
        let sandbox = SandboxConfig {
            seed,
            default_mode: PhoneMode::Automatic(phones),
            opening_float: FLOAT,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(sandbox, clock.clone()).await.unwrap();
        let daraja = DarajaConfig {
            base_url: sandbox.base_url.clone(),
            consumer_key: "sandbox-key".to_owned(),
            consumer_secret: "sandbox-secret".into(),
            shortcode: SHORTCODE.to_owned(),
            passkey: "sandbox-passkey".into(),
            b2c_shortcode: PAYOUT_SHORTCODE.to_owned(),
            initiator_name: "apiuser".to_owned(),
            credential: SecurityCredential::Ready("any blob".into()),
            charges: PayoutCharges::default(),
            timeout_s: 30,
        };
        let mpesa = Arc::new(DarajaClient::new(daraja, Arc::new(clock.clone())).unwrap());
        let (door, url) = open_door(clock.clone()).await;
        let config = SettlementConfig {
            callback_base: url,
            shortcode: SHORTCODE.to_owned(),
            deployment_key: [7; 32],
            seed: [9; 32],
            tariffs: jirani_market::Tariffs::always(TARIFF).unwrap(),
            payouts: PayoutPolicy::default(),
            workers: SettlementConfig::WORKERS,
        };
        let events = Events::new(4_096);
        let settlement = service(&config, &store, &chain, &mpesa, &clock, &events);
        let mut storm = Self {
            supply: chain.supply(),
            clock,
            store,
            chain,
            sandbox,
            mpesa,
            config,
            events,
            door,
            settlement,
            running: None,
            rng: ChaCha20Rng::seed_from_u64(seed),
            http: reqwest::Client::new(),
            deposited: Cents::ZERO,
            trades: 0,
            payouts: 0,
            number: 0,
            seen: BTreeMap::new(),
            reversed: HashSet::new(),
            _folder: folder,
        };
        storm.book_float(FLOAT).await;
        storm.start().await;
        let (confirmation, validation) = storm.settlement.c2b_urls();
        storm.mpesa.register_c2b_urls(&confirmation, &validation).await.unwrap();
        let nominated = "254700000001".parse().unwrap();
        let url = format!("{}/hooks/pull", storm.config.callback_base);
        jirani_daraja::Mpesa::pull_register(storm.mpesa.as_ref(), nominated, &url).await.unwrap();
        for seller in 1..=SELLERS {
            storm.offer(HouseholdId(seller)).await;
        }
        storm
    }

    async fn start(&mut self) {
        *self.door.lock().unwrap() = Some(self.settlement.clone());
        let cancel = CancellationToken::new();
        let run = self.settlement.clone().run(cancel.clone());
        let running = tokio::spawn(async move { run.await.unwrap() });
        self.running = Some((running, cancel));
        tokio::task::yield_now().await;
        self.clock.idle().await;
    }

    /// Drops the service where it stands, whatever it was doing, and begins a new one
    /// on what is durable. Callbacks that come meanwhile find nobody.
    async fn crash(&mut self) {
        let (running, cancel) = self.running.take().unwrap();
        for _ in 0..self.rng.random_range(0..200) {
            tokio::task::yield_now().await;
        }
        *self.door.lock().unwrap() = None;
        running.abort();
        assert!(running.await.is_err_and(|error| error.is_cancelled()));
        cancel.cancel();
        let deps = (&self.store, &self.chain, &self.mpesa, &self.clock, &self.events);
        self.settlement = service(&self.config, deps.0, deps.1, deps.2, deps.3, deps.4);
        self.start().await;
        self.note("crash");
    }

    fn note(&mut self, what: &str) {
        *self.seen.entry(what.to_owned()).or_default() += 1;
    }

    fn key(&mut self) -> String {
        self.number += 1;
        format!("key-{}", self.number)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.sandbox.base_url);
        let request = self.http.post(url).header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    async fn bad_weather(&self) {
        for (target, action, per_mille) in FAULTS {
            let order = json!({"target": target, "action": action, "count": null, "per_mille": per_mille});
            let (status, answer) = self.post("/sandbox/faults", order).await;
            assert_eq!(status, 200, "{target} {action}: {answer}");
        }
    }

    async fn fair_weather(&self) {
        let url = format!("{}/sandbox/faults", self.sandbox.base_url);
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }

    async fn pass(&self, seconds: i64) {
        let until = self.clock.now().plus_seconds(seconds);
        loop {
            self.clock.idle().await;
            match self.clock.next_due() {
                Some(due) if due <= until => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(until);
        self.clock.idle().await;
    }

    async fn act(&mut self) {
        match self.rng.random_range(0..100) {
            0..50 => self.buy().await,
            50..72 => self.withdraw().await,
            72..76 => self.by_hand().await,
            76..79 => self.take_back().await,
            79..82 => self.crash().await,
            82..85 => self.chain_fault(),
            85 => self.top_up().await,
            _ => {
                let seconds = self.rng.random_range(1..60);
                self.pass(seconds).await;
            }
        }
    }

    async fn offer(&mut self, seller: HouseholdId) {
        let key = self.key();
        let posted = self.settlement.post_offer(seller, Wh(5_000_000), Price(1_500), 600_000, &key).await;
        posted.unwrap();
    }

    /// Some neighbours buy at the same moment.
    async fn buy(&mut self) {
        let count = self.rng.random_range(1..=8);
        let mut buying = Vec::new();
        for _ in 0..count {
            let buyer = buyer(self.rng.random_range(0..BUYERS));
            let (energy, key) = (self.rng.random_range(300..3_000), self.key());
            let settlement = self.settlement.clone();
            buying.push(tokio::spawn(async move {
                settlement.place_order(buyer, Want::Energy(Wh(energy)), PayWith::Mpesa, None, &key).await
            }));
        }
        for bought in futures::future::join_all(buying).await {
            match bought.unwrap() {
                Ok(_) => self.trades += 1,
                Err(error) => self.note(&error.code()),
            }
        }
    }

    async fn withdraw(&mut self) {
        let households: Vec<HouseholdId> =
            (1..=SELLERS).map(HouseholdId).chain((0..BUYERS).map(buyer)).collect();
        for _ in 0..4 {
            let household = *households.choose(&mut self.rng).unwrap();
            let available = self.store.balance(Account::Household(household)).await.unwrap().available();
            let (amount, key) = (Cents(available.0.min(self.rng.random_range(1_000..12_000))), self.key());
            match self.settlement.request_payout(household, amount, &key).await {
                Ok(_) => self.payouts += 1,
                Err(error) => self.note(&error.code()),
            }
        }
    }

    /// Somebody pays the PayBill by hand: the own account, nonsense, or an order.
    async fn by_hand(&mut self) {
        let payer = buyer(self.rng.random_range(0..BUYERS));
        let phone = household(payer).msisdn.unwrap();
        let live = self.store.live_collections().await.unwrap();
        let open = live.choose(&mut self.rng).map(|collection| collection.reference.to_string());
        let reference = match self.rng.random_range(0..3) {
            0 => format!("H{payer}"),
            1 => open.unwrap_or_else(|| "rent".to_owned()),
            _ => "nonsense".to_owned(),
        };
        let shillings = self.rng.random_range(5..200);
        let order = json!({"amount_shillings": shillings, "reference": reference, "pin": "1234"});
        let (status, _) =
            self.post(&format!("/sandbox/phones/254{}/paybill", phone.number() % 1_000_000_000), order).await;
        self.note(&format!("by hand {status}"));
    }

    /// M-Pesa gives a payment back; the statement tells us, sooner or later.
    async fn take_back(&mut self) {
        let known = self.store.receipts_after(0, 1_000).await.unwrap();
        let Some((_, record)) = known.choose(&mut self.rng) else { return };
        let (status, answer) =
            self.post("/sandbox/reversals", json!({"receipt": record.receipt.as_str()})).await;
        self.note(&format!("reversal {status}"));
        if status == 200 {
            let number = answer["receipt"].as_str().unwrap().parse().ok();
            self.reversed.insert(record.receipt.clone());
            let told = self.settlement.payment_reversed(record.receipt.clone(), number, record.amount);
            told.await.unwrap();
        }
    }

    fn chain_fault(&mut self) {
        let key = *["place/", "settle/", "release/"].choose(&mut self.rng).unwrap();
        let faults = [ChainFault::SilentBefore, ChainFault::SilentAfter, ChainFault::Refuse("energy.paused")];
        self.chain.order_fault(key, *faults.choose(&mut self.rng).unwrap());
    }

    /// The operator moves some money to the payout shortcode: in the emulator and,
    /// as it does so, in the ledger.
    async fn top_up(&mut self) {
        let more = Cents(10_000);
        let there = self.sandbox.totals().await.unwrap().payout;
        let path = format!("/sandbox/shortcodes/{PAYOUT_SHORTCODE}");
        let (status, answer) = self.post(&path, json!({"utility_cents": there.0 + more.0})).await;
        assert_eq!(status, 200, "{answer}");
        let now = self.sandbox.totals().await.unwrap().payout;
        // A payout may have gone out between the two.
        let moved = Cents(now.0 - there.0);
        if moved.is_positive() {
            self.book_float(moved).await;
        }
    }

    async fn book_float(&mut self, amount: Cents) {
        self.deposited.0 += amount.0;
        let float = Transfer {
            id: TransferId::derive("storm-float", &self.deposited.0.to_le_bytes()),
            debit: Account::MpesaPayout,
            credit: Account::OperatorFloat,
            amount,
            reason: Reason::FloatDeposit,
            kind: Kind::Posted,
            memo: String::new(),
            at: START,
        };
        self.store.commit(vec![Change::Post(float)]).await.unwrap();
    }

    /// All faults end, the float suffices, and two days pass.
    async fn calm(&mut self) {
        self.fair_weather().await;
        self.clock.idle().await;
        for _ in 0..20 {
            self.top_up().await;
        }
        let needed = self.store.live_payouts().await.unwrap().iter().map(|p| p.sent.0).sum::<i64>() / 10_000;
        for _ in 0..=needed {
            self.top_up().await;
        }
        for _ in 0..8 {
            self.pass(20_000).await;
        }
    }

    async fn ends_well(&mut self) {
        self.clock.idle().await;
        let store = &self.store;
        assert!(store.live_orders().await.unwrap().is_empty());
        assert!(store.waiting_receipts().await.unwrap().is_empty());
        assert!(store.waiting_reversals().await.unwrap().is_empty());
        assert!(store.pending_callbacks(10).await.unwrap().is_empty());
        let payouts = store.live_payouts().await.unwrap();
        assert!(payouts.is_empty(), "{payouts:?}");
        let live = store.live_collections().await.unwrap();
        let live: Vec<_> = live.iter().map(|collection| (collection.order, &collection.state)).collect();
        assert!(live.is_empty(), "{live:?}");
        let balances = store.balances().await.unwrap();
        invariants::m1(&balances).unwrap();
        invariants::m3(&balances).unwrap();
        let theirs = self.sandbox.totals().await.unwrap();
        let mut ours = Vec::new();
        for account in [Account::MpesaCollection, Account::MpesaPayout, Account::MpesaCharges] {
            ours.push(store.balance(account).await.unwrap().net_debit().0);
        }
        assert_eq!(
            ours,
            [theirs.collection.0, theirs.payout.0, theirs.charges.0],
            "the ledger is M-Pesa's statement to the cent"
        );
        let expected =
            invariants::Expected { unallocated: Cents::ZERO, orders: Cents::ZERO, mpesa: Some(theirs.sum()) };
        invariants::m2(&balances, &expected).unwrap();
        assert_eq!(self.chain.supply(), self.supply, "no token comes from nowhere or is lost");
        self.proofs_settle_once().await;
    }

    async fn proofs_settle_once(&mut self) {
        let (mut after, mut settled) = (OrderId(0), HashSet::new());
        loop {
            let page = self.store.orders_after(after, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            for order in &page {
                self.note(&format!("order {:?} {:?}", order.state, order.release_reason));
                if order.state == OrderState::Settled {
                    settled.insert(order.id);
                }
                if let Some(collection) = self.store.collection(order.id).await.unwrap()
                    && collection.state == CollectionState::Expired
                {
                    self.note("collection expired");
                }
            }
        }
        assert_eq!(self.chain.markers(), settled.len(), "S1: the chain has used as many proofs");
        let mut after = 0;
        loop {
            let page = self.store.receipts_after(after, 1_000).await.unwrap();
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, receipt) in page {
                if let ReceiptUse::Settled(order) = receipt.used_for {
                    assert!(settled.remove(&order), "S1: order {order} is settled by one receipt");
                }
            }
        }
        assert!(settled.is_empty(), "S1: settled without a receipt: {settled:?}");
        let mut after = PayoutId(0);
        loop {
            let page = self.store.payouts_after(after, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            for payout in page {
                let again = if payout.attempt > 1 { " after another attempt" } else { "" };
                let state = match payout.state {
                    PayoutState::Failed { .. } => "Failed".to_owned(),
                    state => format!("{state:?}"),
                };
                self.note(&format!("payout {state}{again}"));
            }
        }
    }
}

fn service(
    config: &SettlementConfig,
    store: &Arc<SqliteStore>,
    chain: &Arc<TestChain>,
    mpesa: &Arc<DarajaClient>,
    clock: &ServiceClock,
    events: &Events,
) -> Arc<Settlement> {
    let deps = SettlementDeps {
        store: store.clone(),
        chain: chain.clone(),
        mpesa: mpesa.clone(),
        clock: clock.clone(),
        events: events.clone(),
    };
    Settlement::new(config.clone(), deps)
}

fn household(id: HouseholdId) -> HouseholdRecord {
    let mut meter = [0; 16];
    meter[..4].copy_from_slice(&id.0.to_le_bytes());
    HouseholdRecord {
        id,
        kind: HouseholdKind::Home,
        alias: format!("Home {id}"),
        name: format!("Home {id}"),
        msisdn: Some(format!("25471{:07}", id.0).parse().unwrap()),
        language: Language::En,
        meter: Some(MeterId(meter)),
        meter_key: [1; 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: Some([1; 32]),
        enrolled_at: START,
        version: 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_mpesa_and_the_chain_do_every_shilling_is_found_once() {
    let (trades, payouts) =
        (amount_from("JIRANI_STORM_TRADES", 200), amount_from("JIRANI_STORM_PAYOUTS", 100));
    let mut storm = Storm::new(7).await;
    storm.bad_weather().await;
    let mut steps = 0;
    while storm.trades < trades || storm.payouts < payouts {
        storm.act().await;
        steps += 1;
        assert!(steps < 200 * (trades + payouts), "it never got so far: {:#?}", storm.seen);
    }
    storm.calm().await;
    storm.ends_well().await;
    println!("{} trades, {} payouts, {steps} steps: {:#?}", storm.trades, storm.payouts, storm.seen);
    for name in ["crash", "order Settled None", "payout Paid", "payout Paid after another attempt"] {
        assert!(storm.seen.contains_key(name), "no `{name}` in {:#?}", storm.seen);
    }
}
