//! Buying, selling and withdrawing, with the real settlement and M-Pesa's emulator.

use crate::support::{Person, World, WorldOptions, expect, start};
use jirani_chain::HouseholdOnChain;
use jirani_daraja_sandbox::Behaviour;
use jirani_ledger::templates::shortcodes::{self, Shortcode};
use jirani_store::Change;
use jirani_units::{Cents, HouseholdId, Timestamp, Wh};
use reqwest::Method;
use serde_json::{Value, json};

/// Household 2 has 5 kWh and offers 2 of them at 25.00; household 1 buys.
pub async fn market(world: &World) -> (Person<'_>, Person<'_>, Value) {
    // The third is the operator's.
    for id in 1..=3 {
        let vault_wh = Wh(if id == 2 { 5_000 } else { 0 });
        world.chain.put(HouseholdId(id), HouseholdOnChain { vault_wh, ..HouseholdOnChain::default() });
    }
    let (buyer, seller) = (world.household(1).await, world.household(2).await);
    let offer = seller.post_with_key("/api/v1/me/offers", "offer-1", &lot()).await;
    (buyer, seller, expect(offer, 200).await)
}

fn lot() -> Value {
    json!({"energy_wh": 2_000, "price_cents_per_kwh": 2_500, "expires_in_s": 86_400})
}

async fn buy(buyer: &Person<'_>, key: &str, pay_with: &str) -> Value {
    let wish = json!({"energy_wh": 300, "pay_with": pay_with});
    expect(buyer.post_with_key("/api/v1/me/orders", key, &wish).await, 200).await
}

#[tokio::test]
async fn an_offer_is_for_sale_until_its_seller_takes_it_back() {
    let world = start(WorldOptions::default()).await;
    let (buyer, seller, offer) = market(&world).await;
    assert_eq!((&offer["state"], &offer["open_wh"]), (&json!("open"), &json!(2_000)));
    assert_eq!(seller.get("/api/v1/me/home").await["vault_wh"], 3_000);
    let shown = &buyer.get("/api/v1/offers").await[0];
    assert_eq!(
        *shown,
        json!({
            "id": offer["id"], "seller_alias": "Acacia", "open_wh": 2_000, "price_cents_per_kwh": 2_500,
            "all_in_cents_per_kwh": 3_300, "expires_at": "2026-11-23T15:30:00Z", "mine": false
        })
    );
    assert_eq!(seller.get("/api/v1/offers").await[0]["mine"], true);
    let path = format!("/api/v1/me/offers/{}", offer["id"]);
    assert_eq!(buyer.ask(Method::DELETE, &path).await.status(), 404, "nobody takes back another's offer");
    let cancelled = expect(seller.ask(Method::DELETE, &path).await, 200).await;
    assert_eq!(cancelled["state"], "closed");
    assert_eq!(buyer.get("/api/v1/offers").await, json!([]));
    assert_eq!(seller.get("/api/v1/me/home").await["vault_wh"], 5_000);
}

#[tokio::test]
async fn a_quote_says_what_the_order_then_costs() {
    let world = start(WorldOptions::default()).await;
    let (buyer, _, offer) = market(&world).await;
    let quote = buyer.post("/api/v1/me/quotes", &json!({"energy_wh": 300})).await;
    assert_eq!(
        quote,
        json!({
            "fills": [{"offer_id": offer["id"], "seller_alias": "Acacia", "energy_wh": 300, "price_cents_per_kwh": 2_500}],
            "energy_wh": 300, "due_cents": 990, "collect_cents": 1_000, "fee_cents": 150, "tax_cents": 90,
            "retail_cents": 1_800, "saved_cents": 810
        })
    );
    world.give_balance(1, 10_000).await;
    let order = buy(&buyer, "order-1", "balance").await;
    assert_eq!((&order["state"], &order["due_cents"]), (&json!("settled"), &quote["due_cents"]));
    assert_eq!(order["fills"], quote["fills"]);
    let moved = json!({"energy_wh": 300, "pay_with": "balance", "max_due_cents": 989});
    let refused = buyer.post_with_key("/api/v1/me/orders", "order-2", &moved).await;
    assert_eq!(expect(refused, 409).await["code"], "settlement.price_moved");
}

#[tokio::test]
async fn a_quote_for_the_balance_may_take_what_an_unpaid_order_may_not_hold() {
    let world = start(WorldOptions::default()).await;
    let (buyer, ..) = market(&world).await;
    world.give_balance(1, 10_000).await;
    let (quotes, path) = (json!({"energy_wh": 1_000}), "/api/v1/me/quotes");
    let by_mpesa = buyer.request(Method::POST, path).json(&quotes).send().await.unwrap();
    assert_eq!(expect(by_mpesa, 409).await["code"], "market.unpaid_share");
    let wish = json!({"energy_wh": 1_000, "pay_with": "balance"});
    let quote = buyer.post(path, &wish).await;
    assert_eq!((&quote["energy_wh"], &quote["due_cents"]), (&json!(1_000), &json!(3_300)));
    let order = expect(buyer.post_with_key("/api/v1/me/orders", "order-1", &wish).await, 200).await;
    assert_eq!((&order["state"], &order["due_cents"]), (&json!("settled"), &quote["due_cents"]));
}

#[tokio::test]
async fn the_same_key_buys_once_and_another_wish_under_it_is_refused() {
    let world = start(WorldOptions::default()).await;
    let (buyer, seller, offer) = market(&world).await;
    world.give_balance(1, 10_000).await;
    let first = buy(&buyer, "same", "balance").await;
    let again = buy(&buyer, "same", "balance").await;
    assert_eq!(first, again);
    assert_eq!(buyer.get("/api/v1/me/orders").await.as_array().unwrap().len(), 1);
    assert_eq!(buyer.get("/api/v1/me/home").await["balance_cents"], 9_010);
    let other = json!({"energy_wh": 301, "pay_with": "balance"});
    let refused = buyer.post_with_key("/api/v1/me/orders", "same", &other).await;
    assert_eq!(expect(refused, 409).await["code"], "settlement.key_reused");
    let offered = expect(seller.post_with_key("/api/v1/me/offers", "offer-1", &lot()).await, 200).await;
    assert_eq!(offered["id"], offer["id"]);
    assert_eq!(seller.get("/api/v1/me/offers").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_order_by_mpesa_settles_with_its_receipt_and_the_seller_withdraws() {
    let world = start(WorldOptions::default()).await;
    let (buyer, seller, _) = market(&world).await;
    world.phone_answers(1, Behaviour::ALWAYS_PAYS).await;
    let placed = buy(&buyer, "order-1", "mpesa").await;
    assert_eq!((&placed["state"], &placed["collect_cents"]), (&json!("awaiting_payment"), &json!(1_000)));
    assert_eq!(placed["payment"], json!({"state": "prompt", "code": null}));
    let path = format!("/api/v1/me/orders/{}", placed["id"]);
    let waiting =
        tokio::spawn(buyer.request(Method::GET, &format!("{path}?wait_state=settled&wait_ms=25000")).send());
    let settled = world.pass_until(&buyer, &path, "state", "settled").await;
    assert_eq!(expect(waiting.await.unwrap().unwrap(), 200).await["state"], "settled");
    assert_eq!(settled["payment"]["state"], "paid");
    assert!(settled["receipt"].as_str().is_some_and(|receipt| receipt.len() == 10), "{settled}");
    assert!(settled["final_signature"].is_string() && settled["final_at"].is_string(), "{settled}");
    let (bought, sold) = (buyer.get("/api/v1/me/home").await, seller.get("/api/v1/me/home").await);
    assert_eq!(
        (&bought["vault_wh"], &bought["balance_cents"]),
        (&json!(300), &json!(10)),
        "the change is balance"
    );
    assert_eq!(sold["balance_cents"], 750);
    assert_eq!(sold["movements"][0]["kind"], "sold");
    assert_eq!(bought["movements"].as_array().unwrap().len(), 2, "{bought}");

    world.give_balance(2, 100_000).await;
    let wish = json!({"amount_cents": 50_000});
    let quote = seller.post("/api/v1/me/payouts/quote", &wish).await;
    let payout = expect(seller.post_with_key("/api/v1/me/payouts", "payout-1", &wish).await, 200).await;
    let again = expect(seller.post_with_key("/api/v1/me/payouts", "payout-1", &wish).await, 200).await;
    assert_eq!(payout["id"], again["id"]);
    for field in ["amount_cents", "sent_cents", "charge_cents"] {
        assert_eq!(payout[field], quote[field]);
    }
    let path = format!("/api/v1/me/payouts/{}", payout["id"]);
    let paid = world.pass_until(&seller, &path, "state", "paid").await;
    assert!(paid["receipt"].is_string(), "{paid}");
    let left = 100_750 - payout["amount_cents"].as_i64().unwrap();
    assert_eq!(seller.get("/api/v1/me/home").await["available_cents"], left);

    let operator = world.operator().await;
    let payments = operator.get("/api/v1/operator/payments").await;
    assert_eq!(payments["collections"][0]["receipt"], settled["receipt"]);
    assert_eq!(payments["payouts"][0]["state"], "paid");
    let overview = operator.get("/api/v1/operator/overview").await;
    assert_eq!(overview["orders"], json!([{"state": "settled", "count": 1}]));
    assert_eq!(overview["chain"]["escrow_wh"], 1_700);
    let money = |field: &str| overview["money"][format!("{field}_cents")].as_i64().unwrap();
    let assets =
        money("mpesa_collection") + money("mpesa_payout") + money("mpesa_charges") + money("receivable");
    let owed = money("balances") + money("operator") + money("taxes") + money("clearing") + money("suspense");
    assert_eq!(assets, owed);
}

#[tokio::test]
async fn a_prompt_that_is_cancelled_releases_the_order() {
    let world = start(WorldOptions::default()).await;
    let (buyer, _, _) = market(&world).await;
    world.phone_answers(1, Behaviour { cancel_per_mille: 1_000, ..Behaviour::ALWAYS_PAYS }).await;
    let placed = buy(&buyer, "order-1", "mpesa").await;
    let path = format!("/api/v1/me/orders/{}", placed["id"]);
    let released = world.pass_until(&buyer, &path, "state", "released").await;
    assert_eq!(released["release_reason"], "payment_refused");
    assert_eq!(released["payment"], json!({"state": "refused", "code": "1032"}));
    assert_eq!(buyer.get("/api/v1/offers").await[0]["open_wh"], 2_000);
}

#[tokio::test]
async fn each_refusal_has_its_code_and_status() {
    let world = start(WorldOptions::default()).await;
    let (buyer, seller, _) = market(&world).await;
    let order = |energy: u64| json!({"energy_wh": energy, "pay_with": "balance"});
    let payout = |amount: u64| json!({"amount_cents": amount});
    let offer = |energy: u64, price: u32| json!({"energy_wh": energy, "price_cents_per_kwh": price, "expires_in_s": 3_600});
    for (person, path, body, status, code) in [
        (&buyer, "/api/v1/me/orders", order(300), 409, "settlement.insufficient_balance"),
        (&seller, "/api/v1/me/orders", order(300), 409, "market.nothing_on_offer"),
        (&buyer, "/api/v1/me/payouts", payout(50_000), 409, "settlement.insufficient_balance"),
        (&buyer, "/api/v1/me/payouts", payout(500), 422, "settlement.payout_too_small"),
        (&seller, "/api/v1/me/offers", offer(9_000, 2_500), 409, "settlement.vault_too_small"),
        (&seller, "/api/v1/me/offers", offer(1_000, 9_000), 422, "market.price_out_of_bounds"),
    ] {
        let refused = expect(person.post_with_key(path, "refused", &body).await, status).await;
        assert_eq!(refused["code"], code, "{body}");
        assert!(refused["detail"].as_str().unwrap().contains(' '), "{refused}");
    }
}

#[tokio::test]
async fn the_operator_buys_back_once_and_with_money_of_its_own() {
    let world = start(WorldOptions::default()).await;
    let (_, seller, _) = market(&world).await;
    let path = "/api/v1/me/buy-back";
    let wish = json!({"energy_wh": 1_000});
    let poor = expect(seller.post_with_key(path, "back-1", &wish).await, 409).await;
    assert_eq!(poor["code"], "settlement.operator_funds");
    let receipt = "UJ32FLOAT1".parse().unwrap();
    let deposit = shortcodes::float_deposited(&receipt, Shortcode::Payout, Cents(5_000), Timestamp(0));
    world.store.commit(vec![Change::Post(deposit)]).await.unwrap();
    let bought = expect(seller.post_with_key(path, "back-1", &wish).await, 200).await;
    assert_eq!((&bought["state"], &bought["energy_wh"]), (&json!("settled"), &json!(1_000)));
    let received = bought["received_cents"].as_i64().unwrap();
    assert_eq!(received, bought["price_cents_per_kwh"].as_i64().unwrap());
    assert_eq!(expect(seller.post_with_key(path, "back-1", &wish).await, 200).await, bought);
    let home = seller.get("/api/v1/me/home").await;
    assert_eq!((&home["vault_wh"], &home["balance_cents"]), (&json!(2_000), &json!(received)));
    let more = expect(seller.post_with_key(path, "back-2", &json!({"energy_wh": 9_000})).await, 409).await;
    assert_eq!(more["code"], "settlement.vault_too_small");
    let dust = expect(seller.post_with_key(path, "back-3", &json!({"energy_wh": 9})).await, 422).await;
    assert_eq!(dust["code"], "market.energy_out_of_bounds");
}
