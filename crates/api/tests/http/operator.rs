//! The operator's desk.

use crate::support::{WorldOptions, expect, reading, start};
use crate::waiting::{order, payout};
use jirani_store::{Change, OrderState, PayWith, QuarantineRow};
use jirani_units::OrderId;
use reqwest::Method;
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn the_overview_counts_meters_orders_and_readings() {
    let world = start(WorldOptions::default()).await;
    let readings = vec![
        reading(1, 1, "2026-11-22T15:00:00Z", 0, 10, 1_000),
        reading(1, 2, "2026-11-22T15:20:00Z", 0, 40, 1_500),
        reading(2, 1, "2026-11-22T15:10:00Z", 5, 0, -400),
    ];
    let bad = QuarantineRow {
        meter: None,
        code: "reading.bad_signature".into(),
        detail: "The signature does not fit.".into(),
        bytes: vec![1, 2, 3],
        received_at: "2026-11-22T15:00:00Z".parse().unwrap(),
    };
    world.store.append_readings(readings, vec![bad]).await.unwrap();
    let mut settled = order(1, PayWith::Balance);
    settled.state = OrderState::Settled;
    let mut open = order(1, PayWith::Mpesa);
    open.id = OrderId(8);
    open.key = "another".into();
    world
        .store
        .commit(vec![Change::Order(settled), Change::Order(open), Change::Payout(payout(1))])
        .await
        .unwrap();
    let operator = world.operator().await;
    let overview = operator.get("/api/v1/operator/overview").await;
    assert_eq!(
        overview["power"],
        json!({
            "export_w": 1_500, "import_w": 400, "meters": 2,
            "newest_at": "2026-11-22T15:20:00Z", "oldest_at": "2026-11-22T15:10:00Z"
        })
    );
    assert_eq!(overview["today"], json!({"generation_wh": 60, "import_wh": 0, "export_wh": 30}));
    assert_eq!((&overview["readings"], &overview["quarantined"]), (&json!(3), &json!(1)));
    let orders = overview["orders"].as_array().unwrap();
    assert!(orders.contains(&json!({"state": "settled", "count": 1})), "{orders:?}");
    assert!(orders.contains(&json!({"state": "awaiting_payment", "count": 1})), "{orders:?}");
    assert_eq!(overview["attested"], json!([{"feeder": 1, "attested_through": null}]));
    let again = operator.get("/api/v1/operator/overview").await;
    assert_eq!(again["orders"], overview["orders"], "counting twice counts nothing twice");

    let quarantine = operator.get("/api/v1/operator/quarantine").await;
    assert_eq!(
        (&quarantine[0]["code"], &quarantine[0]["size_bytes"]),
        (&json!("reading.bad_signature"), &json!(3))
    );
    let payments = operator.get("/api/v1/operator/payments").await;
    assert_eq!(payments["payouts"][0]["msisdn_masked"], "0712 *** 001");
    let households = operator.get("/api/v1/operator/households").await;
    assert_eq!(households.as_array().unwrap().len(), 3);
    assert_eq!((&households[1]["alias"], &households[1]["power_w"]), (&json!("Acacia"), &json!(-400)));
}

#[tokio::test]
async fn an_audit_runs_once_at_a_time_and_is_remembered() {
    let world = start(WorldOptions::default()).await;
    let operator = world.operator().await;
    assert_eq!(operator.get("/api/v1/operator/audit").await, json!({"last": null}));
    world.audits.forget_permits(100);
    let running = tokio::spawn(operator.request(Method::POST, "/api/v1/operator/audit").send());
    world.until("the audit begins", || world.audits_begun.load(Ordering::SeqCst) == 1).await;
    let second = operator.ask(Method::POST, "/api/v1/operator/audit").await;
    assert_eq!(expect(second, 409).await["code"], "audit.running");
    world.audits.add_permits(1);
    let first = expect(running.await.unwrap().unwrap(), 200).await;
    assert_eq!(first["ok"], true);
    assert_eq!(operator.get("/api/v1/operator/audit").await["last"], first);
    assert_eq!(operator.get("/api/v1/operator/overview").await["audit"], first);
}
