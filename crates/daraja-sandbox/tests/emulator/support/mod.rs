//! An emulator, a client of it, and a server that takes its callbacks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use jirani_clock::ServiceClock;
use jirani_daraja::callback::{StkOutcome, parse_c2b, parse_stk};
use jirani_daraja::{B2cRequest, DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential, StkRequest};
use jirani_daraja_sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use jirani_units::{Clock as _, Msisdn, Reference, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// A callback as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub path: String,
    pub shortcode: String,
    pub body: Vec<u8>,
}

/// A server that takes callbacks.
#[derive(Clone)]
pub struct Inbox {
    pub url: String,
    pub status: Arc<AtomicU16>,
    pub answer: Arc<Mutex<String>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    count: Arc<watch::Sender<u64>>,
}

impl Inbox {
    pub async fn open() -> Self {
        Self::open_at("127.0.0.1:0").await
    }

    pub async fn open_at(address: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inbox = Self {
            url,
            status: Arc::new(AtomicU16::new(200)),
            answer: Arc::default(),
            arrived: Arc::default(),
            count: Arc::default(),
        };
        let router = Router::new().fallback(take).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        inbox
    }

    /// Changes whenever something has arrived.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// Waits until what has arrived is enough.
    pub async fn until(&self, enough: impl Fn() -> bool) {
        let mut arrivals = self.arrivals();
        arrivals.wait_for(|_| enough()).await.unwrap();
    }

    pub fn all(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        self.all()
            .into_iter()
            .filter(|arrived| arrived.path.starts_with(path))
            .map(|arrived| arrived.body)
            .collect()
    }

    pub fn stk(&self) -> Vec<StkOutcome> {
        self.bodies("/hooks/stk").iter().map(|body| parse_stk(body).unwrap().outcome).collect()
    }

    pub fn confirmed_receipts(&self) -> Vec<String> {
        self.bodies("/hooks/c2b").iter().map(|body| parse_c2b(body).unwrap().receipt.to_string()).collect()
    }
}

async fn take(State(inbox): State<Inbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let shortcode = headers.get("Businessshortcode").map(|value| value.to_str().unwrap().to_owned());
    inbox.arrived.lock().unwrap().push(Arrived {
        path: uri.path().to_owned(),
        shortcode: shortcode.unwrap_or_default(),
        body: body.to_vec(),
    });
    inbox.count.send_modify(|count| *count += 1);
    let answer = inbox.answer.lock().unwrap().clone();
    (StatusCode::from_u16(inbox.status.load(Ordering::SeqCst)).unwrap(), answer)
}

/// Emulator, client and inbox on one driven clock.
pub struct Rig {
    pub clock: ServiceClock,
    pub sandbox: RunningSandbox,
    pub client: DarajaClient,
    pub inbox: Inbox,
    references: AtomicU64,
    token: Mutex<Option<String>>,
}

pub fn start_time() -> Timestamp {
    "2026-10-03T10:15:00Z".parse().unwrap()
}

pub fn phone(last: u64) -> Msisdn {
    format!("2547120{last:05}").parse().unwrap()
}

pub fn client_config(base_url: &str) -> DarajaConfig {
    DarajaConfig {
        base_url: base_url.to_owned(),
        consumer_key: "sandbox-key".to_owned(),
        consumer_secret: "sandbox-secret".into(),
        shortcode: "600966".to_owned(),
        passkey: "sandbox-passkey".into(),
        b2c_shortcode: "600992".to_owned(),
        initiator_name: "apiuser".to_owned(),
        credential: SecurityCredential::Ready("any blob".into()),
        charges: PayoutCharges::default(),
        timeout_s: 30,
    }
}

impl Rig {
    pub async fn start(config: SandboxConfig) -> Self {
        Self::start_at(config, start_time(), Inbox::open().await).await
    }

    pub async fn start_at(config: SandboxConfig, now: Timestamp, inbox: Inbox) -> Self {
        let clock = ServiceClock::advanced_from(now);
        let sandbox = Sandbox::start(config, clock.clone()).await.unwrap();
        let client = DarajaClient::new(client_config(&sandbox.base_url), Arc::new(clock.clone())).unwrap();
        Self { clock, sandbox, client, inbox, references: AtomicU64::new(1), token: Mutex::default() }
    }

    pub fn push_of(&self, msisdn: Msisdn, shillings: i64) -> StkRequest {
        let nth = self.references.fetch_add(1, Ordering::Relaxed);
        StkRequest {
            shillings,
            msisdn,
            reference: Reference::from_entropy(nth),
            callback_url: format!("{}/hooks/stk/{nth:032x}", self.inbox.url),
        }
    }

    pub fn payout_of(&self, id: &str, msisdn: Msisdn, shillings: i64) -> B2cRequest {
        B2cRequest {
            originator_id: id.to_owned(),
            shillings,
            msisdn,
            result_url: format!("{}/hooks/b2c/{id}/result", self.inbox.url),
            timeout_url: format!("{}/hooks/b2c/{id}/timeout", self.inbox.url),
        }
    }

    pub async fn register(&self) {
        let url = |end| format!("{}/hooks/c2b/{end}", self.inbox.url);
        self.client.register_c2b_urls(&url("confirmation"), &url("validation")).await.unwrap();
    }

    /// Lets this much simulated time pass, event by event.
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

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.sandbox.base_url);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.sandbox.base_url);
        let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// A new token, asked for as any client does.
    pub async fn new_token(&self) -> String {
        let url = format!("{}/oauth/v1/generate?grant_type=client_credentials", self.sandbox.base_url);
        let request = reqwest::Client::new().get(url).basic_auth("sandbox-key", Some("sandbox-secret"));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["expires_in"], "3599");
        let token = answer["access_token"].as_str().unwrap().to_owned();
        *self.token.lock().unwrap() = Some(token.clone());
        token
    }

    /// A request to Daraja's own doors, without our client.
    pub async fn send(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        let known = self.token.lock().unwrap().clone();
        let token = match known {
            Some(token) => token,
            None => self.new_token().await,
        };
        let url = format!("{}{path}", self.sandbox.base_url);
        reqwest::Client::new().post(url).bearer_auth(token).json(body).send().await
    }

    /// The same, and its answer.
    pub async fn call(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.send(path, body).await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A push as any client writes it.
    pub fn push_body(&self, msisdn: Msisdn, shillings: i64) -> Value {
        use base64::Engine as _;
        let nth = self.references.fetch_add(1, Ordering::Relaxed);
        let timestamp = "20261003131500";
        let password = format!("600966sandbox-passkey{timestamp}");
        json!({
            "BusinessShortCode": 600_966,
            "Password": base64::engine::general_purpose::STANDARD.encode(password),
            "Timestamp": timestamp,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": shillings.to_string(),
            "PartyA": msisdn.number(),
            "PartyB": "600966",
            "PhoneNumber": msisdn.number().to_string(),
            "CallBackURL": format!("{}/hooks/stk/{nth}", self.inbox.url),
            "AccountReference": format!("R{nth}"),
            "TransactionDesc": "Energy",
        })
    }

    /// A query of a prompt.
    pub async fn query(&self, checkout_request_id: &str) -> (u16, Value) {
        let push = self.push_body(phone(0), 1);
        let body = json!({
            "BusinessShortCode": "600966",
            "Password": push["Password"],
            "Timestamp": push["Timestamp"],
            "CheckoutRequestID": checkout_request_id,
        });
        self.call("/mpesa/stkpushquery/v1/query", &body).await
    }

    /// A command with an initiator; `fields` are added.
    pub fn command_body(&self, kind: &str, command: &str, fields: &Value) -> Value {
        let mut body = json!({
            "Initiator": "apiuser",
            "SecurityCredential": "any blob",
            "CommandID": command,
            "PartyA": "600992",
            "IdentifierType": "4",
            "Remarks": "a test",
            "ResultURL": format!("{}/hooks/{kind}/result", self.inbox.url),
            "QueueTimeOutURL": format!("{}/hooks/{kind}/timeout", self.inbox.url),
        });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    /// Sends a command, lets it finish, and gives its result.
    pub async fn command(&self, path: &str, kind: &str, command: &str, fields: &Value) -> Value {
        let before = self.inbox.bodies(&format!("/hooks/{kind}/result")).len();
        let (status, ack) = self.call(path, &self.command_body(kind, command, fields)).await;
        assert_eq!((status, &ack["ResponseCode"]), (200, &json!("0")), "{ack}");
        self.pass(10).await;
        let results = self.inbox.bodies(&format!("/hooks/{kind}/result"));
        assert_eq!(results.len(), before + 1, "one result for one command");
        let result: Value = serde_json::from_slice(results.last().unwrap()).unwrap();
        assert_eq!(result["Result"]["ConversationID"], ack["ConversationID"]);
        assert_eq!(result["Result"]["OriginatorConversationID"], ack["OriginatorConversationID"]);
        result["Result"].clone()
    }

    pub async fn answer(&self, msisdn: Msisdn, answer: Value) -> Value {
        let (status, body) = self.post(&format!("/sandbox/phones/{}/answer", msisdn.number()), answer).await;
        assert_eq!(status, 200, "{body}");
        self.clock.idle().await;
        body
    }

    pub async fn pay(&self, msisdn: Msisdn) -> String {
        let body = self.answer(msisdn, json!({"action": "pay", "pin": "1234"})).await;
        body["receipt"].as_str().unwrap().to_owned()
    }

    pub async fn fault(&self, order: Value) {
        let (status, body) = self.post("/sandbox/faults", order).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Money of the business, from the statement, which must balance.
    pub async fn totals(&self) -> (i64, i64, i64) {
        let statement = self.get("/sandbox/statement").await;
        let cents = |name: &str| statement["totals"][name].as_i64().unwrap();
        assert_eq!(cents("imbalance_cents"), 0);
        let mut accounts = std::collections::BTreeMap::new();
        for movement in statement["movements"].as_array().unwrap() {
            let amount = movement["amount_cents"].as_i64().unwrap();
            *accounts.entry(movement["from"].to_string()).or_insert(0) -= amount;
            *accounts.entry(movement["to"].to_string()).or_insert(0) += amount;
        }
        for line in statement["accounts"].as_array().unwrap() {
            assert_eq!(
                accounts[&line["account"].to_string()],
                line["balance_cents"].as_i64().unwrap(),
                "{line}"
            );
        }
        (cents("collection_cents"), cents("payout_cents"), cents("charges_cents"))
    }
}

/// The value of a result's parameter.
pub fn parameter(result: &Value, name: &str) -> Value {
    let items = result["ResultParameters"]["ResultParameter"].as_array().unwrap();
    items.iter().find(|item| item["Key"] == name).unwrap()["Value"].clone()
}
