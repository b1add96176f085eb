//! The emulator ends and starts again: in order, and by kill -9.

use crate::support::{Inbox, Rig, client_config, phone, start_time};
use jirani_clock::ServiceClock;
use jirani_daraja::callback::{B2cOutcome, StkOutcome, parse_b2c, parse_stk};
use jirani_daraja::{DarajaClient, Mpesa as _, QueryOutcome, SendError};
use jirani_daraja_sandbox::{Behaviour, Delivery, PhoneMode, Sandbox, SandboxConfig};
use jirani_units::{Clock as _, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

fn on_disk(folder: &tempfile::TempDir) -> SandboxConfig {
    SandboxConfig { data_dir: Some(folder.path().to_owned()), ..SandboxConfig::default() }
}

#[tokio::test]
async fn an_open_prompt_a_waiting_payout_and_the_money_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(on_disk(&folder)).await;
    rig.register().await;
    rig.client.stk_push(rig.push_of(phone(1), 30)).await.unwrap();
    let first = rig.pay(phone(1)).await;
    let open = rig.client.stk_push(rig.push_of(phone(2), 40)).await.unwrap();
    rig.client.stk_push(rig.push_of(phone(3), 50)).await.unwrap();
    rig.client.b2c(rig.payout_of("po-1", phone(1), 200)).await.unwrap();
    let (totals, inbox, now) = (rig.totals().await, rig.inbox.clone(), rig.clock.now());
    rig.sandbox.stop().await;

    let rig = Rig::start_at(on_disk(&folder), now, inbox).await;
    assert_eq!(rig.totals().await, totals);
    assert_eq!(rig.clock.persons(), 1);
    let second = rig.pay(phone(2)).await;
    assert_ne!(first, second);
    assert_eq!(rig.client.stk_query(&open.checkout_request_id).await, QueryOutcome::Paid);
    assert_eq!(rig.client.b2c(rig.payout_of("po-1", phone(1), 200)).await, Err(SendError::Duplicate));
    rig.pass(60).await;
    assert_eq!(rig.inbox.stk().last().unwrap(), &StkOutcome::Refused { code: "1037".to_owned() });
    assert_eq!(rig.inbox.bodies("/hooks/b2c").len(), 1);
    assert_eq!(rig.inbox.confirmed_receipts(), [first, second]);
    assert_eq!(rig.totals().await, (7_000, 100_000_000 - 20_000, -500));
}

#[tokio::test]
async fn a_callback_that_nobody_heard_is_told_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    // An address where nobody listens yet.
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let mut elsewhere = Inbox::open().await;
    elsewhere.url = format!("http://{address}");
    let rig = Rig::start_at(on_disk(&folder), start_time(), elsewhere).await;
    rig.client.stk_push(rig.push_of(phone(1), 30)).await.unwrap();
    let receipt = rig.pay(phone(1)).await;
    rig.pass(600).await;
    let now = rig.clock.now();
    rig.sandbox.stop().await;

    let inbox = Inbox::open_at(&address).await;
    let rig = Rig::start_at(on_disk(&folder), now, inbox).await;
    rig.clock.idle().await;
    let [StkOutcome::Paid { receipt: Some(told), .. }] = &rig.inbox.stk()[..] else { panic!("not told") };
    assert_eq!(told.as_str(), receipt);
    assert_eq!(rig.get("/sandbox/callbacks").await["owed"], serde_json::json!([]));
}

#[tokio::test]
async fn a_server_that_listens_elsewhere_after_a_restart_still_hears_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut gone = Inbox::open().await;
    gone.url = "http://127.0.0.1:1".to_owned();
    let rig = Rig::start_at(on_disk(&folder), start_time(), gone).await;
    rig.register().await;
    for nth in [1, 2, 3] {
        rig.client.stk_push(rig.push_of(phone(nth), 30)).await.unwrap();
    }
    let first = rig.pay(phone(1)).await;
    let now = rig.clock.now();
    rig.sandbox.stop().await;

    // The second prompt is answered before the emulator knows the new address.
    let rig = Rig::start_at(on_disk(&folder), now, Inbox::open().await).await;
    let (_, second) = rig
        .post(
            &format!("/sandbox/phones/{}/answer", phone(2).number()),
            json!({"action": "pay", "pin": "1234"}),
        )
        .await;
    rig.sandbox.callbacks_to(&rig.inbox.url).await;
    rig.clock.idle().await;
    rig.pay(phone(3)).await;
    assert_eq!(rig.inbox.stk().len(), 3);
    let confirmed = rig.inbox.confirmed_receipts();
    assert_eq!(confirmed.len(), 3);
    assert!(
        confirmed.contains(&first) && confirmed.contains(&second["receipt"].as_str().unwrap().to_owned())
    );
    assert_eq!(rig.get("/sandbox/callbacks").await["owed"], json!([]));
}

#[tokio::test]
async fn a_second_emulator_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(on_disk(&folder)).await;
    let clock = ServiceClock::advanced_from(start_time());
    let error = Sandbox::start(on_disk(&folder), clock).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("sandbox.database"), "{error}");
    assert_eq!(rig.totals().await.0, 0);
}

#[tokio::test]
async fn a_file_that_is_no_state_of_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mpesa.db"), "these are not the shillings you are looking for")
        .unwrap();
    let clock = ServiceClock::advanced_from(start_time());
    let error = Sandbox::start(on_disk(&folder), clock).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("mpesa.db"), "{error}");
}

const FOLDER: &str = "SANDBOX_UNDER_TEST";

fn system_time() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(now.as_micros()).unwrap())
}

#[test]
#[ignore = "the emulator that the next test runs as a process of its own, and kills"]
fn emulator_to_be_killed() {
    let folder = std::env::var(FOLDER).unwrap();
    let config = SandboxConfig {
        data_dir: Some(folder.into()),
        default_mode: PhoneMode::Automatic(Behaviour::ALWAYS_PAYS),
        answer_delay_ms: (1, 60),
        payout_delay_ms: (1, 60),
        delivery: Delivery::UntilAccepted,
        ..SandboxConfig::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let sandbox = Sandbox::start(config, ServiceClock::system(system_time)).await.unwrap();
        println!("listens at {}", sandbox.base_url);
        std::future::pending::<()>().await;
    });
}

/// Ends with the test, whatever becomes of it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(folder: &tempfile::TempDir) -> (Killed, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "restart::emulator_to_be_killed", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, url)) = line.split_once("listens at ") {
            break url.to_owned();
        }
    };
    (Killed(child), url)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_payment_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open().await;
    let (mut prompts, mut payouts) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..4_u64 {
        let (killed, url) = spawn(&folder);
        let clock = Arc::new(ServiceClock::system(system_time));
        let client = Arc::new(DarajaClient::new(client_config(&url), clock).unwrap());
        let taken_on = Arc::new(watch::Sender::new(0_u64));
        let mut asked = tokio::task::JoinSet::new();
        for nth in 0..60 {
            let (client, inbox, taken_on) = (Arc::clone(&client), inbox.clone(), Arc::clone(&taken_on));
            asked.spawn(async move {
                let id = round * 1_000 + nth;
                let push = jirani_daraja::StkRequest {
                    shillings: 10,
                    msisdn: phone(id),
                    reference: jirani_units::Reference::from_entropy(id),
                    callback_url: format!("{}/hooks/stk/{id:032x}", inbox.url),
                };
                let prompt = client.stk_push(push).await.ok().map(|accepted| accepted.checkout_request_id);
                let payout = jirani_daraja::B2cRequest {
                    originator_id: format!("po-{id}"),
                    shillings: 20,
                    msisdn: phone(id),
                    result_url: format!("{}/hooks/b2c/po-{id}/result", inbox.url),
                    timeout_url: format!("{}/hooks/b2c/po-{id}/timeout", inbox.url),
                };
                let payout = client.b2c(payout).await.ok().map(|_| format!("/hooks/b2c/po-{id}/result"));
                taken_on.send_modify(|count| *count += u64::from(payout.is_some()));
                (prompt, payout)
            });
        }
        // Killed once a different share of the payouts was taken on.
        let enough = 10 + round * 12;
        patiently(taken_on.subscribe().wait_for(|count| *count >= enough)).await.unwrap();
        drop(killed);
        while let Some(result) = asked.join_next().await {
            let (prompt, payout) = result.unwrap();
            prompts.extend(prompt);
            payouts.extend(payout);
        }
    }
    let (_last, url) = spawn(&folder);
    assert!(prompts.len() >= 112 && payouts.len() >= 112, "{} {}", prompts.len(), payouts.len());
    patiently(inbox.until(|| {
        let told = Told::of(&inbox);
        prompts.is_subset(&told.prompts) && payouts.is_subset(&told.payouts)
    }))
    .await;
    // Some were taken on whose answer was cut off: the statement knows them all,
    // and whatever it knows is told in the end.
    let mut arrivals = inbox.arrivals();
    let complete = async {
        loop {
            arrivals.mark_unchanged();
            let told = Told::of(&inbox);
            let statement = statement(&url).await;
            let moved = ["pay_bill", "payout"].map(|kind| moved(&statement, kind));
            if moved == [told.collected.clone(), told.paid_out.clone()] {
                break (statement, told);
            }
            arrivals.changed().await.unwrap();
        }
    };
    let (statement, told) = patiently(complete).await;
    assert_eq!(told.prompts.len(), told.collected.len(), "each prompt was paid once");
    assert_eq!(told.payouts.len(), told.paid_out.len(), "each payout was paid once");
    let [collected, paid_out] = [told.collected, told.paid_out].map(|all| i64::try_from(all.len()).unwrap());
    assert_eq!(statement["totals"]["imbalance_cents"], 0);
    assert_eq!(statement["totals"]["collection_cents"], collected * 1_000);
    assert_eq!(statement["totals"]["payout_cents"], 100_000_000 - paid_out * 2_000);
}

/// What callbacks told so far: prompts by id and payouts by path, and the
/// receipts of both.
#[derive(Default)]
struct Told {
    prompts: BTreeSet<String>,
    payouts: BTreeSet<String>,
    collected: BTreeSet<String>,
    paid_out: BTreeSet<String>,
}

impl Told {
    fn of(inbox: &Inbox) -> Self {
        let mut told = Self::default();
        for arrived in inbox.all() {
            if arrived.path.starts_with("/hooks/stk") {
                let result = parse_stk(&arrived.body).unwrap();
                let StkOutcome::Paid { receipt: Some(receipt), .. } = result.outcome else {
                    panic!("{result:?}")
                };
                told.prompts.insert(result.checkout_request_id);
                told.collected.insert(receipt.to_string());
            } else {
                let result = parse_b2c(&arrived.body).unwrap();
                let B2cOutcome::Paid { receipt: Some(receipt), .. } = result.outcome else {
                    panic!("{result:?}")
                };
                told.payouts.insert(arrived.path);
                told.paid_out.insert(receipt.to_string());
            }
        }
        told
    }
}

async fn statement(url: &str) -> serde_json::Value {
    let text = reqwest::get(format!("{url}/sandbox/statement")).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

fn moved(statement: &serde_json::Value, kind: &str) -> BTreeSet<String> {
    let movements = statement["movements"].as_array().unwrap().iter();
    let of_kind = movements.filter(|movement| movement["kind"] == kind);
    of_kind.map(|movement| movement["receipt"].as_str().unwrap().to_owned()).collect()
}

/// Ends a test that waits for what never comes.
async fn patiently<T>(condition: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), condition).await.unwrap()
}
