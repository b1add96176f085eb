//! Killed at any moment, started again: nothing is lost, nothing is doubled, time
//! does not go back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Running, audit, binary};

/// Village seconds per second, and homes that trade: all settings but the ports'.
const TRADING: &[(&str, &str)] = &[("JIRANI__DEMO__SPEED", "600"), ("JIRANI__DEMO__HOUSEHOLDS", "8")];

async fn now(running: &Running) -> String {
    let operator = running.operator().await;
    operator.get("/api/v1/operator/overview").await["now"].as_str().expect("a time").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_twice_on_the_same_folder_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start_with(folder.path(), TRADING).await;
    let operator = first.operator().await;
    let settled = |overview: &Value| {
        overview["orders"].as_array().is_some_and(|orders| {
            orders.iter().any(|o| o["state"] == "settled" && o["count"].as_u64() >= Some(2))
        })
    };
    let before = operator.until("two trades", "/api/v1/operator/overview", settled).await;
    let stopped_at = now(&first).await;
    first.finish(folder.path());

    let second = Running::start_with(folder.path(), TRADING).await;
    let after = second.operator().await.get("/api/v1/operator/overview").await;
    assert!(after["now"].as_str() >= Some(stopped_at.as_str()), "time went back: {after}");
    assert!(after["readings"].as_u64() >= before["readings"].as_u64(), "readings were lost: {after}");
    assert!(settled(&after), "trades were lost: {after}");
    let more = after["readings"].as_u64();
    second
        .operator()
        .await
        .until("more readings", "/api/v1/operator/overview", |o| o["readings"].as_u64() > more)
        .await;
    second.finish(folder.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_folder_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start_with(folder.path(), TRADING).await;
    let output = binary().arg("up").env("JIRANI__DATA_DIR", folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("data.in_use"), "{text}");
    first.finish(folder.path());
}

/// Runs the village on `folder` and kills it after `after`; whether it ended before.
fn run_and_kill(folder: &Path, after: Duration) -> bool {
    let mut child = binary()
        .args(["village", "run", "--households", "8", "--days", "4", "--seed", "3", "--data-dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while begin.elapsed() < after {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_a_village_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = rand_chacha::ChaCha20Rng::seed_from_u64(20_261_122);
    for _ in 0..10 {
        run_and_kill(folder.path(), Duration::from_millis(random.random_range(400..2_500)));
    }
    // The same folder under `up`: everything unfinished is finished or given back.
    let settings = [
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__DEMO__SPEED", "600"),
        ("JIRANI__DEMO__HOUSEHOLDS", "8"),
        ("JIRANI__DEMO__SEED", "3"),
    ];
    let running = Running::start_with(folder.path(), &settings).await;
    let operator = running.operator().await;
    let at_rest = |overview: &Value| {
        let is_final = |row: &Value, states: &[&str]| states.iter().any(|state| row["state"] == *state);
        let all = |key: &str, states: &[&str]| {
            overview[key].as_array().is_some_and(|rows| rows.iter().all(|row| is_final(row, states)))
        };
        all("orders", &["settled", "released", "refused"])
            && all("payouts", &["paid", "failed"])
            && overview["money"]["clearing_cents"] == 0
    };
    operator.until("everything final", "/api/v1/operator/overview", at_rest).await;
    let (_, statement) = running.sandbox("/sandbox/statement", None).await;
    let money = operator.get("/api/v1/operator/overview").await["money"].clone();
    assert_eq!(
        statement["totals"]["collection_cents"], money["mpesa_collection_cents"],
        "a payment was lost"
    );
    assert_eq!(
        statement["totals"]["payout_cents"], money["mpesa_payout_cents"],
        "a payout was lost or doubled"
    );
    running.interrupt();
    audit(folder.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_outlives_that_mpesa_does_not_take_our_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let settings = &[("JIRANI__DEMO__TRADE", "false"), ("JIRANI__DEMO__SPEED", "600")];
    let first = Running::start_with(folder.path(), settings).await;
    let refuses =
        serde_json::json!({"target": "c2b_register_response", "action": "refuse:internal", "always": true});
    let (status, answer) = first.sandbox("/sandbox/faults", Some(refuses)).await;
    assert_eq!(status, 200, "{answer}");
    first.finish(folder.path());

    // The emulator remembers what it was told.
    let second = Running::start_with(folder.path(), settings).await;
    second.until_ready("ready").await;
    let operator = second.operator().await;
    let told = |notices: &Value| {
        notices.as_array().is_some_and(|list| list.iter().any(|notice| notice["code"] == "c2b_refused"))
    };
    operator.until("the operator hears of it", "/api/v1/operator/notices", told).await;
    second.finish(folder.path());
}
