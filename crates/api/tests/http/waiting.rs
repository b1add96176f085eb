//! Waiting for an order or a payout to come further.

use crate::support::{World, WorldOptions, start};
use jirani_market::Fill;
use jirani_store::{
    Change, Event, OfferRecord, OfferState, OrderRecord, OrderState, PayWith, PayoutRecord, PayoutState,
};
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, PayoutId, Price, Timestamp, Wh};
use reqwest::Method;
use serde_json::Value;

fn at() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

/// Order 7: 300 Wh of household 2's (or 1's) offer 7.
pub fn order(buyer: u32, pay_with: PayWith) -> OrderRecord {
    let seller = HouseholdId(3 - buyer.min(2));
    OrderRecord {
        id: OrderId(7),
        buyer: HouseholdId(buyer),
        fills: vec![Fill { offer: OfferId(7), seller, energy_wh: 300, price: Price(2_500) }],
        fee: Price(500),
        tax: Price(300),
        due: Cents(990),
        pay_with,
        state: OrderState::AwaitingPayment,
        release_reason: None,
        refusal: None,
        deadline: Some(at().plus_seconds(120)),
        proof: None,
        paid_at: None,
        placed_signature: Some("sig-placed".into()),
        final_signature: None,
        key: "key".into(),
        created_at: at(),
        final_at: None,
        version: 0,
    }
}

/// Payout 7 of 500 shillings.
pub fn payout(household: u32) -> PayoutRecord {
    PayoutRecord {
        id: PayoutId(7),
        household: HouseholdId(household),
        msisdn: "0712 345 001".parse().unwrap(),
        amount: Cents(50_000),
        sent: Cents(49_300),
        charge: Cents(700),
        attempt: 1,
        originator_id: "JIRANI-7".into(),
        secret: "0".repeat(32),
        conversation_id: None,
        state: PayoutState::Accepted,
        receipt: None,
        key: "key".into(),
        created_at: at(),
        final_at: None,
        version: 0,
    }
}

/// Offer 7: of 1,200 Wh, 300 are held and 200 sold.
pub fn offer(seller: u32) -> OfferRecord {
    OfferRecord {
        id: OfferId(7),
        seller: HouseholdId(seller),
        energy_wh: Wh(1_200),
        reserved_wh: Wh(300),
        sold_wh: Wh(200),
        price: Price(2_500),
        expires_at: at().plus_seconds(86_400),
        state: OfferState::Open,
        refusal: None,
        signature: Some("sig-offer".into()),
        key: "key".into(),
        created_at: at(),
        version: 0,
    }
}

async fn change_order(world: &World, state: OrderState) {
    let mut order = world.store.order(OrderId(7)).await.unwrap().unwrap();
    order.state = state;
    world.store.commit(vec![Change::Order(order)]).await.unwrap();
    world.events.publish(Event::Order(OrderId(7), HouseholdId(1)));
}

#[tokio::test]
async fn who_waits_for_an_order_hears_of_it_and_keeps_nobody_from_working() {
    let world = start(WorldOptions::default()).await;
    world.store.commit(vec![Change::Order(order(1, PayWith::Mpesa))]).await.unwrap();
    let household = world.household(1).await;
    let path = "/api/v1/me/orders/7?wait_state=settled&wait_ms=25000";
    let waiting = tokio::spawn(household.request(Method::GET, path).send());
    world.until("somebody listens", || world.listeners() == 1).await;
    world.until("nobody works", || world.clock.activity().count() == 0).await;
    change_order(&world, OrderState::Paid).await;
    change_order(&world, OrderState::Settled).await;
    let view: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(view["state"], "settled");
}

#[tokio::test]
async fn a_wait_ends_at_once_when_the_state_is_behind_or_out_of_reach() {
    let world = start(WorldOptions::default()).await;
    world
        .store
        .commit(vec![Change::Order(order(1, PayWith::Mpesa)), Change::Payout(payout(1))])
        .await
        .unwrap();
    let household = world.household(1).await;
    let asked =
        |path: &'static str| async { household.get(path).await["state"].as_str().unwrap().to_owned() };
    assert_eq!(asked("/api/v1/me/orders/7?wait_state=planned&wait_ms=25000").await, "awaiting_payment");
    assert_eq!(asked("/api/v1/me/orders/7").await, "awaiting_payment");
    assert_eq!(asked("/api/v1/me/payouts/7?wait_state=accepted&wait_ms=25000").await, "accepted");
    assert_eq!(
        asked("/api/v1/me/payouts/7?wait_state=paid&wait_ms=1").await,
        "accepted",
        "not yet, but time is up"
    );
    change_order(&world, OrderState::Released).await;
    assert_eq!(asked("/api/v1/me/orders/7?wait_state=settled&wait_ms=25000").await, "released");
}

#[tokio::test]
async fn a_stop_answers_those_who_wait() {
    let world = start(WorldOptions::default()).await;
    world.store.commit(vec![Change::Order(order(1, PayWith::Mpesa))]).await.unwrap();
    let household = world.household(1).await;
    let path = "/api/v1/me/orders/7?wait_state=settled&wait_ms=25000";
    let waiting = tokio::spawn(household.request(Method::GET, path).send());
    world.until("somebody listens", || world.listeners() == 1).await;
    world.api.stop().await;
    let view: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(view["state"], "awaiting_payment");
}
