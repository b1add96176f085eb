//! A village of real parts: SQLite, a Solana chain with the real program behind JSON-RPC,
//! and the M-Pesa emulator behind HTTP, with callbacks to a door of ours.

use crate::door::{Door, open_door};
use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential};
use jirani_daraja_sandbox::{Behaviour, PhoneMode, RunningSandbox, Sandbox, SandboxConfig};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId, invariants};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_reconciliation::Purse;
use jirani_settlement::{
    Asked, Reconciled, ReconciliationPolicy, Settlement, SettlementConfig, SettlementDeps, StatementFile,
    Want,
};
use jirani_store::{
    Change, Events, HouseholdKind, HouseholdRecord, Language, OfferState, OrderRecord, OrderState, PayWith,
    Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, MeterId, Price, Receipt, Timestamp, Wh};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const BUYER: HouseholdId = HouseholdId(1);
pub const SELLER: HouseholdId = HouseholdId(2);
pub const GENERATOR: HouseholdId = HouseholdId(3);
pub const START: Timestamp = Timestamp::from_seconds(1_795_348_800);
pub const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };
pub const FLOAT: Cents = Cents(100_000_000);
pub const SHORTCODE: &str = "600966";

pub struct Village {
    pub clock: ServiceClock,
    pub store: Arc<SqliteStore>,
    pub chain: Arc<RpcEnergyChain>,
    pub settlement: Arc<Settlement>,
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
    pub async fn new() -> Self {
        let village = Self::without_list().await;
        let (confirmation, _) = village.settlement.c2b_urls();
        let nominated = "254700000001".parse().unwrap();
        jirani_daraja::Mpesa::pull_register(village.mpesa.as_ref(), nominated, &confirmation).await.unwrap();
        village
    }

    /// As [`Self::new`], of an operator who has no list of payments, only the statements of
    /// M-Pesa's portal.
    pub async fn without_list() -> Self {
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
            tariffs: jirani_settlement::open_tariffs(store.as_ref(), TARIFF, START).await.unwrap(),
            payouts: jirani_settlement::PayoutPolicy::default(),
            workers: SettlementConfig::WORKERS,
        };
        let (chain, mpesa) = (Arc::new(chain), Arc::new(mpesa));
        let settlement = service(&config, &store, &chain, &mpesa, &clock);
        settlement
            .reconcile_by(ReconciliationPolicy { review_after_s: 60, ..ReconciliationPolicy::default() });
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

    pub async fn start(&mut self) {
        *self.door.lock().unwrap() = Some(self.settlement.clone());
        let cancel = CancellationToken::new();
        let run = self.settlement.clone().run(cancel.clone());
        let running = tokio::spawn(async move { run.await.unwrap() });
        self.running = Some((running, cancel));
        tokio::task::yield_now().await;
        self.clock.idle().await;
    }

    pub async fn stop(&mut self) {
        *self.door.lock().unwrap() = None;
        let (running, cancel) = self.running.take().unwrap();
        cancel.cancel();
        running.await.unwrap();
    }

    pub async fn restart(&mut self) {
        self.config.tariffs =
            jirani_settlement::open_tariffs(self.store.as_ref(), TARIFF, self.clock.now()).await.unwrap();
        self.settlement = service(&self.config, &self.store, &self.chain, &self.mpesa, &self.clock);
        self.start().await;
    }

    /// Lets simulated time pass, event by event, as a village's driver does.
    pub async fn pass(&self, seconds: i64) {
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

    /// Something goes wrong with the next `target`.
    pub async fn fault(&self, target: &str, action: &str) {
        self.post("faults", json!({"target": target, "action": action})).await;
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox/{path}", self.sandbox.base_url);
        let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Something goes wrong with every `target` from now on.
    pub async fn always(&self, target: &str, action: &str) {
        self.post("faults", json!({"target": target, "action": action, "always": true})).await;
    }

    /// The buyer pays by hand, naming `reference`; M-Pesa's number of it.
    pub async fn pay_by_hand(&self, shillings: i64, reference: &str) -> Receipt {
        let body = json!({"amount_shillings": shillings, "reference": reference, "pin": "1234"});
        let paid = self.post("phones/254712345671/paybill", body).await;
        paid["receipt"].as_str().unwrap().parse().unwrap()
    }

    /// M-Pesa takes a payment back.
    pub async fn take_back(&self, receipt: &Receipt) {
        self.post("reversals", json!({"receipt": receipt.as_str()})).await;
    }

    /// The portal's statement of a shortcode's accounts, compared with the ledger.
    pub async fn compare(&self, shortcode: &str, account: &str, purses: &[Purse]) -> Reconciled {
        self.clock.idle().await;
        let base = &self.sandbox.base_url;
        let url = format!("{base}/sandbox/shortcodes/{shortcode}/statement?account={account}&format=csv");
        let csv = reqwest::get(url).await.unwrap().bytes().await.unwrap().to_vec();
        let file = StatementFile { purses: purses.to_vec(), csv };
        self.settlement.reconcile(Asked::Statement(file)).await.unwrap()
    }

    pub async fn phone(&self, id: HouseholdId, behaviour: Behaviour) {
        let msisdn = household(id, HouseholdKind::Home).msisdn.unwrap();
        assert!(self.sandbox.set_phone(msisdn, "Home", PhoneMode::Automatic(behaviour)).await);
    }

    pub async fn offer(&self) {
        for (seller, price) in [(SELLER, 1_500), (GENERATOR, 3_000)] {
            let key = format!("offer-{seller}");
            let posted =
                self.settlement.post_offer(seller, Wh(8_000), Price(price), 86_400, &key).await.unwrap();
            assert_eq!((posted.state, posted.refusal), (OfferState::Open, None));
        }
    }

    pub async fn buy(&self, energy_wh: u64, pay_with: PayWith, key: &str) -> OrderRecord {
        let want = Want::Energy(Wh(energy_wh));
        self.settlement.place_order(BUYER, want, pay_with, None, key).await.unwrap()
    }

    pub async fn state(&self, order: &OrderRecord) -> OrderState {
        let order = self.store.order(order.id).await.unwrap().unwrap();
        order.state
    }

    pub async fn available(&self, household: HouseholdId) -> i64 {
        self.store.balance(Account::Household(household)).await.unwrap().available().0
    }

    pub async fn vault(&self, household: HouseholdId) -> u64 {
        self.chain.household(household).await.unwrap().unwrap().vault_wh.0
    }

    /// M1 to M3 against the emulator's own statement, S1 against the chain's markers,
    /// E1 over every account of the mint.
    pub async fn is_sound(&self) {
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
