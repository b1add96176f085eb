//! The whole way on real parts: SQLite, a Solana chain with the real program behind
//! JSON-RPC, and the M-Pesa emulator behind HTTP, with callbacks to a door of ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod door;

use door::{Door, open_door};
use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential};
use jirani_daraja_sandbox::{Behaviour, PhoneMode, RunningSandbox, Sandbox, SandboxConfig};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId, invariants};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_settlement::{Settlement, SettlementConfig, SettlementDeps, Want};
use jirani_store::{
    Change, CollectionState, Events, HouseholdKind, HouseholdRecord, Language, OfferState, OrderRecord,
    OrderState, PayWith, PayoutState, ReleaseReason, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, MeterId, Price, Timestamp, Wh};
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const BUYER: HouseholdId = HouseholdId(1);
const SELLER: HouseholdId = HouseholdId(2);
const GENERATOR: HouseholdId = HouseholdId(3);
const START: Timestamp = Timestamp::from_seconds(1_795_348_800);
const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };
const FLOAT: Cents = Cents(100_000_000);
const SHORTCODE: &str = "600966";

struct Village {
    clock: ServiceClock,
    store: Arc<SqliteStore>,
    chain: Arc<RpcEnergyChain>,
    settlement: Arc<Settlement>,
    door: Door,
    sandbox: RunningSandbox,
    config: SettlementConfig,
    mpesa: Arc<DarajaClient>,
    running: Option<(JoinHandle<()>, CancellationToken)>,
    _localnet: RunningLocalnet,
    _folder: tempfile::TempDir,
}

impl Village {
    /// A seller and the generator with 8 kWh each, a buyer without, phones that pay
    /// every prompt after some seconds.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ServiceClock::advanced_from(START);
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let localnet = localnet(folder.path(), &clock).await;
        let keys = ChainKeys::from_seed(&[3; 32]);
        let config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
        let chain = RpcEnergyChain::connect(config, store.clone(), Arc::new(clock.clone())).await.unwrap();
        chain.initialise(&TARIFF).await.unwrap();
        let sandbox = SandboxConfig {
            default_mode: PhoneMode::Automatic(Behaviour::ALWAYS_PAYS),
            opening_float: FLOAT,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(sandbox, clock.clone()).await.unwrap();
        let mpesa = DarajaClient::new(daraja(&sandbox.base_url), Arc::new(clock.clone())).unwrap();
        let (door, url) = open_door(clock.clone()).await;
        let config = SettlementConfig {
            callback_base: url,
            shortcode: SHORTCODE.to_owned(),
            deployment_key: [7; 32],
            seed: [9; 32],
            tariff: TARIFF,
            payouts: jirani_settlement::PayoutPolicy::default(),
            workers: SettlementConfig::WORKERS,
        };
        let (chain, mpesa) = (Arc::new(chain), Arc::new(mpesa));
        let settlement = service(&config, &store, &chain, &mpesa, &clock);
        let mut village = Self {
            clock,
            store,
            chain,
            settlement,
            door,
            sandbox,
            config,
            mpesa,
            running: None,
            _localnet: localnet,
            _folder: folder,
        };
        village.populate().await;
        village.start().await;
        let (confirmation, validation) = village.settlement.c2b_urls();
        village.mpesa.register_c2b_urls(&confirmation, &validation).await.unwrap();
        let nominated = "254700000001".parse().unwrap();
        jirani_daraja::Mpesa::pull_register(village.mpesa.as_ref(), nominated, &confirmation).await.unwrap();
        village
    }

    async fn populate(&self) {
        let kinds = [
            (BUYER, HouseholdKind::Home),
            (SELLER, HouseholdKind::Home),
            (GENERATOR, HouseholdKind::Generator),
        ];
        for (id, kind) in kinds {
            let record = household(id, kind);
            let work = Work::Enrol {
                household: id,
                kind,
                feeder: 1,
                meter_key: record.meter_key,
                meter_epoch: 1,
                export_rating_w: 5_000,
                import_rating_w: 5_000,
            };
            self.store.commit(vec![Change::Household(record)]).await.unwrap();
            landed(&self.chain.submit(&format!("enrol/{id}"), work).await.unwrap());
        }
        self.clock.advance_to(START.plus_seconds(7_200));
        let row = |household, export| AttestRow { household, export_wh: Wh(export), import_wh: Wh::ZERO };
        let rows = vec![row(BUYER, 0), row(SELLER, 8_000), row(GENERATOR, 8_000)];
        let slot_end = START.plus_seconds(7_200);
        let work = Work::Attest { feeder: 1, slot_end, evidence_root: [5; 32], rows };
        landed(&self.chain.submit("attest/1", work).await.unwrap());
        let float = Transfer {
            id: TransferId::derive("test", b"float"),
            debit: Account::MpesaPayout,
            credit: Account::OperatorFloat,
            amount: FLOAT,
            reason: Reason::FloatDeposit,
            kind: Kind::Posted,
            memo: String::new(),
            at: START,
        };
        self.store.commit(vec![Change::Post(float)]).await.unwrap();
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

    async fn stop(&mut self) {
        *self.door.lock().unwrap() = None;
        let (running, cancel) = self.running.take().unwrap();
        cancel.cancel();
        running.await.unwrap();
    }

    async fn restart(&mut self) {
        self.settlement = service(&self.config, &self.store, &self.chain, &self.mpesa, &self.clock);
        self.start().await;
    }

    /// Lets simulated time pass, event by event, as a village's driver does.
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

    async fn fault(&self, target: &str, action: &str) {
        let url = format!("{}/sandbox/faults", self.sandbox.base_url);
        let order = json!({"target": target, "action": action});
        let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
        let answer = request.body(order.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{target} {action}");
    }

    async fn phone(&self, id: HouseholdId, behaviour: Behaviour) {
        let msisdn = household(id, HouseholdKind::Home).msisdn.unwrap();
        assert!(self.sandbox.set_phone(msisdn, "Home", PhoneMode::Automatic(behaviour)).await);
    }

    async fn offer(&self) {
        for (seller, price) in [(SELLER, 1_500), (GENERATOR, 3_000)] {
            let key = format!("offer-{seller}");
            let posted =
                self.settlement.post_offer(seller, Wh(8_000), Price(price), 86_400, &key).await.unwrap();
            assert_eq!((posted.state, posted.refusal), (OfferState::Open, None));
        }
    }

    async fn buy(&self, energy_wh: u64, pay_with: PayWith, key: &str) -> OrderRecord {
        let want = Want::Energy(Wh(energy_wh));
        self.settlement.place_order(BUYER, want, pay_with, None, key).await.unwrap()
    }

    async fn state(&self, order: &OrderRecord) -> OrderState {
        let order = self.store.order(order.id).await.unwrap().unwrap();
        order.state
    }

    async fn available(&self, household: HouseholdId) -> i64 {
        self.store.balance(Account::Household(household)).await.unwrap().available().0
    }

    async fn vault(&self, household: HouseholdId) -> u64 {
        self.chain.household(household).await.unwrap().unwrap().vault_wh.0
    }

    /// M1 to M3 against the emulator's own statement, S1 against the chain's markers,
    /// E1 over every account of the mint.
    async fn is_sound(&self) {
        self.clock.idle().await;
        let balances = self.store.balances().await.unwrap();
        invariants::m1(&balances).unwrap();
        invariants::m3(&balances).unwrap();
        let theirs = self.sandbox.totals().await.unwrap();
        let expected =
            invariants::Expected { unallocated: Cents::ZERO, orders: Cents::ZERO, mpesa: Some(theirs.sum()) };
        invariants::m2(&balances, &expected).unwrap();
        let chain = self.chain.snapshot().await.unwrap();
        let orders = self.store.orders_after(jirani_units::OrderId(0), 1_000).await.unwrap();
        let settled = orders.iter().filter(|order| order.state == OrderState::Settled).count();
        assert_eq!(chain.markers, settled as u64, "S1");
        assert_eq!(chain.supply_wh, chain.token_accounts_wh, "E1");
        assert_eq!(chain.orders.len(), self.store.live_orders().await.unwrap().len());
        assert!(self.store.pending_callbacks(10).await.unwrap().is_empty());
    }
}

async fn localnet(folder: &Path, clock: &ServiceClock) -> RunningLocalnet {
    static ELF: OnceLock<Vec<u8>> = OnceLock::new();
    let elf = ELF.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
        std::fs::read(path).unwrap()
    });
    let keys = ChainKeys::from_seed(&[3; 32]);
    let program = GenesisProgram {
        address: LOCAL_PROGRAM_ID,
        elf: elf.clone(),
        upgrade_authority: keys.upgrade_authority_address(),
    };
    let config = LocalnetConfig {
        data_dir: Some(folder.join("chain")),
        programs: vec![program],
        ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [9; 32])
    };
    std::fs::create_dir_all(folder.join("chain")).unwrap();
    Localnet::start(config, Arc::new(clock.clone())).await.unwrap()
}

fn daraja(base_url: &str) -> DarajaConfig {
    DarajaConfig {
        base_url: base_url.to_owned(),
        consumer_key: "sandbox-key".to_owned(),
        consumer_secret: "sandbox-secret".into(),
        shortcode: SHORTCODE.to_owned(),
        passkey: "sandbox-passkey".into(),
        b2c_shortcode: "600992".to_owned(),
        initiator_name: "apiuser".to_owned(),
        credential: SecurityCredential::Ready("any blob".into()),
        charges: PayoutCharges::default(),
        timeout_s: 30,
    }
}

fn service(
    config: &SettlementConfig,
    store: &Arc<SqliteStore>,
    chain: &Arc<RpcEnergyChain>,
    mpesa: &Arc<DarajaClient>,
    clock: &ServiceClock,
) -> Arc<Settlement> {
    let deps = SettlementDeps {
        store: store.clone(),
        chain: chain.clone(),
        mpesa: mpesa.clone(),
        clock: clock.clone(),
        events: Events::new(64),
    };
    Settlement::new(config.clone(), deps)
}

fn household(id: HouseholdId, kind: HouseholdKind) -> HouseholdRecord {
    let number = u8::try_from(id.0).unwrap();
    HouseholdRecord {
        id,
        kind,
        alias: format!("Home {id}"),
        name: format!("Home {id}"),
        msisdn: (kind == HouseholdKind::Home).then(|| format!("25471234567{id}").parse().unwrap()),
        language: Language::En,
        meter: Some(MeterId([number; 16])),
        meter_key: [number; 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: Some([number; 32]),
        enrolled_at: START,
        version: 0,
    }
}

fn landed(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn energy_is_sold_paid_by_prompt_and_the_seller_withdraws() {
    let village = Village::new().await;
    village.offer().await;
    let order = village.buy(2_000, PayWith::Mpesa, "order").await;
    assert_eq!((order.state, order.due), (OrderState::AwaitingPayment, Cents(3_920)));
    village.pass(15).await;
    assert_eq!(village.state(&order).await, OrderState::Settled);
    assert_eq!(village.vault(BUYER).await, 2_000);
    assert_eq!((village.available(SELLER).await, village.available(BUYER).await), (3_000, 80));
    village.is_sound().await;

    let payout = village.settlement.request_payout(SELLER, Cents(3_000), "payout").await.unwrap();
    assert_eq!(payout.state, PayoutState::Accepted);
    village.pass(15).await;
    let payout = village.store.payout(payout.id).await.unwrap().unwrap();
    assert_eq!((payout.state, payout.receipt.is_some()), (PayoutState::Paid, true));
    assert_eq!(village.available(SELLER).await, 0);
    village.is_sound().await;
}

#[tokio::test]
async fn an_order_from_balance_is_placed_and_settled_in_one_transaction() {
    let village = Village::new().await;
    village.offer().await;
    let first = village.buy(2_000, PayWith::Mpesa, "first").await;
    village.pass(15).await;
    assert_eq!(village.state(&first).await, OrderState::Settled);
    // The seller's earnings buy from the generator.
    let want = Want::Energy(Wh(500));
    let order = village.settlement.place_order(SELLER, want, PayWith::Balance, None, "own").await.unwrap();
    assert_eq!((order.state, order.due), (OrderState::Settled, Cents(1_730)), "{:?}", order.refusal);
    assert_eq!(order.placed_signature, order.final_signature);
    assert_eq!(village.available(SELLER).await, 3_000 - 1_730);
    assert_eq!(village.store.balance(Account::OperatorSales).await.unwrap().net(), Cents(1_500));
    village.is_sound().await;
}

#[tokio::test]
async fn cancelled_and_silent_prompts_give_the_tokens_back() {
    let village = Village::new().await;
    village.offer().await;
    let cancels = Behaviour { cancel_per_mille: 1_000, ..Behaviour::ALWAYS_PAYS };
    let silent = Behaviour { silent_per_mille: 1_000, ..Behaviour::ALWAYS_PAYS };
    for (behaviour, key) in [(cancels, "cancelled"), (silent, "silent")] {
        village.phone(BUYER, behaviour).await;
        let order = village.buy(1_000, PayWith::Mpesa, key).await;
        village.pass(70).await;
        let order = village.store.order(order.id).await.unwrap().unwrap();
        assert_eq!(
            (order.state, order.release_reason),
            (OrderState::Released, Some(ReleaseReason::PaymentRefused))
        );
    }
    assert_eq!(village.vault(BUYER).await, 0);
    village.is_sound().await;
}

#[tokio::test]
async fn lost_doubled_and_late_callbacks_lose_and_double_nothing() {
    let village = Village::new().await;
    village.offer().await;
    for (number, (faults, settled)) in [
        (vec![("stk_callback", "lose")], true),
        (vec![("c2b", "lose")], true),
        (vec![("stk_callback", "duplicate"), ("c2b", "duplicate")], true),
        (vec![("stk_callback", "lose"), ("c2b", "delay_s:90")], true),
        (vec![("stk_response", "lose")], true),
        (vec![("stk_response", "lose"), ("stk_callback", "lose")], true),
        (vec![("stk_callback", "lose"), ("c2b", "delay_s:600")], true),
        (vec![("stk_callback", "delay_s:600"), ("c2b", "lose")], true),
        (vec![("stk_callback", "lose"), ("c2b", "lose")], true),
        (vec![("stk_response", "lose"), ("stk_callback", "lose"), ("c2b", "lose")], true),
    ]
    .into_iter()
    .enumerate()
    {
        for (target, action) in &faults {
            village.fault(target, action).await;
        }
        let order = village.buy(100, PayWith::Mpesa, &format!("order-{number}")).await;
        village.pass(700).await;
        let expected = if settled { OrderState::Settled } else { OrderState::Released };
        assert_eq!(village.state(&order).await, expected, "{faults:?}");
        let collection = village.store.collection(order.id).await.unwrap().unwrap();
        assert_eq!(collection.state, CollectionState::Paid, "{faults:?}: the money is known in the end");
        village.is_sound().await;
    }
    // Ten dues of 1.96 paid with 2.00 each: what no callback told was on the list.
    assert_eq!(village.available(BUYER).await, 10 * 4);
    assert_eq!(village.vault(BUYER).await, 1_000);
}

#[tokio::test]
async fn a_payout_whose_answer_and_result_are_lost_is_paid_once_and_found_to_be_so() {
    let mut village = Village::new().await;
    village.offer().await;
    village.buy(2_000, PayWith::Mpesa, "order").await;
    village.pass(15).await;
    village.fault("b2c_response", "lose").await;
    let payout = village.settlement.request_payout(SELLER, Cents(2_000), "payout").await.unwrap();
    assert_eq!(payout.state, PayoutState::Unknown);
    village.stop().await;
    village.restart().await;
    village.pass(15).await;
    let payout = village.store.payout(payout.id).await.unwrap().unwrap();
    assert_eq!(payout.state, PayoutState::Paid);
    village.is_sound().await;
}

#[tokio::test]
async fn a_restart_with_prompt_and_offers_open_goes_on() {
    let mut village = Village::new().await;
    village.offer().await;
    let order = village.buy(1_000, PayWith::Mpesa, "order").await;
    village.stop().await;
    village.restart().await;
    village.pass(15).await;
    assert_eq!(village.state(&order).await, OrderState::Settled);
    // A day later the offers have expired and what was left is back.
    village.pass(86_400).await;
    assert_eq!((village.vault(SELLER).await, village.vault(GENERATOR).await), (7_000, 8_000));
    assert!(village.store.live_offers().await.unwrap().is_empty());
    village.is_sound().await;
}

#[tokio::test]
async fn many_orders_at_once_settle_at_once() {
    let village = Village::new().await;
    village.offer().await;
    village.buy(2_000, PayWith::Mpesa, "first").await;
    village.pass(15).await;
    let orders = (0..6).map(|number| {
        let settlement = village.settlement.clone();
        tokio::spawn(async move {
            let want = Want::Energy(Wh(50));
            settlement.place_order(SELLER, want, PayWith::Balance, None, &format!("many-{number}")).await
        })
    });
    for order in futures::future::join_all(orders).await {
        let order = order.unwrap().unwrap();
        assert_eq!(order.state, OrderState::Settled, "{:?}", order.refusal);
    }
    assert_eq!(village.vault(SELLER).await, 300);
    village.is_sound().await;
}
