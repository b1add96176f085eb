//! The processes of the storm: M-Pesa, the chain, and the settlement that is killed.
//! Each prints `ready` and ends when its standard input does.

use super::site;
use super::time::Time;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use jirani_chain::{RpcEnergyChain, interruption as sending};
use jirani_clock::ServiceClock;
use jirani_daraja::Mpesa as _;
use jirani_daraja_sandbox::{Behaviour, PhoneMode, Sandbox, SandboxConfig};
use jirani_ledger::Account;
use jirani_ledger::templates::shortcodes::{self, Shortcode};
use jirani_localnet::Localnet;
use jirani_settlement::interruption::{Interruption, Moment};
use jirani_settlement::{
    PayoutPolicy, PayoutQueue, Settlement, SettlementConfig, SettlementDeps, SettlementError, Want,
};
use jirani_store::{CallbackKind, Change, Events, NewCallback, PayWith, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Receipt, Wh};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

/// Runs the part that `arguments` name, for as long as whoever started it lives.
pub async fn run(arguments: &[String]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let listen = |port: &str| SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    match arguments[..] {
        ["mpesa", folder, port, time, seed] => {
            let phones = Behaviour { cancel_per_mille: 30, silent_per_mille: 30, insufficient_per_mille: 10 };
            let config = SandboxConfig {
                listen: listen(port),
                data_dir: Some(folder.into()),
                seed: seed.parse().unwrap(),
                default_mode: PhoneMode::Automatic(phones),
                opening_float: site::FLOAT,
                ..SandboxConfig::default()
            };
            let running = Sandbox::start(config, Time::new(Path::new(time)).follow()).await.unwrap();
            say("ready");
            until_left_alone().await;
            drop(running);
        }
        ["chain", folder, port, time] => {
            let clock = Time::new(Path::new(time)).follow();
            let config = site::localnet_config(listen(port), Path::new(folder));
            let running = Localnet::start(config, Arc::new(clock)).await.unwrap();
            say("ready");
            until_left_alone().await;
            drop(running);
        }
        ["settlement", folder, port, time, mpesa, chain, moment, nth] => {
            let clock = Time::new(Path::new(time)).follow();
            let still = Arc::new(StandStill {
                moment: Moment::named(moment),
                sending: moment.strip_prefix("sender-").and_then(sending::Moment::named),
                left: AtomicU64::new(nth.parse().unwrap()),
            });
            settle(Path::new(folder), listen(port), &clock, mpesa, chain, &still).await;
        }
        _ => panic!("no such part: {arguments:?}"),
    }
}

async fn until_left_alone() {
    tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0; 1])).await.unwrap().unwrap();
}

/// Stands still at the how many-th coming of a moment, to be killed there.
struct StandStill {
    moment: Option<Moment>,
    sending: Option<sending::Moment>,
    left: AtomicU64,
}

impl StandStill {
    fn count(&self, name: &str) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            say(&format!("at {name}"));
            loop {
                std::thread::park();
            }
        }
    }
}

impl Interruption for StandStill {
    fn reached(&self, moment: Moment) {
        if self.moment == Some(moment) {
            self.count(moment.name());
        }
    }
}

impl sending::Interruption for StandStill {
    fn reached(&self, moment: sending::Moment) {
        if self.sending == Some(moment) {
            self.count(&format!("sender-{}", moment.name()));
        }
    }
}

struct Desk {
    store: Arc<SqliteStore>,
    settlement: Arc<Settlement>,
    clock: ServiceClock,
}

async fn settle(
    folder: &Path,
    listen: SocketAddr,
    clock: &ServiceClock,
    mpesa: &str,
    chain: &str,
    still: &Arc<StandStill>,
) {
    let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
    let store = Arc::new(SqliteStore::open(&folder.join("jirani.db")).await.unwrap());
    let shared = Arc::new(clock.clone());
    let chain = loop {
        match RpcEnergyChain::connect(site::chain_config(chain), store.clone(), shared.clone()).await {
            Ok(chain) => break Arc::new(chain.with_interruption(still.clone())),
            // The chain, too, is killed now and then.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let mpesa = Arc::new(site::daraja(mpesa, shared));
    let base = format!("http://{}", listener.local_addr().unwrap());
    let config = SettlementConfig {
        callback_base: base,
        shortcode: site::SHORTCODE.to_owned(),
        deployment_key: [7; 32],
        seed: [9; 32],
        tariffs: jirani_market::Tariffs::always(site::TARIFF).unwrap(),
        payouts: PayoutPolicy::default(),
        workers: SettlementConfig::WORKERS,
    };
    let deps = SettlementDeps {
        store: store.clone(),
        chain: chain.clone(),
        mpesa: mpesa.clone(),
        clock: clock.clone(),
        events: Events::new(4_096),
    };
    let settlement = Settlement::with_interruption(config, deps, still.clone());
    let desk = Arc::new(Desk { store, settlement: settlement.clone(), clock: clock.clone() });
    let router = Router::new().fallback(door).with_state(desk);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let ((confirmation, validation), list) = (settlement.c2b_urls(), settlement.list_url());
    let cancel = CancellationToken::new();
    tokio::spawn(chain.tend(cancel.clone()));
    let mut running = tokio::spawn(settlement.run(cancel.clone()));
    say("ready");
    let switched_on = async {
        while mpesa.register_c2b_urls(&confirmation, &validation).await.is_err() {}
        let nominated = "254700000001".parse().unwrap();
        while mpesa.pull_register(nominated, &list).await.is_err() {}
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = &mut running => panic!("the settlement ended: {ended:?}"),
        () = switched_on => {}
        () = until_left_alone() => {}
    }
    cancel.cancel();
    running.await.unwrap().unwrap();
}

/// The public door for callbacks, as the API's (stored first, then answered), and the
/// people's.
async fn door(State(desk): State<Arc<Desk>>, uri: Uri, body: Bytes) -> (StatusCode, String) {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let (kind, secret) = match segments[..] {
        ["hooks", "stk", secret] => (CallbackKind::StkResult, secret),
        ["hooks", "c2b", secret, "confirmation"] => (CallbackKind::C2bConfirmation, secret),
        ["hooks", "b2c", secret, "result"] => (CallbackKind::B2cResult, secret),
        ["hooks", "b2c", secret, "timeout"] => (CallbackKind::B2cTimeout, secret),
        ["hooks", "answer", secret, "result"] => (CallbackKind::Answer, secret),
        ["hooks", "answer", secret, "timeout"] => (CallbackKind::AnswerTimeout, secret),
        ["do", what] => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            return match desk.act(what, &asked).await {
                Ok(done) => (StatusCode::OK, done.to_string()),
                Err(error) => {
                    let told = json!({"code": error.code(), "fault": format!("{:?}", error.fault()), "text": error.to_string()});
                    (StatusCode::CONFLICT, told.to_string())
                }
            };
        }
        _ => return (StatusCode::NOT_FOUND, String::new()),
    };
    let (source, secret, body) = ("127.0.0.1".to_owned(), secret.to_owned(), body.to_vec());
    let callback = NewCallback { kind, secret, body, source, received_at: desk.clock.now() };
    match desk.settlement.receive_callback(callback).await {
        Ok(()) => (StatusCode::OK, r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#.to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

impl Desk {
    async fn act(&self, what: &str, asked: &Value) -> Result<Value, SettlementError> {
        let number = |name: &str| asked[name].as_i64().unwrap();
        let household = || HouseholdId(u32::try_from(number("household")).unwrap());
        let wh = || Wh(u64::try_from(number("energy_wh")).unwrap());
        let key = || asked["key"].as_str().unwrap();
        let settlement = &self.settlement;
        Ok(match what {
            "offer" => {
                let posted = settlement.post_offer(household(), wh(), Price(1_500), 600_000, key()).await?;
                json!({"state": format!("{:?}", posted.state), "refusal": posted.refusal})
            }
            "order" => {
                let pay_with = if asked["from_balance"] == true { PayWith::Balance } else { PayWith::Mpesa };
                let order =
                    settlement.place_order(household(), Want::Energy(wh()), pay_with, None, key()).await?;
                json!({"id": order.id.0, "state": format!("{:?}", order.state)})
            }
            "payout" => {
                let available = self.store.balance(Account::Household(household())).await?.available();
                let amount = match self.store.payout_by_key(household(), key()).await? {
                    Some(begun) => begun.amount,
                    None => Cents(available.0.min(number("amount_cents"))),
                };
                let payout = settlement.request_payout(household(), amount, key()).await?;
                json!({"id": payout.id.0, "state": format!("{:?}", payout.state)})
            }
            "reversed" => {
                let receipt = |name: &str| asked[name].as_str().and_then(|text| text.parse::<Receipt>().ok());
                let amount = Cents(number("amount_cents"));
                settlement.payment_reversed(receipt("receipt").unwrap(), receipt("reversal"), amount).await?;
                json!({})
            }
            "float" => {
                let named: Receipt = asked["receipt"].as_str().unwrap().parse().unwrap();
                let amount = Cents(number("amount_cents"));
                let moved = if amount.is_positive() {
                    shortcodes::float_deposited(&named, Shortcode::Payout, amount, self.clock.now())
                } else {
                    shortcodes::swept(&named, Shortcode::Payout, Cents(-amount.0), self.clock.now())
                };
                self.store.commit(vec![Change::Post(moved)]).await?;
                json!({})
            }
            "move" => {
                let moved = settlement.move_float("operator", Cents(number("amount_cents")), key()).await?;
                json!({"number": moved.number, "state": format!("{:?}", moved.state)})
            }
            "moved" => {
                let number = asked["number"].as_u64().unwrap();
                let seen = (asked["moved"] == true).then_some(None);
                settlement.float_on_statement(number, seen).await?;
                json!({})
            }
            "resume" => {
                settlement.resume_payouts().await?;
                json!({})
            }
            "open" => {
                let live = self.store.live_collections().await?;
                let references: Vec<_> = live.iter().map(|open| open.reference.to_string()).collect();
                let balances = self.store.balances().await?;
                let owners = balances.iter().filter_map(|(account, balance)| match account {
                    Account::Household(id) if balance.available() >= Cents(1_000) => Some(id.0),
                    _ => None,
                });
                json!({"references": references, "owners": owners.collect::<Vec<_>>()})
            }
            "state" => self.state().await?,
            _ => panic!("nobody does {what}"),
        })
    }

    async fn state(&self) -> Result<Value, SettlementError> {
        let store = &self.store;
        let mut accounts = Vec::new();
        for account in [Account::MpesaCollection, Account::MpesaPayout, Account::MpesaCharges] {
            accounts.push(store.balance(account).await?.net_debit().0);
        }
        let queue = match self.settlement.payout_queue() {
            PayoutQueue::Open => "open",
            PayoutQueue::Waiting { .. } => "waiting",
            PayoutQueue::Stopped { .. } => "stopped",
        };
        let payouts = store.live_payouts().await?;
        let now = self.clock.now();
        let reviews = store.open_reviews(jirani_store::verbs::PAGE_MAX).await?;
        let doubts = reviews.iter().filter(|review| review.key.starts_with("collection/"));
        let moving = self.settlement.last_float_move().await?.filter(|last| !last.is_final());
        Ok(json!({
            "moving": moving.map(|last| json!({
                "number": last.number,
                "state": format!("{:?}", last.state),
                "age_s": now.since(last.asked_at) / 1_000_000,
            })),
            "orders": store.live_orders().await?.iter().map(|order| format!("{} {:?}", order.id, order.state)).collect::<Vec<_>>(),
            "collections": store.live_collections().await?.iter().map(|open| format!("{} {:?}", open.order, open.state)).collect::<Vec<_>>(),
            "receipts": store.waiting_receipts().await?.len(),
            "reversals": store.waiting_reversals().await?.iter().map(|waiting| waiting.receipt.to_string()).collect::<Vec<_>>(),
            "callbacks": store.pending_callbacks(100).await?.len(),
            "payouts": payouts.iter().map(|payout| format!("{} {:?}", payout.id, payout.state)).collect::<Vec<_>>(),
            "owed_cents": payouts.iter().map(|payout| payout.amount.0).sum::<i64>(),
            "accounts": accounts,
            "doubts": doubts.map(|review| review.key.clone()).collect::<Vec<_>>(),
            "queue": queue,
            "now": now.0,
        }))
    }
}
