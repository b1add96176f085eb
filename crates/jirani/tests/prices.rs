//! Prices change while a village trades: bills, chain and books agree over the change, a
//! restart and other settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_units::Timestamp;
use serde_json::{Value, json};
use support::{Running, binary};

/// Village seconds per second, and homes that trade.
const TRADING: &[(&str, &str)] = &[("JIRANI__DEMO__SPEED", "600"), ("JIRANI__DEMO__HOUSEHOLDS", "8")];

fn settled(overview: &Value) -> u64 {
    let orders = overview["orders"].as_array().into_iter().flatten();
    orders.filter(|order| order["state"] == "settled").filter_map(|order| order["count"].as_u64()).sum()
}

/// A quarter of an hour some ten seconds of ours away.
async fn soon(running: &Running) -> String {
    let overview = running.operator().await.get("/api/v1/operator/overview").await;
    let now: Timestamp = overview["now"].as_str().unwrap().parse().unwrap();
    Timestamp::from_seconds((now.seconds() / 900 + 8) * 900).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_trades_on_through_changes_of_its_prices_and_every_bill_holds() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start_with(folder.path(), TRADING).await;
    let operator = first.operator().await;
    operator.until("a trade", "/api/v1/operator/overview", |overview| settled(overview) >= 1).await;
    let from = soon(&first).await;
    let announced = binary()
        .args(["tariff", "announce", "--node", &first.dashboard, "--from", &from, "--key", "dearer"])
        .args(["--retail", "4000", "--buy-back", "1200", "--grid-fee", "400", "--tax", "300", "--json"])
        .output()
        .unwrap();
    assert!(announced.status.success(), "{}", String::from_utf8_lossy(&announced.stderr));
    let announced: Value = serde_json::from_slice(&announced.stdout).unwrap();
    assert_eq!((&announced["from"], &announced["state"]), (&json!(from), &json!("announced")));
    operator
        .until("new prices", "/api/v1/config", |config| config["tariff"]["grid_fee_cents_per_kwh"] == 400)
        .await;
    let before = settled(&operator.get("/api/v1/operator/overview").await);
    operator
        .until("trades by them", "/api/v1/operator/overview", |overview| settled(overview) > before)
        .await;
    first.finish(folder.path());

    let mut settings = TRADING.to_vec();
    settings.push(("JIRANI__TARIFF__RETAIL_CENTS_PER_KWH", "4100"));
    let second = Running::start_with(folder.path(), &settings).await;
    let operator = second.operator().await;
    let tariffs = operator
        .until("the settings' prices", "/api/v1/operator/tariffs", |tariffs| {
            tariffs[2]["state"] == "in_force"
        })
        .await;
    assert_eq!(tariffs[2]["tariff"]["retail_cents_per_kwh"], 4_100);
    assert_eq!((&tariffs[0]["state"], &tariffs[1]["state"]), (&json!("past"), &json!("past")));
    assert_eq!(tariffs[1]["until"], tariffs[2]["from"]);
    let before = settled(&operator.get("/api/v1/operator/overview").await);
    operator.until("more trades", "/api/v1/operator/overview", |overview| settled(overview) > before).await;
    let report = second.finish(folder.path());
    assert_eq!(report["invariants"]["T1"], "holds", "{report}");
}
