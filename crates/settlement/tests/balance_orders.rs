//! Orders paid from balance: settled or returned, never half.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_settlement::{SettlementError, Want};
use jirani_store::{OrderState, PayWith, Proof, Store as _};
use jirani_units::{Cents, Wh};
use world::chain::ChainFault;
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

#[tokio::test]
async fn an_order_from_balance_is_final_when_it_is_answered() {
    let world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.offer(GENERATOR, 8_000, 3_000).await;
    world.prepay(BUYER, 30_000).await;
    let order = world.buy(BUYER, 9_000, PayWith::Balance, "order").await.unwrap();
    assert_eq!((order.state, order.due), (OrderState::Settled, Cents(8 * 1_960 + 3_460)));
    assert!(matches!(order.proof, Some(Proof::Transfer(_))));
    assert_eq!(world.chain.vault(BUYER), 9_000);
    assert_eq!(world.available(BUYER).await, 30_000 - 19_140);
    assert_eq!(world.available(SELLER).await, 12_000);
    assert!(world.mpesa.prompts().is_empty());
    world.is_sound().await;
}

#[tokio::test]
async fn an_order_the_chain_refuses_gives_the_balance_back() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    world.chain.order_fault("place/", ChainFault::Refuse("energy.offer_expired"));
    let order = world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    assert_eq!((order.state, order.refusal.as_deref()), (OrderState::Refused, Some("energy.offer_expired")));
    assert_eq!(world.available(BUYER).await, 5_000);
    assert_eq!(world.offer_now(offer.id).await.open_wh(), Wh(8_000));
    world.is_sound().await;
}

#[tokio::test]
async fn a_balance_too_small_buys_nothing_and_holds_nothing() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 1_959).await;
    let refused = world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap_err();
    assert!(matches!(refused, SettlementError::InsufficientBalance), "{refused}");
    assert_eq!(world.offer_now(offer.id).await.open_wh(), Wh(8_000));
    assert_eq!(world.available(BUYER).await, 1_959);
    world.is_sound().await;
}

#[tokio::test]
async fn a_price_above_what_was_agreed_is_refused() {
    let world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    let want = Want::Energy(Wh(1_000));
    let ask = |most| world.settlement.place_order(BUYER, want, PayWith::Balance, Some(Cents(most)), "order");
    let refused = ask(1_959).await.unwrap_err();
    assert!(matches!(refused, SettlementError::PriceMoved { due: Cents(1_960) }), "{refused}");
    assert_eq!(ask(1_960).await.unwrap().state, OrderState::Settled);
    world.is_sound().await;
}

#[tokio::test]
async fn one_key_makes_one_order_and_is_not_lent_to_another() {
    let world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 10_000).await;
    let together = (0..8).map(|_| world.buy(BUYER, 1_000, PayWith::Balance, "key"));
    let orders: Vec<_> = futures::future::join_all(together).await.into_iter().map(Result::unwrap).collect();
    assert!(orders.iter().all(|order| order.id == orders[0].id && order.state == OrderState::Settled));
    assert!(matches!(
        world.buy(BUYER, 2_000, PayWith::Balance, "key").await.unwrap_err(),
        SettlementError::KeyReused
    ));
    assert!(matches!(
        world.buy(BUYER, 1_000, PayWith::Mpesa, "key").await.unwrap_err(),
        SettlementError::KeyReused
    ));
    world.prepay(OTHER, 10_000).await;
    let other = world.buy(OTHER, 1_000, PayWith::Balance, "key").await.unwrap();
    assert_ne!(other.id, orders[0].id);
    world.is_sound().await;
}

#[tokio::test]
async fn a_restart_while_the_node_is_silent_neither_loses_nor_doubles_the_order() {
    let mut world = World::new().await;
    let offer = world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    for fault in [ChainFault::SilentAfter, ChainFault::SilentBefore] {
        world.chain.order_fault("place/", fault);
    }
    world.chain.set_down(true);
    let settlement = world.settlement.clone();
    let asking = tokio::spawn(async move {
        settlement.place_order(BUYER, Want::Energy(Wh(1_000)), PayWith::Balance, None, "key").await
    });
    world.until(async |world| world.store.order_by_key(BUYER, "key").await.unwrap().is_some()).await;
    assert_eq!(world.available(BUYER).await, 5_000 - 1_960, "the due waits in clearing");
    world.stop().await;
    assert!(matches!(asking.await.unwrap().unwrap_err(), SettlementError::Stopping));
    world.chain.set_down(false);
    world.restart_stopped().await;
    let order = world.buy(BUYER, 1_000, PayWith::Balance, "key").await.unwrap();
    assert_eq!(order.state, OrderState::Settled);
    assert_eq!((world.chain.vault(BUYER), world.offer_now(offer.id).await.sold_wh), (1_000, Wh(1_000)));
    world.is_sound().await;
}
