//! From M-Pesa's callback to settled tokens, with 200 trades in flight: a real
//! database, the real program on the embedded chain behind JSON-RPC, callbacks that
//! come one after another as they do, each while all the others wait.
//! `cargo run --release -p jirani-settlement --example callback_to_settled`; the last
//! line is JSON.

use async_trait::async_trait;
use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_clock::ServiceClock;
use jirani_daraja::{
    B2cAccepted, B2cRequest, Mpesa, QueryOutcome, SendError, StkAccepted, StkRequest, nairobi,
};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig};
use jirani_market::Tariff;
use jirani_settlement::{PayoutPolicy, Settlement, SettlementConfig, SettlementDeps, Want};
use jirani_store::{
    CallbackKind, Change, Event, Events, HouseholdKind, HouseholdRecord, Language, NewCallback, OrderState,
    PayWith, Store as _,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, MeterId, OrderId, Price, Timestamp, Wh};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn Error + Send + Sync>;

/// Trades that wait for their money at the same time.
const IN_FLIGHT: u32 = 200;
const SELLERS: u32 = 20;
/// Time between two callbacks.
const PACE: Duration = Duration::from_millis(10);
const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };

/// How far the clock is ahead of the system's, in microseconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn time() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(now.as_micros()).unwrap_or(0) + AHEAD.load(Ordering::Relaxed))
}

/// M-Pesa that takes every prompt on and keeps silent.
#[derive(Default)]
struct Silent(Mutex<HashMap<String, (String, i64)>>);

#[async_trait]
impl Mpesa for Silent {
    async fn stk_push(&self, request: StkRequest) -> Result<StkAccepted, SendError> {
        let secret = request.callback_url.rsplit('/').next().unwrap_or_default().to_owned();
        let id = format!("ws_CO_{}", request.reference);
        let prompt = (id.clone(), request.shillings);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret, prompt);
        Ok(StkAccepted { checkout_request_id: id })
    }

    async fn stk_query(&self, _checkout_request_id: &str) -> QueryOutcome {
        QueryOutcome::Pending
    }

    async fn b2c(&self, _request: B2cRequest) -> Result<B2cAccepted, SendError> {
        Err(SendError::not_offered("payouts"))
    }

    fn payout_charge(&self, _shillings: i64) -> Cents {
        Cents::ZERO
    }
}

fn paid(id: &str, shillings: i64, number: usize, at: Timestamp) -> Vec<u8> {
    format!(
        r#"{{"Body":{{"stkCallback":{{"CheckoutRequestID":"{id}","ResultCode":0,"CallbackMetadata":{{"Item":[
        {{"Name":"Amount","Value":{shillings}}},{{"Name":"MpesaReceiptNumber","Value":"UJ3B{number:06}"}},
        {{"Name":"TransactionDate","Value":{}}}]}}}}}}}}"#,
        nairobi::stamp(at)
    )
    .into_bytes()
}

fn household(id: u32, at: Timestamp) -> HouseholdRecord {
    let mut meter = [0; 16];
    meter[..4].copy_from_slice(&id.to_le_bytes());
    let mut key = [0; 32];
    key[..4].copy_from_slice(&id.to_le_bytes());
    HouseholdRecord {
        id: HouseholdId(id),
        kind: HouseholdKind::Home,
        alias: format!("Home {id}"),
        name: format!("Home {id}"),
        msisdn: format!("25471{id:07}").parse().ok(),
        language: Language::En,
        meter: Some(MeterId(meter)),
        meter_key: key,
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: Some([1; 32]),
        enrolled_at: at,
        version: 0,
    }
}

fn landed(outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Landed { .. } => Ok(()),
        refused @ Outcome::Refused { .. } => Err(format!("{refused:?}").into()),
    }
}

async fn populate(store: &SqliteStore, chain: &Arc<RpcEnergyChain>, start: Timestamp) -> Result<(), Failure> {
    let mut enrolling = tokio::task::JoinSet::new();
    for id in 1..=SELLERS + IN_FLIGHT {
        let record = household(id, start);
        let work = Work::Enrol {
            household: record.id,
            kind: record.kind,
            feeder: 1,
            meter_key: record.meter_key,
            meter_epoch: 1,
            export_rating_w: 5_000,
            import_rating_w: 5_000,
        };
        store.commit(vec![Change::Household(record)]).await?;
        let chain = Arc::clone(chain);
        enrolling.spawn(async move { chain.submit(&format!("enrol/{id}"), work).await });
    }
    while let Some(enrolled) = enrolling.join_next().await {
        landed(&enrolled??)?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let clock = ServiceClock::system(time);
    let start = clock.now();
    let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await?);
    let elf = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so"),
    )?;
    let keys = ChainKeys::from_seed(&[3; 32]);
    let program = GenesisProgram {
        address: LOCAL_PROGRAM_ID,
        elf,
        upgrade_authority: keys.upgrade_authority_address(),
    };
    let data_dir = folder.path().join("chain");
    std::fs::create_dir_all(&data_dir)?;
    let localnet = LocalnetConfig {
        data_dir: Some(data_dir),
        programs: vec![program],
        ..LocalnetConfig::new("127.0.0.1:0".parse()?, [9; 32])
    };
    let localnet = Localnet::start(localnet, Arc::new(clock.clone())).await?;
    let config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
    let chain = RpcEnergyChain::connect(config, store.clone(), Arc::new(clock.clone())).await?;
    chain.initialise(&TARIFF).await?;
    let chain = Arc::new(chain);
    populate(&store, &chain, start).await?;
    // Two hours of sun: no meter exports more than its rating allows.
    AHEAD.store(7_200_000_000, Ordering::Relaxed);
    let rows = (1..=SELLERS)
        .map(|id| AttestRow { household: HouseholdId(id), export_wh: Wh(1_000), import_wh: Wh::ZERO })
        .collect();
    let slot_end = clock.now();
    let work = Work::Attest { feeder: 1, slot_end, evidence_root: [5; 32], rows };
    landed(&chain.submit("attest/1", work).await?)?;

    let (mpesa, events) = (Arc::new(Silent::default()), Events::new(65_536));
    let config = SettlementConfig {
        callback_base: "http://127.0.0.1:1".to_owned(),
        shortcode: "600966".to_owned(),
        deployment_key: [7; 32],
        seed: [9; 32],
        tariffs: jirani_market::Tariffs::always(TARIFF)?,
        payouts: PayoutPolicy::default(),
        workers: SettlementConfig::WORKERS * 4,
    };
    let deps = SettlementDeps {
        store: store.clone(),
        chain: chain.clone(),
        mpesa: mpesa.clone(),
        clock: clock.clone(),
        events: events.clone(),
    };
    let settlement = Settlement::new(config, deps);
    let cancel = CancellationToken::new();
    let running = tokio::spawn(settlement.clone().run(cancel.clone()));

    for seller in 1..=SELLERS {
        let key = format!("offer-{seller}");
        settlement.post_offer(HouseholdId(seller), Wh(1_000), Price(1_500), 86_400, &key).await?;
    }
    let mut orders = Vec::new();
    for buyer in SELLERS + 1..=SELLERS + IN_FLIGHT {
        let (key, want) = (format!("order-{buyer}"), Want::Energy(Wh(50)));
        let order = settlement.place_order(HouseholdId(buyer), want, PayWith::Mpesa, None, &key).await?;
        if order.state != OrderState::AwaitingPayment {
            return Err(format!("{order:?}").into());
        }
        orders.push(order.id);
    }
    let mut took = told(&store, &settlement, &mpesa, &events, &clock, &orders).await?;
    took.sort();
    let at = |per_cent: usize| took[(took.len() * per_cent / 100).min(took.len() - 1)].as_millis();
    eprintln!("{} trades settled, {IN_FLIGHT} in flight, a callback every {PACE:?}", took.len());
    println!(r#"{{"callback_to_settled_p50_ms":{},"callback_to_settled_p99_ms":{}}}"#, at(50), at(99));
    cancel.cancel();
    running.await??;
    localnet.stop().await;
    Ok(())
}

/// Tells of each order's payment, and how long each took from there to be settled.
async fn told(
    store: &Arc<SqliteStore>,
    settlement: &Arc<Settlement>,
    mpesa: &Arc<Silent>,
    events: &Events,
    clock: &ServiceClock,
    orders: &[OrderId],
) -> Result<Vec<Duration>, Failure> {
    let began: Arc<Mutex<HashMap<OrderId, Instant>>> = Arc::default();
    let mut heard = events.subscribe();
    let telling = {
        let (store, settlement, mpesa, clock) =
            (store.clone(), settlement.clone(), mpesa.clone(), clock.clone());
        let (began, orders) = (began.clone(), orders.to_vec());
        tokio::spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            for (number, order) in orders.into_iter().enumerate() {
                pace.tick().await;
                let collection = store.collection(order).await?.ok_or("no collection")?;
                let prompt = {
                    let prompts = mpesa.0.lock().unwrap_or_else(PoisonError::into_inner);
                    prompts.get(&collection.secret).cloned()
                };
                let (id, shillings) = prompt.ok_or("no prompt")?;
                let now = clock.now();
                let callback = NewCallback {
                    kind: CallbackKind::StkResult,
                    secret: collection.secret,
                    body: paid(&id, shillings, number, now),
                    source: "127.0.0.1".to_owned(),
                    received_at: now,
                };
                began.lock().unwrap_or_else(PoisonError::into_inner).insert(order, Instant::now());
                settlement.receive_callback(callback).await?;
            }
            Ok::<(), Failure>(())
        })
    };
    let (mut took, mut settled) = (Vec::new(), std::collections::HashSet::new());
    while took.len() < orders.len() {
        let order = match heard.recv().await {
            Ok(Event::Order(order, _)) => order,
            Ok(_) => continue,
            Err(RecvError::Lagged(_)) => return Err("too slow a listener".into()),
            Err(RecvError::Closed) => return Err("the events ended".into()),
        };
        let since = began.lock().unwrap_or_else(PoisonError::into_inner).get(&order).copied();
        let Some(since) = since else { continue };
        let now = Instant::now();
        let record = store.order(order).await?.ok_or("no order")?;
        match record.state {
            OrderState::Settled if settled.insert(order) => took.push(now - since),
            OrderState::Settled | OrderState::Paid | OrderState::AwaitingPayment => {}
            other => return Err(format!("order {order} is {other:?}: {:?}", record.refusal).into()),
        }
    }
    telling.await??;
    Ok(took)
}
