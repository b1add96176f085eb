//! A site whose callbacks wait on a public host: whichever of the two is killed,
//! whenever, no callback is lost and none counts twice. Two real processes, ended by
//! the audit of the stopped site.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Person, Running};

const TOKEN: &str = "5f0c1e3a7b9d2468ace013579bdf2468";
/// Homes of the village have these numbers.
const FIRST_NUMBER: u64 = 254_700_000_000;
const OFFERED_WH: u64 = 500;
const BOUGHT_WH: u64 = 100;
const DUE_CENTS: i64 = 300;

/// The role in its own process.
struct Inbox {
    child: Child,
    addr: SocketAddr,
}

impl Inbox {
    /// Starts on `listen`; of port 0 a free one is taken.
    fn start(folder: &Path, listen: SocketAddr) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jirani"))
            .args(["serve", "--role", "inbox"])
            .env("JIRANI__DATA_DIR", folder)
            .env("JIRANI__INBOX__LISTEN", listen.to_string())
            .env("JIRANI__INBOX__TOKEN", TOKEN)
            .env("JIRANI__HOOKS__ALLOWED", "[\"anybody\"]")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the role starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().expect("a line").unwrap();
        let addr = address.split("http://").nth(1).expect("an address").parse().unwrap();
        assert!(lines.next().unwrap().unwrap().starts_with("Ready"));
        Self { child, addr }
    }

    /// SIGKILL; where it was.
    fn kill(mut self) -> SocketAddr {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.addr
    }

    /// How many callbacks wait for the site.
    async fn waiting(&self) -> usize {
        self.get("/inbox/v1/callbacks").await["callbacks"].as_array().unwrap().len()
    }

    async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("http://{}{path}", self.addr)).bearer_auth(TOKEN);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> u16 {
        let request = reqwest::Client::new().post(format!("http://{}{path}", self.addr)).json(body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Until the site has everything.
    async fn is_emptied(&self) {
        while self.waiting().await > 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a site fetches what waits for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetches {
    Yes,
    NotYet,
}

async fn site(folder: &Path, inbox: &Inbox, fetches: Fetches) -> Running {
    let url = format!("http://{}", inbox.addr);
    let mut settings = vec![
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__DEMO__SPEED", "600"),
        ("JIRANI__HTTP__CALLBACK_BASE", url.as_str()),
        ("JIRANI__MPESA__INBOX_TOKEN", TOKEN),
    ];
    if fetches == Fetches::Yes {
        settings.push(("JIRANI__MPESA__INBOX_URL", url.as_str()));
    }
    Running::start_with(folder, &settings).await
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A seller with an offer, and a buyer.
async fn market(running: &Running) -> (u64, u64) {
    let homes = running.homes().await;
    let seller = homes.iter().max_by_key(|(_, rated)| *rated).expect("a home with panels").0;
    let buyer = homes.iter().map(|(id, _)| *id).find(|id| *id != seller).expect("another home");
    let person = running.household(seller).await;
    person
        .until("energy to sell", "/api/v1/me/home", |home| {
            home["vault_wh"].as_u64() >= Some(OFFERED_WH) && home["shortfall_wh"] == 0
        })
        .await;
    let offer = json!({ "energy_wh": OFFERED_WH, "price_cents_per_kwh": 2_500, "expires_in_s": 86_400 });
    let offer = person.done("/api/v1/me/offers", "the-offer", &offer).await;
    assert_eq!(offer["state"], "open", "{offer}");
    (seller, buyer)
}

async fn order(buyer: &Person<'_>, key: &str) -> u64 {
    let body = json!({ "energy_wh": BOUGHT_WH, "pay_with": "mpesa" });
    let order = buyer.done("/api/v1/me/orders", key, &body).await;
    assert_eq!(order["due_cents"], DUE_CENTS, "{order}");
    order["id"].as_u64().unwrap()
}

async fn pay(running: &Running, household: u64) {
    let path = format!("/sandbox/phones/{}/answer", FIRST_NUMBER + household);
    let (status, answer) = running.sandbox(&path, Some(json!({ "action": "pay", "pin": "1234" }))).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_is_killed_no_callback_is_lost_and_none_counts_twice() {
    let (site_folder, inbox_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut inbox = Inbox::start(inbox_folder.path(), anywhere);
    let mut running = site(site_folder.path(), &inbox, Fetches::Yes).await;
    let (seller, buyer_id) = market(&running).await;

    // Nobody is killed: the callback goes by way of the public host.
    let first = order(&running.household(buyer_id).await, "order-0").await;
    pay(&running, buyer_id).await;
    running.household(buyer_id).await.order_in(first, &["settled"]).await;
    inbox.is_emptied().await;

    // The public host is killed as the payment is made.
    let second = order(&running.household(buyer_id).await, "order-1").await;
    pay(&running, buyer_id).await;
    inbox = Inbox::start(inbox_folder.path(), inbox.kill());
    running.household(buyer_id).await.order_in(second, &["settled"]).await;
    inbox.is_emptied().await;

    // A site that does not fetch is killed; what was answered waits on the public
    // host's disk, also for what strangers sent, and through its own death.
    running.kill();
    running = site(site_folder.path(), &inbox, Fetches::NotYet).await;
    let third = order(&running.household(buyer_id).await, "order-2").await;
    pay(&running, buyer_id).await;
    while inbox.waiting().await == 0 {
        tokio::task::yield_now().await;
    }
    running.kill();
    let forged = json!({ "Body": { "stkCallback": { "CheckoutRequestID": "ws_CO_1", "ResultCode": 0 } } });
    for number in 0..50 {
        assert_eq!(inbox.post(&format!("/hooks/stk/{number:032x}"), &forged).await, 200);
    }
    let addr = inbox.kill();
    let kept = tempfile::tempdir().unwrap();
    copy(inbox_folder.path(), kept.path());
    inbox = Inbox::start(inbox_folder.path(), addr);
    assert!(inbox.waiting().await > 50, "what was answered is on disk");
    running = site(site_folder.path(), &inbox, Fetches::Yes).await;
    running.household(buyer_id).await.order_in(third, &["settled"]).await;
    inbox.is_emptied().await;

    // The same callbacks again, as after a crash between storing and remembering.
    running.kill();
    let addr = inbox.kill();
    copy(kept.path(), inbox_folder.path());
    std::fs::remove_file(site_folder.path().join("inbox-position")).unwrap();
    inbox = Inbox::start(inbox_folder.path(), addr);
    assert!(inbox.waiting().await > 50);
    running = site(site_folder.path(), &inbox, Fetches::Yes).await;
    inbox.is_emptied().await;
    let home = running.household(seller).await.get("/api/v1/me/home").await;
    assert_eq!(home["balance_cents"], 3 * 250, "each sale once: {home}");
    running.finish(site_folder.path());
}
