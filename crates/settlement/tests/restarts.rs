//! The service is dropped at every stored state and begun anew on the same file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_settlement::{SettlementError, Want};
use jirani_store::{
    CallbackKind, Change, CollectionState, OfferState, OrderRecord, OrderState, PayWith, PayoutState,
    Store as _,
};
use jirani_units::{Cents, Clock as _, Price, Wh};
use world::mpesa::{Fate, c2b, stk_paid, stk_refused};
use world::{BUYER, SELLER, World};

/// Pays the last prompt in full and tells of it.
async fn pay(world: &World) {
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(prompt.shillings * 100, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
}

async fn is_settled(world: &World, order: &OrderRecord) {
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
    assert_eq!(world.mpesa.prompts().len(), 1, "one prompt, whatever was restarted when");
    world.is_sound().await;
}

#[tokio::test]
async fn an_offer_on_its_way_to_the_chain_gets_there() {
    let mut world = World::new().await;
    world.chain.set_down(true);
    let settlement = world.settlement.clone();
    let asking =
        tokio::spawn(
            async move { settlement.post_offer(SELLER, Wh(1_000), Price(1_500), 3_600, "key").await },
        );
    world.until(async |world| world.store.offer_by_key(SELLER, "key").await.unwrap().is_some()).await;
    world.stop().await;
    assert!(matches!(asking.await.unwrap().unwrap_err(), SettlementError::Stopping));
    world.chain.set_down(false);
    world.restart_stopped().await;
    let offer = world.settlement.post_offer(SELLER, Wh(1_000), Price(1_500), 3_600, "key").await.unwrap();
    assert_eq!((offer.state, world.chain.vault(SELLER)), (OfferState::Open, 9_000));
    world.is_sound().await;
}

#[tokio::test]
async fn an_offer_that_expires_while_nobody_is_here_goes_back() {
    let mut world = World::new().await;
    let offer = world.offer(SELLER, 1_000, 1_500).await;
    world.stop().await;
    world.pass(90_000).await;
    world.restart_stopped().await;
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    world.is_sound().await;
}

#[tokio::test]
async fn a_planned_order_is_placed_and_its_prompt_sent() {
    let mut world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.chain.set_down(true);
    let settlement = world.settlement.clone();
    let asking = tokio::spawn(async move {
        settlement.place_order(BUYER, Want::Energy(Wh(1_000)), PayWith::Mpesa, None, "order").await
    });
    world.until(async |world| world.store.order_by_key(BUYER, "order").await.unwrap().is_some()).await;
    world.stop().await;
    assert!(asking.await.unwrap().is_err());
    world.chain.set_down(false);
    world.restart_stopped().await;
    let order = world.buy(BUYER, 1_000, PayWith::Mpesa, "order").await.unwrap();
    assert_eq!(order.state, OrderState::AwaitingPayment);
    pay(&world).await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn a_prompt_that_was_only_planned_is_sent() {
    let mut world = World::new().await;
    world.mpesa.push_fate(Fate::NeverArrives);
    let order = world.order().await;
    world.stop().await;
    // As a crash between the two commits would have left it.
    let mut collection = world.store.collection(order.id).await.unwrap().unwrap();
    collection.state = CollectionState::Planned;
    world.store.commit(vec![Change::Collection(collection)]).await.unwrap();
    world.restart_stopped().await;
    pay(&world).await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn a_prompt_on_the_phone_is_waited_for() {
    let mut world = World::new().await;
    let order = world.order().await;
    world.restart().await;
    pay(&world).await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn an_awaited_receipt_is_still_awaited() {
    let mut world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.mpesa.query_says(&prompt, jirani_daraja::QueryOutcome::Paid);
    world.pass(20).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::ReceiptAwaited);
    world.restart().await;
    world.confirm(c2b(&paid, &prompt.reference)).await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn a_paid_order_is_settled() {
    let mut world = World::new().await;
    let order = world.order().await;
    world.chain.set_down(true);
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    let told = world.raw(CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.settlement.receive_callback(told).await.unwrap();
    world.until(async |world| world.order_now(order.id).await.state == OrderState::Paid).await;
    assert_eq!(world.available(SELLER).await, 0, "the ledger follows the chain");
    world.stop().await;
    world.chain.set_down(false);
    world.restart_stopped().await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn an_order_given_up_is_released() {
    let mut world = World::new().await;
    let order = world.order().await;
    world.chain.set_down(true);
    let prompt = world.mpesa.prompt();
    let told = world.raw(CallbackKind::StkResult, &prompt.secret, stk_refused(&prompt, "1032"));
    world.settlement.receive_callback(told).await.unwrap();
    world.until(async |world| world.order_now(order.id).await.state == OrderState::Releasing).await;
    world.stop().await;
    world.chain.set_down(false);
    world.restart_stopped().await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    world.is_sound().await;
}

#[tokio::test]
async fn callbacks_stored_while_nobody_was_here_are_read_before_any_deadline() {
    let mut world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stop().await;
    let told = world.raw(CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.store.receive(told).await.unwrap();
    world.pass(420).await;
    world.restart_stopped().await;
    is_settled(&world, &order).await;
}

#[tokio::test]
async fn money_told_while_nobody_was_here_until_the_window_was_over_becomes_balance() {
    let mut world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stop().await;
    let told = world.raw(CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.store.receive(told).await.unwrap();
    world.pass(421).await;
    world.restart_stopped().await;
    let order = world.order_now(order.id).await;
    assert_eq!(
        (order.state, order.refusal.as_deref()),
        (OrderState::Released, Some("energy.order_window_over"))
    );
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn more_callbacks_than_are_read_at_once_are_all_read() {
    let mut world = World::new().await;
    world.stop().await;
    let (url, _) = world.settlement.c2b_urls();
    let secret = url.split('/').rev().nth(1).unwrap().to_owned();
    for _ in 0..2_500 {
        let paid = world.mpesa.pay(100, world.clock.now());
        let told = world.raw(CallbackKind::C2bConfirmation, &secret, c2b(&paid, "H1"));
        world.store.receive(told).await.unwrap();
    }
    world.restart_stopped().await;
    world.until(async |world| world.available(BUYER).await == 250_000).await;
    assert!(world.store.pending_callbacks(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_payout_that_was_only_planned_is_sent_once() {
    let mut world = World::new().await;
    world.prepay(SELLER, 20_000).await;
    world.mpesa.b2c_fate(Fate::NeverArrives);
    let payout = world.settlement.request_payout(SELLER, Cents(10_000), "key").await.unwrap();
    world.stop().await;
    let mut planned = world.payout_now(payout.id).await;
    planned.state = PayoutState::Planned;
    world.store.commit(vec![Change::Payout(planned)]).await.unwrap();
    world.restart_stopped().await;
    world.restart().await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    assert_eq!(world.mpesa.payouts().len(), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn names_given_after_a_restart_are_new() {
    let mut world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    let mut secrets = std::collections::HashSet::new();
    for number in 0..4 {
        let key = format!("order-{number}");
        world.buy(BUYER, 500, PayWith::Mpesa, &key).await.unwrap();
        pay(&world).await;
        let prompt = world.mpesa.prompt();
        assert!(secrets.insert(prompt.secret) && secrets.insert(prompt.reference));
        world.restart().await;
    }
    world.is_sound().await;
}
