//! A village of four with a real store, driven by hand: what every test of the
//! service stands in, and the one matcher that each of them ends with.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on should stop"
)]

pub mod chain;
pub mod mpesa;

use chain::TestChain;
use jirani_clock::ServiceClock;
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId, invariants};
use jirani_market::{Tariff, Tariffs};
use jirani_settlement::interruption::{Interruption, Moment};
use jirani_settlement::{Settlement, SettlementConfig, SettlementDeps, SettlementError};
use jirani_store::{
    CallbackKind, Change, Event, Events, HouseholdKind, HouseholdRecord, Language, NewCallback, OfferRecord,
    OfferState, OrderRecord, OrderState, PayWith, Proof, ReceiptUse, SlotRecord, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{
    Cents, Clock as _, HouseholdId, MeterId, OfferId, OrderId, PayoutId, Price, Slot, Timestamp, Wh,
};
use mpesa::TestMpesa;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const BUYER: HouseholdId = HouseholdId(1);
pub const SELLER: HouseholdId = HouseholdId(2);
pub const OTHER: HouseholdId = HouseholdId(3);
pub const GENERATOR: HouseholdId = HouseholdId(4);
pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };
const FLOAT: Cents = Cents(100_000_000);

pub struct World {
    pub store: Arc<SqliteStore>,
    pub chain: Arc<TestChain>,
    pub mpesa: Arc<TestMpesa>,
    pub clock: ServiceClock,
    pub settlement: Arc<Settlement>,
    /// The settings' tariff at the next start.
    pub settings: Tariff,
    events: Events,
    running: Option<(JoinHandle<Result<(), SettlementError>>, CancellationToken)>,
    supply: u64,
    folder: tempfile::TempDir,
}

impl World {
    /// Four records: two buyers, a seller and the generator with 10 kWh each.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let clock = ServiceClock::advanced_from(START);
        let chain = Arc::new(TestChain::new(clock.clone(), store.clone()));
        let mpesa = Arc::new(TestMpesa::default());
        for (id, kind, vault_wh) in [
            (BUYER, HouseholdKind::Home, 0),
            (SELLER, HouseholdKind::Home, 10_000),
            (OTHER, HouseholdKind::Home, 0),
            (GENERATOR, HouseholdKind::Generator, 10_000),
        ] {
            store.commit(vec![Change::Household(household(id, kind))]).await.unwrap();
            chain.enrol(id, vault_wh, 0);
            if kind != HouseholdKind::Home {
                chain.is_operators(id);
            }
        }
        let float =
            transfer("float", Account::MpesaPayout, Account::OperatorFloat, FLOAT, Reason::FloatDeposit);
        store.commit(vec![Change::Post(float)]).await.unwrap();
        let events = Events::new(1_024);
        let settlement = service(&store, &chain, &mpesa, &clock, &events, TARIFF).await;
        let supply = chain.supply();
        let mut world = Self {
            store,
            supply,
            chain,
            mpesa,
            clock,
            settlement,
            settings: TARIFF,
            events,
            running: None,
            folder,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        let cancel = CancellationToken::new();
        let running = tokio::spawn(self.settlement.clone().run(cancel.clone()));
        self.running = Some((running, cancel));
        // What was stored has been taken up once nobody is busy any more.
        tokio::task::yield_now().await;
        self.clock.idle().await;
    }

    /// Stops the service, closes the store, and begins anew on the same file.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.restart_stopped().await;
    }

    /// Begins anew on the same file after [`World::stop`].
    pub async fn restart_stopped(&mut self) {
        self.store.close().await;
        let path = self.folder.path().join("jirani.db");
        self.store = Arc::new(SqliteStore::open(&path).await.unwrap());
        self.chain.use_store(self.store.clone());
        let (store, chain, mpesa) = (&self.store, &self.chain, &self.mpesa);
        self.settlement = service(store, chain, mpesa, &self.clock, &self.events, self.settings).await;
        self.start().await;
    }

    pub async fn stop(&mut self) {
        let (running, cancel) = self.running.take().expect("the service runs");
        cancel.cancel();
        running.await.unwrap().unwrap();
    }

    /// Begins anew on the same file with a service that crashes at `moment`.
    pub async fn restart_to_crash_at(&mut self, moment: Moment) {
        self.restart_interrupted(Arc::new(Crash { moment })).await;
    }

    /// Stops, and starts again with somebody who is told of every moment.
    pub async fn restart_interrupted(&mut self, interruption: Arc<dyn Interruption>) {
        self.stop().await;
        self.settlement = service_with(
            &self.store,
            &self.chain,
            &self.mpesa,
            &self.clock,
            &self.events,
            interruption,
            self.settings,
        )
        .await;
        self.start().await;
    }

    /// Waits for the crash, then begins anew on the same file.
    pub async fn restart_crashed(&mut self) {
        let (running, _) = self.running.take().expect("the service runs");
        assert!(running.await.unwrap().is_err(), "it never came to its end");
        self.restart_stopped().await;
    }

    /// Waits until `holds` does, looking after each event: for what happens while the
    /// node is down.
    pub async fn until(&self, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let mut events = self.events.subscribe();
        while !holds(self).await {
            // A listener that was too slow looks again, as after any event.
            assert_ne!(events.recv().await, Err(RecvError::Closed), "it never came to hold");
        }
    }

    /// Lets time pass, stopping at every moment something is due, as a driver does.
    pub async fn pass(&self, seconds: i64) {
        let until = self.clock.now().plus_seconds(seconds);
        loop {
            self.clock.idle().await;
            let next = self.clock.next_due().filter(|due| *due < until);
            self.clock.advance_to(next.unwrap_or(until));
            if next.is_none() {
                return self.clock.idle().await;
            }
        }
    }

    pub async fn offer(&self, seller: HouseholdId, energy_wh: u64, price: u32) -> OfferRecord {
        let key = format!("offer-{seller}-{energy_wh}-{price}-{}", self.clock.now().0);
        self.settlement.post_offer(seller, Wh(energy_wh), Price(price), 86_400, &key).await.unwrap()
    }

    /// Open offers at buy-back of which `left_wh` each are left, as the store has them.
    pub async fn leave_scraps(&self, seller: HouseholdId, count: u32, left_wh: u64) {
        let mut changes = Vec::new();
        for _ in 0..count {
            let id = OfferId(self.store.next_number("offer").await.unwrap());
            changes.push(Change::Offer(OfferRecord {
                id,
                seller,
                energy_wh: Wh(1_000),
                reserved_wh: Wh::ZERO,
                sold_wh: Wh(1_000 - left_wh),
                price: TARIFF.buy_back,
                expires_at: self.clock.now().plus_seconds(86_400),
                state: OfferState::Open,
                refusal: None,
                signature: None,
                key: format!("scrap-{id}"),
                created_at: self.clock.now(),
                version: 0,
            }));
        }
        self.store.commit(changes).await.unwrap();
    }

    /// The slot of this moment ends and is attested; returns once its call has ended.
    pub async fn slot(&self) {
        self.begin_slot().await;
        self.clock.idle().await;
    }

    /// Time passes to the beginning of the next slot.
    pub async fn new_slot(&self) {
        let end = Slot::containing(self.clock.now(), 900).end();
        self.pass(end.since(self.clock.now()) / 1_000_000).await;
    }

    /// The same, without waiting for what comes of it.
    pub async fn begin_slot(&self) {
        let slot = self.attest_quietly().await;
        self.events.publish(Event::Attested { feeder: 1, end: slot.end() });
    }

    /// The last slot is told of again.
    pub async fn tell_again(&self) {
        self.tell().await;
        self.clock.idle().await;
    }

    /// The last slot is told of, without waiting for what comes of it.
    pub async fn tell(&self) {
        let end = self.store.last_attested_slot(1).await.unwrap().unwrap().end;
        self.events.publish(Event::Attested { feeder: 1, end });
    }

    /// The slot of this moment ends and is attested, and nobody is told.
    pub async fn attest_quietly(&self) -> Slot {
        let slot = Slot::containing(self.clock.now(), 900);
        let wait_s = slot.end().since(self.clock.now()) / 1_000_000 + 10;
        if self.running.is_some() {
            self.pass(wait_s).await;
        } else {
            self.clock.advance_to(self.clock.now().plus_seconds(wait_s));
        }
        for feeder in [1, 2] {
            let record = SlotRecord {
                feeder,
                end: slot.end(),
                evidence_root: evidence(slot),
                rows: Vec::new(),
                signatures: vec![format!("attest-{feeder}-{}", slot.end())],
                attested_at: Some(self.clock.now()),
            };
            self.store.put_slot(record).await.unwrap();
        }
        self.chain.attest(slot.end());
        slot
    }

    /// Evidence root of the `n`th slot since the start.
    pub fn evidence(n: i64) -> [u8; 32] {
        evidence(Slot { start: START.plus_seconds(900 * (n - 1)), length_s: 900 })
    }

    pub async fn move_to_feeder(&self, household: HouseholdId, feeder: u16) {
        let record = self.store.household(household).await.unwrap().unwrap();
        self.store.commit(vec![Change::Household(HouseholdRecord { feeder, ..record })]).await.unwrap();
    }

    /// An order by M-Pesa for 1 kWh of the seller's 8 kWh at 15.00: due 19.60.
    pub async fn order(&self) -> OrderRecord {
        self.offer(SELLER, 8_000, 1_500).await;
        self.buy(BUYER, 1_000, PayWith::Mpesa, "order").await.unwrap()
    }

    pub async fn buy(
        &self,
        buyer: HouseholdId,
        energy_wh: u64,
        pay_with: PayWith,
        key: &str,
    ) -> Result<OrderRecord, SettlementError> {
        let want = jirani_settlement::Want::Energy(Wh(energy_wh));
        self.settlement.place_order(buyer, want, pay_with, None, key).await
    }

    /// Gives a household money it has paid in by hand.
    pub async fn prepay(&self, household: HouseholdId, cents: i64) {
        let paid = self.mpesa.pay(cents, self.clock.now());
        self.confirm(mpesa::c2b(&paid, &format!("H{household}"))).await;
    }

    /// A callback to the path of a prompt.
    pub async fn stk(&self, prompt: &mpesa::Prompt, body: Vec<u8>) {
        self.callback(CallbackKind::StkResult, &prompt.secret, body).await;
    }

    /// A C2B confirmation.
    pub async fn confirm(&self, body: Vec<u8>) {
        let (url, _) = self.settlement.c2b_urls();
        let secret = url.split('/').rev().nth(1).unwrap().to_owned();
        self.callback(CallbackKind::C2bConfirmation, &secret, body).await;
    }

    pub async fn callback(&self, kind: CallbackKind, secret: &str, body: Vec<u8>) {
        self.settlement.receive_callback(self.raw(kind, secret, body)).await.unwrap();
        self.clock.idle().await;
    }

    pub fn raw(&self, kind: CallbackKind, secret: &str, body: Vec<u8>) -> NewCallback {
        let source = "127.0.0.1".to_owned();
        NewCallback { kind, secret: secret.to_owned(), body, source, received_at: self.clock.now() }
    }

    pub async fn order_now(&self, id: OrderId) -> OrderRecord {
        self.store.order(id).await.unwrap().unwrap()
    }

    pub async fn offer_now(&self, id: OfferId) -> OfferRecord {
        self.store.offer(id).await.unwrap().unwrap()
    }

    pub async fn available(&self, household: HouseholdId) -> i64 {
        self.store.balance(Account::Household(household)).await.unwrap().available().0
    }

    /// M1 to M3, S1, S2, and that offers hold exactly what live orders need.
    pub async fn is_sound(&self) {
        self.clock.idle().await;
        let (collected, paid_out, charged) = self.mpesa.statement();
        let mut ours = Vec::new();
        for account in [Account::MpesaCollection, Account::MpesaPayout, Account::MpesaCharges] {
            ours.push(self.store.balance(account).await.unwrap().net_debit().0);
        }
        assert_eq!(ours, [collected, FLOAT.0 - paid_out, -charged], "the ledger is M-Pesa's statement");
        self.is_sound_so_far().await;
    }

    /// The same while M-Pesa may know of money that nobody has told us of.
    pub async fn is_sound_so_far(&self) {
        self.clock.idle().await;
        self.books_balance().await;
        self.proofs_settle_once().await;
        self.offers_hold_what_orders_need().await;
        assert_eq!(
            self.chain.supply(),
            self.supply + self.chain.minted() - self.chain.burned(),
            "no token comes from nowhere or is lost"
        );
        assert!(self.store.pending_callbacks(10).await.unwrap().is_empty(), "every callback was read");
    }

    async fn books_balance(&self) {
        let balances = self.store.balances().await.unwrap();
        invariants::m1(&balances).unwrap();
        invariants::m3(&balances).unwrap();
        let live = self.store.live_orders().await.unwrap();
        let waiting = self.store.waiting_receipts().await.unwrap();
        let expected = invariants::Expected {
            unallocated: waiting.iter().map(|receipt| receipt.amount).sum(),
            orders: live
                .iter()
                .filter(|order| order.pay_with == PayWith::Balance)
                .map(|order| order.due)
                .sum(),
            mpesa: None,
        };
        invariants::m2(&balances, &expected).unwrap();
        for receipt in waiting {
            let ReceiptUse::Order(id) = receipt.used_for else { panic!("{receipt:?}") };
            assert_eq!(
                self.order_now(id).await.state,
                OrderState::Paid,
                "S2: money waits for a paid order only"
            );
        }
    }

    async fn proofs_settle_once(&self) {
        let orders = self.store.orders_after(OrderId(0), 1_000).await.unwrap();
        let receipts = self.store.receipts_after(0, 1_000).await.unwrap();
        let settled = orders.iter().filter(|order| order.state == OrderState::Settled);
        let mut markers = 0;
        for order in settled {
            markers += 1;
            let used = receipts
                .iter()
                .filter(|(_, receipt)| receipt.used_for == ReceiptUse::Settled(order.id))
                .count();
            let by_receipt = matches!(order.proof, Some(Proof::Receipt(_)));
            assert_eq!(used, usize::from(by_receipt), "S1: order {} is settled by one proof", order.id);
        }
        assert_eq!(self.chain.markers(), markers, "S1: the chain has used as many proofs");
        let journal = self.store.journal_after(0, 1_000).await.unwrap();
        let booked = journal.iter().filter(|row| row.transfer.reason == Reason::Collection).count();
        assert_eq!(booked, receipts.len(), "each receipt is booked once");
    }

    async fn offers_hold_what_orders_need(&self) {
        let mut held: BTreeMap<OfferId, u64> = BTreeMap::new();
        for order in self.store.live_orders().await.unwrap() {
            for fill in &order.fills {
                *held.entry(fill.offer).or_default() += u64::from(fill.energy_wh);
            }
        }
        for seller in [BUYER, SELLER, OTHER, GENERATOR] {
            for offer in self.store.offers_of(seller, 1_000).await.unwrap() {
                let needed = held.get(&offer.id).copied().unwrap_or(0);
                assert_eq!(offer.reserved_wh.0, needed, "offer {} holds what its orders need", offer.id);
            }
        }
    }

    pub async fn payout_now(&self, id: PayoutId) -> jirani_store::PayoutRecord {
        self.store.payout(id).await.unwrap().unwrap()
    }

    /// Credits less debits of an account.
    pub async fn journal_sum(&self, account: Account) -> i64 {
        self.store.balance(account).await.unwrap().net().0
    }
}

/// Ends the worker that comes to a moment, and with it the service.
struct Crash {
    moment: Moment,
}

impl Interruption for Crash {
    fn reached(&self, moment: Moment) {
        assert_ne!(moment, self.moment, "a crash that was asked for");
    }
}

struct Calm;

impl Interruption for Calm {
    fn reached(&self, _: Moment) {}
}

async fn service(
    store: &Arc<SqliteStore>,
    chain: &Arc<TestChain>,
    mpesa: &Arc<TestMpesa>,
    clock: &ServiceClock,
    events: &Events,
    settings: Tariff,
) -> Arc<Settlement> {
    service_with(store, chain, mpesa, clock, events, Arc::new(Calm), settings).await
}

async fn service_with(
    store: &Arc<SqliteStore>,
    chain: &Arc<TestChain>,
    mpesa: &Arc<TestMpesa>,
    clock: &ServiceClock,
    events: &Events,
    interruption: Arc<dyn Interruption>,
    settings: Tariff,
) -> Arc<Settlement> {
    let tariffs = jirani_settlement::open_tariffs(store.as_ref(), settings, clock.now()).await.unwrap();
    let deps = SettlementDeps {
        store: store.clone(),
        chain: chain.clone(),
        mpesa: mpesa.clone(),
        clock: clock.clone(),
        events: events.clone(),
    };
    Settlement::with_interruption(config(tariffs), deps, interruption)
}

fn config(tariffs: Tariffs) -> SettlementConfig {
    SettlementConfig {
        callback_base: "http://127.0.0.1:8080".to_owned(),
        shortcode: "600000".to_owned(),
        deployment_key: [7; 32],
        seed: [9; 32],
        tariffs,
        payouts: jirani_settlement::PayoutPolicy::default(),
        workers: 8,
    }
}

fn evidence(slot: Slot) -> [u8; 32] {
    let mut root = [7; 32];
    root[..8].copy_from_slice(&slot.start.0.to_le_bytes());
    root
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

fn transfer(id: &str, debit: Account, credit: Account, amount: Cents, reason: Reason) -> Transfer {
    let id = TransferId::derive("test", id.as_bytes());
    Transfer { id, debit, credit, amount, reason, kind: Kind::Posted, memo: String::new(), at: START }
}
