use super::TestChain;
use async_trait::async_trait;
use jirani_advisor::{Advisor, AdvisorConfig};
use jirani_api::dto::config::{ClusterView, PlaceView};
use jirani_api::dto::operator::{AuditView, InvariantState, InvariantView};
use jirani_api::{
    AccountsConfig, Api, ApiConfig, ApiDeps, ApiStartError, AuditRunner, FromAdvisor, GatewaySecret, Limits,
    Phones, PinForMoney, RunningApi, TokenSource, UssdConfig,
};
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential};
use jirani_daraja_sandbox::{Behaviour, PhoneMode, RunningSandbox, Sandbox, SandboxConfig};
use jirani_forecast::{ClearSkyAndYesterday, Place};
use jirani_inbox::Gate;
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId};
use jirani_market::{Tariff, Tariffs};
use jirani_notify::Handsets;
use jirani_settlement::{Settlement, SettlementConfig, SettlementDeps};
use jirani_store::{
    Change, Events, HouseholdKind, HouseholdRecord, Language, NewCallback, ReadingRow, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, Clock as _, HouseholdId, MeterId, Msisdn, Price, Timestamp, Wh};
use jirani_weather::ClearSky;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Sunday evening in Nairobi.
pub const START: &str = "2026-11-22T15:30:00Z";

pub struct World {
    pub api: RunningApi,
    pub deps: ApiDeps,
    pub store: Arc<dyn Store>,
    pub chain: Arc<TestChain>,
    pub clock: ServiceClock,
    pub events: Events,
    /// The audit takes one of these to end.
    pub audits: Arc<Semaphore>,
    /// Audits that have begun.
    pub audits_begun: Arc<AtomicUsize>,
    pub client: Client,
    pub mpesa: RunningSandbox,
    /// What was sent to phones.
    pub handsets: Arc<Handsets>,
    folder: tempfile::TempDir,
}

pub struct WorldOptions {
    pub demo: bool,
    pub limits: Limits,
    pub web_dir: Option<PathBuf>,
    /// Whether settlement works; else it only keeps what it is given.
    pub settle: bool,
    /// Who may call back.
    pub gate: Arc<Gate>,
    /// Whether phones have menus.
    pub menus: bool,
    /// Whether money asks for the PIN.
    pub pin_for_money: PinForMoney,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            demo: true,
            limits: Limits::village(),
            web_dir: None,
            settle: true,
            gate: Arc::new(Gate::open()),
            menus: true,
            pin_for_money: PinForMoney::NotAsked,
        }
    }
}

/// Households 1 and 2 with meters, and the operator's generator 3.
pub async fn start(options: WorldOptions) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("db")).await.unwrap());
    let clock = ServiceClock::advanced_from(START.parse().unwrap());
    let events = Events::new(64);
    let chain = Arc::new(TestChain::new(clock.clone()));
    let people = [
        home_record(1, "Amina Wanjiku", "Baobab"),
        home_record(2, "Otieno", "Acacia"),
        HouseholdRecord {
            kind: HouseholdKind::Generator,
            msisdn: None,
            ..home_record(3, "Generator", "Operator")
        },
    ];
    store.commit(people.into_iter().map(Change::Household).collect()).await.unwrap();
    let audits = Arc::new(Semaphore::new(100));
    let audits_begun = Arc::new(AtomicUsize::new(0));
    let bound = Api::bind(LOCAL.parse().unwrap()).await.unwrap();
    let mpesa = Sandbox::start(SandboxConfig::default(), clock.clone()).await.unwrap();
    let client = DarajaClient::new(daraja_config(&mpesa.base_url), Arc::new(clock.clone())).unwrap();
    let tariffs = jirani_settlement::open_tariffs(store.as_ref(), TARIFF, clock.now()).await.unwrap();
    let settlement = Settlement::new(
        SettlementConfig {
            callback_base: format!("http://{}", bound.addr),
            shortcode: "600966".into(),
            deployment_key: [2; 32],
            seed: [3; 32],
            tariffs: tariffs.clone(),
            payouts: jirani_settlement::PayoutPolicy::default(),
            workers: 4,
        },
        SettlementDeps {
            store: store.clone(),
            chain: chain.clone(),
            mpesa: Arc::new(client),
            clock: clock.clone(),
            events: events.clone(),
        },
    );
    let advisor = Arc::new(Advisor::new(
        AdvisorConfig { slot_length_s: 900, place: Some(PLACE), tariffs: tariffs.clone() },
        store.clone(),
        clock.clone(),
        Arc::new(ClearSky),
        Arc::new(ClearSkyAndYesterday),
    ));
    let handsets = Arc::new(Handsets::new(Arc::new(clock.clone())));
    let deps = ApiDeps {
        meters: None,
        store: store.clone(),
        chain: chain.clone(),
        trading: settlement.clone(),
        advice: Arc::new(FromAdvisor::new(advisor, store.clone(), chain.clone())),
        audit: Arc::new(AllHolds {
            clock: clock.clone(),
            audits: audits.clone(),
            begun: audits_begun.clone(),
        }),
        clock: clock.clone(),
        events: events.clone(),
        tokens: TokenSource::from_seed([1; 32]),
        phones: Some(Phones { sms: handsets.clone(), handsets: Some(handsets.clone()) }),
    };
    if options.settle {
        tokio::spawn(settlement.run(CancellationToken::new()));
    }
    let bound = bound.with_gate(options.gate.clone());
    let bound = bound.start(config(LOCAL.parse().unwrap(), options, tariffs), deps.clone());
    let api = bound.await.unwrap();
    World {
        api,
        deps,
        store,
        chain,
        clock,
        events,
        audits,
        audits_begun,
        client: Client::new(),
        mpesa,
        handsets,
        folder,
    }
}

const LOCAL: &str = "127.0.0.1:0";
const PLACE: Place = Place { latitude_microdegrees: -1_286_000, longitude_microdegrees: 36_817_000 };

fn daraja_config(base_url: &str) -> DarajaConfig {
    DarajaConfig {
        base_url: base_url.to_owned(),
        consumer_key: "sandbox-key".into(),
        consumer_secret: "sandbox-secret".into(),
        shortcode: "600966".into(),
        passkey: "sandbox-passkey".into(),
        b2c_shortcode: "600992".into(),
        initiator_name: "apiuser".into(),
        credential: SecurityCredential::Ready("any blob".into()),
        charges: PayoutCharges::default(),
        timeout_s: 30,
    }
}

/// A second API beside the first.
pub async fn start_on(world: &World, listen: SocketAddr) -> Result<RunningApi, ApiStartError> {
    Api::start(config(listen, WorldOptions::default(), Tariffs::always(TARIFF).unwrap()), world.deps.clone())
        .await
}

fn config(listen: SocketAddr, options: WorldOptions, tariffs: Tariffs) -> ApiConfig {
    ApiConfig {
        site_name: "Kisiwa mini-grid".to_owned(),
        listen,
        web_dir: options.web_dir,
        demo: options.demo,
        session_s: jirani_api::config::SESSION_S,
        secure_cookies: false,
        slot_length_s: 900,
        speed: Some(60),
        tariffs,
        place: Some(PlaceView { latitude_microdegrees: -1_286_000, longitude_microdegrees: 36_817_000 }),
        phones_url: None,
        cluster: ClusterView { name: "embedded".into(), explorer_url: None },
        limits: options.limits,
        accounts: AccountsConfig {
            pin_for_money: options.pin_for_money,
            shared_phone_s: AccountsConfig::SHARED_PHONE_S,
            speed: 1,
            pin_pepper: [5; 32],
            password_pepper: [6; 32],
            totp_key: TOTP_KEY,
            acts_key: ACTS_KEY,
        },
        gateway: GatewaySecret::new(USSD_SECRET.to_owned()),
        ussd: options.menus.then(|| UssdConfig {
            service_code: "*384*1#".to_owned(),
            pepper: [5; 32],
            code_s: 600,
            per_minute: options.limits.money_per_minute,
            // No test depends on how fast the machine is.
            patience: std::time::Duration::from_mins(1),
        }),
    }
}

/// From which the secrets of authenticators are made.
pub const TOTP_KEY: [u8; 32] = [7; 32];
/// Links the log of acts.
pub const ACTS_KEY: [u8; 32] = [8; 32];

/// The segment of the phones' doors.
pub const USSD_SECRET: &str = "0123456789abcdef01234567";

pub const TARIFF: Tariff =
    Tariff { retail: Price(6_000), buy_back: Price(2_000), grid_fee: Price(500), tax: Price(300) };

pub fn home_record(id: u32, name: &str, alias: &str) -> HouseholdRecord {
    let byte = u8::try_from(id).unwrap();
    HouseholdRecord {
        id: HouseholdId(id),
        kind: HouseholdKind::Home,
        alias: alias.into(),
        name: name.into(),
        msisdn: Some(format!("0712 345 00{id}").parse().unwrap()),
        language: Language::Sw,
        meter: Some(MeterId([byte; 16])),
        meter_key: [byte; 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: Some([byte; 32]),
        enrolled_at: "2026-11-01T00:00:00Z".parse().unwrap(),
        version: 0,
    }
}

/// A reading of a household's meter; generation runs as export does.
pub fn reading(household: u32, seq: u64, at: &str, import: u64, export: u64, power_w: i32) -> ReadingRow {
    let time: Timestamp = at.parse().unwrap();
    ReadingRow {
        meter: MeterId([u8::try_from(household).unwrap(); 16]),
        epoch: 1,
        seq,
        household: HouseholdId(household),
        time,
        import_wh: Wh(import),
        export_wh: Wh(export),
        generation_wh: Wh(export * 2),
        power_w,
        bytes: format!("{household}/{seq}").into_bytes(),
        received_at: time,
    }
}

impl World {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api.addr)
    }

    pub fn nobody(&self) -> Person<'_> {
        Person { world: self, token: None }
    }

    pub async fn household(&self, id: u32) -> Person<'_> {
        self.sign_in(json!({ "household_id": id })).await
    }

    pub async fn operator(&self) -> Person<'_> {
        self.sign_in(json!({ "operator": true })).await
    }

    /// Somebody with this role, or nobody.
    pub async fn signed_in_as(&self, role: &str) -> Person<'_> {
        match role {
            "nobody" => self.nobody(),
            "household" => self.household(1).await,
            "demo" => self.operator().await,
            desk => self.sign_in(json!({ "operator": true, "role": desk })).await,
        }
    }

    async fn sign_in(&self, who: Value) -> Person<'_> {
        let session = self.nobody().post("/api/v1/demo/session", &who).await;
        let token = session["token"].as_str().unwrap().to_owned();
        Person { world: self, token: Some(token) }
    }

    /// Gives a household money, as if a payment of its had become balance.
    pub async fn give_balance(&self, household: u32, amount: i64) {
        let transfer = Transfer {
            id: TransferId::derive("test balance", &household.to_le_bytes()),
            debit: Account::MpesaCollection,
            credit: Account::Household(HouseholdId(household)),
            amount: Cents(amount),
            reason: Reason::Credit,
            kind: Kind::Posted,
            memo: "a payment".into(),
            at: self.clock.now(),
        };
        self.store.commit(vec![Change::Post(transfer)]).await.unwrap();
    }

    /// Says how a household's phone answers prompts.
    pub async fn phone_answers(&self, household: u32, behaviour: Behaviour) {
        let msisdn: Msisdn = format!("0712 345 00{household}").parse().unwrap();
        assert!(self.mpesa.set_phone(msisdn, "", PhoneMode::Automatic(behaviour)).await);
    }

    /// Lets time pass, from one thing that waits to the next, until a question
    /// has this answer.
    pub async fn pass_until(&self, person: &Person<'_>, path: &str, field: &str, value: &str) -> Value {
        for _ in 0..200 {
            self.clock.idle().await;
            let answer = person.get(path).await;
            if answer[field] == value {
                return answer;
            }
            if let Some(at) = self.clock.next_due() {
                self.clock.advance_to(at);
            }
        }
        panic!("{path} never had {field} = {value}");
    }

    /// Changes the database behind the store's back.
    pub fn tamper(&self, statements: &[&str]) {
        let database = rusqlite::Connection::open(self.folder.path().join("db")).unwrap();
        for statement in statements {
            database.execute_batch(statement).unwrap();
        }
    }

    /// How many live streams and waits there are.
    pub fn listeners(&self) -> usize {
        self.events.listeners()
    }

    /// Callbacks that nobody has read yet.
    pub async fn kept_callbacks(&self) -> Vec<NewCallback> {
        let rows = self.store.pending_callbacks(100).await.unwrap();
        rows.into_iter().map(|row| row.callback).collect()
    }

    /// Reads until a condition holds; fails after ten seconds of real time.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let wait = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), wait)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"));
    }
}

/// Somebody with a bearer token, or nobody.
#[derive(Clone)]
pub struct Person<'a> {
    pub world: &'a World,
    pub token: Option<String>,
}

impl Person<'_> {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.world.client.request(method, self.world.url(path));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn ask(&self, method: Method, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        expect(self.ask(Method::GET, path).await, 200).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        expect(self.request(Method::POST, path).json(body).send().await.unwrap(), 200).await
    }

    pub async fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Response {
        self.request(Method::POST, path).header("Idempotency-Key", key).json(body).send().await.unwrap()
    }
}

/// The answer's JSON, when it has this status.
pub async fn expect(response: Response, status: u16) -> Value {
    let (url, got) = (response.url().clone(), response.status().as_u16());
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{url}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

struct AllHolds {
    clock: ServiceClock,
    audits: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

#[async_trait]
impl AuditRunner for AllHolds {
    async fn run(&self) -> AuditView {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.audits.acquire().await.unwrap().forget();
        let holds =
            |id: &str| InvariantView { id: id.into(), state: InvariantState::Holds, detail: String::new() };
        AuditView {
            at: self.clock.now().into(),
            ok: true,
            invariants: vec![holds("E1"), holds("M2")],
            violations: Vec::new(),
        }
    }
}
