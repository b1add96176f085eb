//! What customers, businesses and initiators may not do.

use crate::support::{Rig, phone};
use base64::Engine as _;
use jirani_daraja_sandbox::{SandboxConfig, Shortcode};
use jirani_units::Cents;
use serde_json::{Value, json};

/// Pays out, and gives the result code.
async fn payout(rig: &Rig, id: &str, shillings: i64) -> Value {
    let body = json!({
        "OriginatorConversationID": id,
        "InitiatorName": "apiuser",
        "SecurityCredential": "any blob",
        "CommandID": "BusinessPayment",
        "Amount": shillings,
        "PartyA": "600992",
        "PartyB": phone(1).number(),
        "Remarks": "Energy",
        "QueueTimeOutURL": format!("{}/hooks/{id}/timeout", rig.inbox.url),
        "ResultURL": format!("{}/hooks/{id}/result", rig.inbox.url),
    });
    let (status, ack) = rig.call("/mpesa/b2c/v3/paymentrequest", &body).await;
    assert_eq!(status, 200, "{ack}");
    rig.pass(10).await;
    let results = rig.inbox.bodies(&format!("/hooks/{id}/result"));
    let result: Value = serde_json::from_slice(&results[0]).unwrap();
    result["Result"]["ResultCode"].clone()
}

#[tokio::test]
async fn a_receiver_has_a_daily_limit_and_a_fullest_balance() {
    let opening_float = Cents(500_000_000);
    let rig = Rig::start(SandboxConfig { opening_float, ..SandboxConfig::default() }).await;
    let door = format!("/sandbox/phones/{}", phone(1).number());
    let empty = async || rig.post(&door, json!({"balance_cents": 0})).await;
    empty().await;
    assert_eq!(payout(&rig, "small", 9).await, 2);
    assert_eq!(payout(&rig, "large", 250_001).await, 3);
    assert_eq!(payout(&rig, "first", 250_000).await, 0);
    empty().await;
    assert_eq!(payout(&rig, "second", 250_000).await, 0);
    empty().await;
    assert_eq!(payout(&rig, "third", 10).await, 4, "500,000 were received today");
    // Nairobi's midnight is at 21:00 UTC.
    rig.pass(11 * 3_600).await;
    rig.new_token().await;
    assert_eq!(payout(&rig, "tomorrow", 10).await, 0);
    rig.post(&door, json!({"balance_cents": 49_999_100})).await;
    assert_eq!(payout(&rig, "full", 10).await, 8);
}

#[tokio::test]
async fn a_payer_has_a_daily_limit() {
    let rig = Rig::start(SandboxConfig::default()).await;
    for (shillings, code) in [(250_000, 0), (250_000, 0), (1, 4)] {
        rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), shillings)).await;
        let answer = rig.answer(phone(1), json!({"action": "pay", "pin": "1234"})).await;
        assert_eq!(answer["result_code"], code.to_string());
    }
    let order = json!({"amount_shillings": 1, "reference": "H1", "pin": "1234"});
    let (status, refused) = rig.post(&format!("/sandbox/phones/{}/paybill", phone(1).number()), order).await;
    assert_eq!((status, &refused["code"]), (409, &json!("sandbox.daily_limit")));
    let order = json!({"amount_shillings": 250_001, "reference": "H1", "pin": "1234"});
    let (status, refused) = rig.post(&format!("/sandbox/phones/{}/paybill", phone(2).number()), order).await;
    assert_eq!((status, &refused["code"]), (409, &json!("sandbox.limit")));
}

#[tokio::test]
async fn three_wrong_passwords_lock_the_initiator_until_it_is_unlocked() {
    let rig = Rig::start(SandboxConfig::default()).await;
    assert_eq!(payout(&rig, "good", 10).await, 0);
    rig.post("/sandbox/initiator", json!({"works": false})).await;
    for nth in 0..3 {
        assert_eq!(payout(&rig, &format!("wrong-{nth}"), 10).await, 2001);
    }
    rig.post("/sandbox/initiator", json!({"works": true})).await;
    assert_eq!(payout(&rig, "locked", 10).await, 8006);
    let balance =
        rig.command("/mpesa/accountbalance/v1/query", "balance", "AccountBalance", &json!({})).await;
    assert_eq!(balance["ResultCode"], 8006);
    let (_, initiator) = rig.post("/sandbox/initiator", json!({"locked": false})).await;
    assert_eq!(initiator, json!({"works": true, "locked": false, "wrong": 0}));
    assert_eq!(payout(&rig, "again", 10).await, 0);
    assert_eq!(rig.totals().await.1, 100_000_000 - 2_000);
}

#[tokio::test]
async fn the_wrong_product_and_the_same_amount_again_end_by_themselves() {
    let config = SandboxConfig { repeat_rule_s: 120, ..SandboxConfig::default() };
    let rig = Rig::start(config).await;
    let ended = async |push: Value| {
        let (status, accepted) = rig.call("/mpesa/stkpush/v1/processrequest", &push).await;
        assert_eq!(status, 200, "{accepted}");
        rig.pass(10).await;
        let id = accepted["CheckoutRequestID"].as_str().unwrap();
        rig.query(id).await.1["ResultCode"].clone()
    };
    let mut goods = rig.push_body(phone(1), 10);
    goods["TransactionType"] = json!("CustomerBuyGoodsOnline");
    assert_eq!(ended(goods).await, "2028");
    let mut elsewhere = rig.push_body(phone(2), 10);
    elsewhere["PartyB"] = json!("600992");
    assert_eq!(ended(elsewhere).await, "2028");

    rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(3), 10)).await;
    rig.pay(phone(3)).await;
    assert_eq!(ended(rig.push_body(phone(3), 10)).await, "17");
    rig.pass(120).await;
    let (_, accepted) = rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(3), 10)).await;
    rig.pay(phone(3)).await;
    assert_eq!(rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await.1["ResultCode"], "0");
}

#[tokio::test]
async fn each_shortcode_has_accounts_of_its_own_and_a_till_takes_buy_goods() {
    let config = SandboxConfig {
        more_shortcodes: vec![Shortcode { code: "174379".to_owned(), name: "Shop".to_owned() }],
        tills: [("174379".to_owned(), "5000001".to_owned())].into(),
        ..SandboxConfig::default()
    };
    let rig = Rig::start(config).await;
    let mut push = rig.push_body(phone(1), 10);
    push["BusinessShortCode"] = json!("174379");
    push["PartyB"] = json!("5000001");
    push["TransactionType"] = json!("CustomerBuyGoodsOnline");
    let password = "174379sandbox-passkey20261003131500";
    push["Password"] = json!(base64::engine::general_purpose::STANDARD.encode(password));
    let (status, accepted) = rig.call("/mpesa/stkpush/v1/processrequest", &push).await;
    assert_eq!(status, 200, "{accepted}");
    rig.pay(phone(1)).await;
    assert_eq!(rig.totals().await.0, 0);
    assert_eq!(rig.get("/sandbox/shortcodes/174379").await["utility_cents"], 1_000);
    let (status, refused) = rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await;
    assert_eq!((status, &refused["errorCode"]), (500, &json!("500.001.1001")), "asked by another shortcode");
}
