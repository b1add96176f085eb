//! Whatever a payment does, money and energy end where they belong. Each story runs
//! the real binary with its emulated M-Pesa and embedded chain, and ends with the
//! audit of the stopped system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::{Person, Running};

/// Homes of the village have these numbers.
fn msisdn(household: u64) -> u64 {
    254_700_000_000 + household
}

/// What is offered, and how much of it the buyer takes: one buyer's unpaid orders hold at
/// most a quarter of an offer.
const OFFERED_WH: u64 = 500;
const BOUGHT_WH: u64 = 100;
/// In cents per kWh; 5 shillings of fee and tax come on top.
const PRICE: u64 = 2_500;
/// 100 Wh at KSh 30.
const DUE_CENTS: i64 = 300;

/// A seller with an offer on the market, and a buyer.
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
    let offer = json!({ "energy_wh": OFFERED_WH, "price_cents_per_kwh": PRICE, "expires_in_s": 86_400 });
    let offer = person.done("/api/v1/me/offers", "the-offer", &offer).await;
    assert_eq!(offer["state"], "open", "{offer}");
    (seller, buyer)
}

async fn order(buyer: &Person<'_>, key: &str, pay_with: &str) -> Value {
    let body = json!({ "energy_wh": BOUGHT_WH, "pay_with": pay_with });
    let order = buyer.done("/api/v1/me/orders", key, &body).await;
    assert_eq!(order["due_cents"], DUE_CENTS, "{order}");
    order
}

fn id(record: &Value) -> u64 {
    record["id"].as_u64().expect("an id")
}

async fn answer(running: &Running, household: u64, body: Value) -> Value {
    let path = format!("/sandbox/phones/{}/answer", msisdn(household));
    let (status, answer) = running.sandbox(&path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn pay(running: &Running, household: u64) -> Value {
    answer(running, household, json!({ "action": "pay", "pin": "1234" })).await
}

async fn fault(running: &Running, target: &str, action: &str) {
    faults(running, target, action, 1).await;
}

/// The next `count` of their kind.
async fn faults(running: &Running, target: &str, action: &str, count: u32) {
    let (status, body) = running
        .sandbox("/sandbox/faults", Some(json!({ "target": target, "action": action, "count": count })))
        .await;
    assert!((200..300).contains(&status), "{body}");
}

/// What the emulator's statement says it holds must be what our ledger says.
async fn books_agree(running: &Running) {
    let operator = running.operator().await;
    let money = operator.get("/api/v1/operator/overview").await["money"].clone();
    let (_, statement) = running.sandbox("/sandbox/statement", None).await;
    let totals = &statement["totals"];
    assert_eq!(totals["collection_cents"], money["mpesa_collection_cents"], "{statement} {money}");
    assert_eq!(totals["payout_cents"], money["mpesa_payout_cents"], "{statement} {money}");
    assert_eq!(totals["charges_cents"], money["mpesa_charges_cents"], "{statement} {money}");
}

async fn end(running: Running, folder: &Path) {
    books_agree(&running).await;
    running.finish(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_settled_and_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (seller, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    // Five orders, so that the seller has more than the least M-Pesa pays out.
    for turn in 0..5 {
        let order = order(&buyer, &format!("order-{turn}"), "mpesa").await;
        assert_eq!(order["state"], "awaiting_payment", "{order}");
        let again = buyer
            .done(
                "/api/v1/me/orders",
                &format!("order-{turn}"),
                &json!({ "energy_wh": BOUGHT_WH, "pay_with": "mpesa" }),
            )
            .await;
        assert_eq!(id(&again), id(&order), "the same wish twice is one order");
        let receipt = pay(&running, buyer_id).await["receipt"].clone();
        let settled = buyer.order_in(id(&order), &["settled"]).await;
        assert_eq!(settled["receipt"], receipt);
        assert!(settled["final_signature"].is_string(), "{settled}");
    }
    let person = running.household(seller).await;
    let home = person
        .until("the sales' money", "/api/v1/me/home", |home| home["available_cents"] == json!(5 * 250))
        .await;
    let asked = json!({ "amount_cents": home["available_cents"] });
    let payout = person.done("/api/v1/me/payouts", "all-of-it", &asked).await;
    let path = format!("/api/v1/me/payouts/{}", id(&payout));
    let paid = person.until("the payout", &path, |payout| payout["state"] == "paid").await;
    assert_eq!(paid["sent_cents"], 1_200, "whole shillings: {paid}");
    assert!(paid["receipt"].is_string(), "{paid}");
    let left = person.get("/api/v1/me/home").await["balance_cents"].clone();
    assert_eq!(left, 50);
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_buys_without_a_phone() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    // Money paid in by hand under the household's own name becomes its balance.
    let path = format!("/sandbox/phones/{}/paybill", msisdn(buyer_id));
    let deposit = json!({ "amount_shillings": 20, "reference": format!("H{buyer_id}"), "pin": "1234" });
    let (status, body) = running.sandbox(&path, Some(deposit)).await;
    assert_eq!(status, 200, "{body}");
    buyer.until("the deposit", "/api/v1/me/home", |home| home["available_cents"] == 2_000).await;
    let order = order(&buyer, "from-balance", "balance").await;
    buyer.order_in(id(&order), &["settled"]).await;
    assert_eq!(buyer.get("/api/v1/me/home").await["balance_cents"], 2_000 - DUE_CENTS);
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_or_ignored_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (seller, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    for (key, action) in [("one", "cancel"), ("two", "ignore")] {
        let order = order(&buyer, key, "mpesa").await;
        answer(&running, buyer_id, json!({ "action": action })).await;
        let released = buyer.order_in(id(&order), &["released"]).await;
        assert_eq!(released["receipt"], Value::Null, "{released}");
    }
    assert_eq!(buyer.get("/api/v1/me/home").await["balance_cents"], 0);
    let offers = running.household(seller).await.get("/api/v1/me/offers").await;
    assert_eq!(offers[0]["open_wh"], OFFERED_WH, "the energy is back: {offers}");
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    fault(&running, "stk_callback", "duplicate").await;
    fault(&running, "c2b", "duplicate").await;
    let order = order(&buyer, "once", "mpesa").await;
    pay(&running, buyer_id).await;
    buyer.order_in(id(&order), &["settled"]).await;
    // Asked 4 shillings at most for 3: what is over is balance, once.
    let collected = order["collect_cents"].as_i64().unwrap();
    buyer
        .until("the change", "/api/v1/me/home", |home| home["balance_cents"] == json!(collected - DUE_CENTS))
        .await;
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_with_the_callback_lost_settles_by_the_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    fault(&running, "stk_callback", "lose").await;
    let order = order(&buyer, "lost", "mpesa").await;
    pay(&running, buyer_id).await;
    buyer.order_in(id(&order), &["settled"]).await;
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_with_both_words_late_settles_by_the_list_of_payments() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    fault(&running, "stk_callback", "delay_s:900").await;
    fault(&running, "c2b", "delay_s:900").await;
    let order = order(&buyer, "listed", "mpesa").await;
    pay(&running, buyer_id).await;
    buyer.order_in(id(&order), &["settled"]).await;
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_with_every_word_late_becomes_balance() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    // Deadline and grace are 420 s; both words come after that, and the list is not to be had.
    faults(&running, "pull_response", "drop", 200).await;
    fault(&running, "stk_callback", "delay_s:900").await;
    fault(&running, "c2b", "delay_s:900").await;
    let order = order(&buyer, "late", "mpesa").await;
    pay(&running, buyer_id).await;
    buyer.order_in(id(&order), &["released"]).await;
    let collected = order["collect_cents"].clone();
    buyer.until("the late money", "/api/v1/me/home", |home| home["balance_cents"] == collected).await;
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_is_never_asked_for_twice() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (seller, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    fault(&running, "stk_response", "lose").await;
    let first = order(&buyer, "lost-answer", "mpesa").await;
    pay(&running, buyer_id).await;
    buyer.order_in(id(&first), &["settled"]).await;
    for turn in 0..4 {
        let order = order(&buyer, &format!("more-{turn}"), "mpesa").await;
        pay(&running, buyer_id).await;
        buyer.order_in(id(&order), &["settled"]).await;
    }
    fault(&running, "b2c_response", "lose").await;
    let person = running.household(seller).await;
    let payout = person.done("/api/v1/me/payouts", "out", &json!({ "amount_cents": 1_250 })).await;
    let path = format!("/api/v1/me/payouts/{}", id(&payout));
    person.until("the payout", &path, |payout| payout["state"] == "paid").await;
    end(running, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_of_strangers_are_kept_answered_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer_id) = market(&running).await;
    let buyer = running.household(buyer_id).await;
    let order = order(&buyer, "mine", "mpesa").await;
    let forged = json!({ "Body": { "stkCallback": {
        "MerchantRequestID": "1-2-3", "CheckoutRequestID": "ws_CO_031020261315004712000111", "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "CallbackMetadata": { "Item": [
            { "Name": "Amount", "Value": 4 }, { "Name": "MpesaReceiptNumber", "Value": "UJ32FORGED" },
            { "Name": "TransactionDate", "Value": 20_261_122_131_522u64 },
        ] },
    } } });
    let unknown = "0123456789abcdef0123456789abcdef";
    for path in [
        format!("/hooks/stk/{unknown}"),
        format!("/hooks/b2c/{unknown}/result"),
        format!("/hooks/b2c/{unknown}/timeout"),
        format!("/hooks/c2b/{unknown}/confirmation"),
    ] {
        assert_eq!(running.knock(&path, &forged).await, 200, "{path}");
        assert_eq!(running.knock(&path, &json!([1, "nonsense"])).await, 200, "{path}");
    }
    assert_eq!(buyer.get(&format!("/api/v1/me/orders/{}", id(&order))).await["state"], "awaiting_payment");
    pay(&running, buyer_id).await;
    buyer.order_in(id(&order), &["settled"]).await;
    end(running, folder.path()).await;
}

/// Runs `jirani float ...` against the running system; its exit code and JSON.
fn float(running: &Running, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = support::binary();
    command.arg("float").args(["--json", "--as", "amina", "--node", &running.dashboard]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn float_is_moved_by_the_command_line_and_seen_at_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let (_, buyer) = market(&running).await;
    let order = order(&running.household(buyer).await, "float", "mpesa").await;
    pay(&running, buyer).await;
    running.household(buyer).await.order_in(id(&order), &["settled"]).await;

    let (code, moved) = float(&running, &["move", "--amount", "1", "--key", "mine"]);
    assert_eq!((code, &moved["amount_cents"], &moved["asked_by"]), (Some(0), &100.into(), &"amina".into()));
    let operator = running.operator().await;
    let ended = |moves: &Value| moves[0]["state"] == "moved";
    operator.until("the move", "/api/v1/operator/float", ended).await;
    let (_, again) = float(&running, &["move", "--amount", "1", "--key", "mine"]);
    assert_eq!((&again["number"], &again["state"]), (&moved["number"], &"moved".into()));
    let (_, listed) = float(&running, &[]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));

    // More than the PayBill holds.
    let (code, _) = float(&running, &["move", "--amount", "250000"]);
    assert_eq!(code, Some(0));
    let failed = |moves: &Value| moves[0]["state"] == "failed";
    let moves = operator.until("the refusal", "/api/v1/operator/float", failed).await;
    assert_eq!(moves[0]["failure"], "The PayBill does not hold that much.");
    end(running, folder.path()).await;
}
