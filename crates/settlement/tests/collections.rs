//! Orders paid by M-Pesa: paid, refused, ignored, late, twice, short, over, lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_daraja::QueryOutcome;
use jirani_settlement::SettlementError;
use jirani_store::{CallbackKind, CollectionState, OrderState, PayWith, ReleaseReason, Store as _};
use jirani_units::Clock as _;
use world::chain::ChainFault;
use world::mpesa::{Fate, c2b, stk_paid, stk_refused};
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

#[tokio::test]
async fn a_paid_order_moves_tokens_and_every_cent_of_its_due() {
    let world = World::new().await;
    let order = world.order().await;
    assert_eq!((order.state, order.due.0), (OrderState::AwaitingPayment, 1_960));
    let prompt = world.mpesa.prompt();
    assert_eq!(prompt.shillings, 20);
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    let order = world.order_now(order.id).await;
    assert_eq!(order.state, OrderState::Settled);
    assert!(order.final_signature.is_some() && order.final_at.is_some());
    assert_eq!(world.chain.vault(BUYER), 1_000);
    assert_eq!((world.available(SELLER).await, world.available(BUYER).await), (1_500, 40));
    world.is_sound().await;
}

#[tokio::test]
async fn a_cancelled_prompt_gives_the_tokens_back_at_once() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "1032")).await;
    let order = world.order_now(order.id).await;
    assert_eq!(
        (order.state, order.release_reason),
        (OrderState::Released, Some(ReleaseReason::PaymentRefused))
    );
    assert_eq!(world.chain.orders(), 0);
    world.is_sound().await;
}

#[tokio::test]
async fn an_ignored_prompt_is_asked_about_then_given_up_when_deadline_and_grace_are_over() {
    let world = World::new().await;
    let order = world.order().await;
    world.pass(420).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment);
    assert_eq!(world.mpesa.asked(), 7, "20, 40, 70, 115, 175, 265 and 355 seconds after the prompt");
    world.pass(1).await;
    let order = world.order_now(order.id).await;
    assert_eq!(
        (order.state, order.release_reason),
        (OrderState::Released, Some(ReleaseReason::PaymentTimeout))
    );
    assert_eq!(world.mpesa.asked(), 8, "one question before giving up");
    world.is_sound().await;
}

#[tokio::test]
async fn money_that_comes_after_the_release_becomes_balance() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.pass(500).await;
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    assert_eq!(world.available(BUYER).await, 2_000);
    let collection = world.store.collection(order.id).await.unwrap().unwrap();
    assert_eq!(collection.state, CollectionState::Paid, "proof of payment counts whenever it comes");
    world.is_sound().await;
}

#[tokio::test]
async fn a_payment_told_by_both_channels_and_again_counts_once() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    for _ in 0..2 {
        world.confirm(c2b(&paid, &prompt.reference)).await;
        world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    }
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!((world.available(SELLER).await, world.available(BUYER).await), (1_500, 40));
    world.is_sound().await;
}

#[tokio::test]
async fn callbacks_of_one_payment_that_arrive_together_count_once() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    let (url, _) = world.settlement.c2b_urls();
    let secret = url.split('/').rev().nth(1).unwrap().to_owned();
    let mut storm = Vec::new();
    for _ in 0..20 {
        let stk = world.raw(CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
        let c2b = world.raw(CallbackKind::C2bConfirmation, &secret, c2b(&paid, &prompt.reference));
        for callback in [stk, c2b] {
            let settlement = world.settlement.clone();
            storm.push(tokio::spawn(async move { settlement.receive_callback(callback).await }));
        }
    }
    for received in storm {
        received.await.unwrap().unwrap();
    }
    world.clock.idle().await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    world.is_sound().await;
}

#[tokio::test]
async fn a_second_payment_for_one_order_becomes_balance() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    for _ in 0..2 {
        let paid = world.mpesa.pay(2_000, world.clock.now());
        world.confirm(c2b(&paid, &prompt.reference)).await;
    }
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!(world.available(BUYER).await, 2_040);
    world.is_sound().await;
}

#[tokio::test]
async fn a_lost_callback_is_found_by_a_query_and_settled_by_the_confirmation() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.mpesa.query_says(&prompt, QueryOutcome::Paid);
    world.pass(19).await;
    assert_eq!(world.mpesa.asked(), 0);
    world.pass(1).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::ReceiptAwaited);
    assert_eq!(world.available(SELLER).await, 0, "a word without receipt moves nothing");
    world.pass(100).await;
    assert_eq!(world.mpesa.asked(), 1, "what is known is not asked again");
    world.confirm(c2b(&paid, &prompt.reference.to_lowercase())).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    world.is_sound().await;
}

#[tokio::test]
async fn paid_without_a_receipt_in_time_gives_the_tokens_back_and_keeps_the_money() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.mpesa.query_says(&prompt, QueryOutcome::Paid);
    world.pass(421).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    world.confirm(c2b(&paid, &prompt.reference)).await;
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_query_that_contradicts_the_receipt_changes_nothing() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    world.mpesa.query_says(&prompt, QueryOutcome::Refused { code: "1032".to_owned() });
    world.stk(&prompt, stk_refused(&prompt, "1032")).await;
    world.pass(1_000).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    world.is_sound().await;
}

#[tokio::test]
async fn too_little_is_balance_and_the_tokens_go_back() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(1_900, world.clock.now());
    world.confirm(c2b(&paid, &prompt.reference)).await;
    let order = world.order_now(order.id).await;
    assert_eq!((order.state, order.release_reason), (OrderState::Released, Some(ReleaseReason::PaidShort)));
    assert_eq!(world.available(BUYER).await, 1_900);
    world.is_sound().await;
}

#[tokio::test]
async fn too_much_is_balance_beside_the_settled_order() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(5_000, world.clock.now());
    world.confirm(c2b(&paid, &prompt.reference)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!(world.available(BUYER).await, 5_000 - 1_960);
    world.is_sound().await;
}

#[tokio::test]
async fn a_prompt_whose_answer_was_lost_is_never_sent_again_but_its_payment_counts() {
    let world = World::new().await;
    world.mpesa.push_fate(Fate::AnswerLost);
    let order = world.order().await;
    let collection = world.store.collection(order.id).await.unwrap().unwrap();
    assert_eq!(collection.state, CollectionState::SendUnknown);
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.pass(60).await;
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!((world.mpesa.prompts().len(), world.mpesa.asked()), (1, 0));
    world.is_sound().await;
}

#[tokio::test]
async fn a_prompt_that_never_arrived_ends_with_its_window() {
    let mut world = World::new().await;
    world.mpesa.push_fate(Fate::NeverArrives);
    let order = world.order().await;
    world.restart().await;
    world.pass(421).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    assert!(world.mpesa.prompts().is_empty(), "never sent again, not even by another process");
    world.is_sound().await;
}

#[tokio::test]
async fn a_prompt_that_was_certainly_refused_gives_the_tokens_back() {
    let world = World::new().await;
    world.mpesa.push_fate(Fate::Refused);
    let order = world.order().await;
    assert_eq!(
        (order.state, order.release_reason),
        (OrderState::Released, Some(ReleaseReason::PaymentRefused))
    );
    world.is_sound().await;
}

#[tokio::test]
async fn money_for_an_order_the_chain_will_not_settle_becomes_balance() {
    let world = World::new().await;
    let order = world.order().await;
    world.chain.order_fault("settle/", ChainFault::Refuse("energy.paused"));
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    let order = world.order_now(order.id).await;
    assert_eq!((order.state, order.refusal.as_deref()), (OrderState::Released, Some("energy.paused")));
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn an_order_that_a_stranger_released_on_chain_ends_with_its_money_as_balance() {
    let world = World::new().await;
    let order = world.order().await;
    world.chain.release_by_stranger(order.id);
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_silent_node_delays_but_changes_nothing() {
    let world = World::new().await;
    for key in ["post/", "place/", "settle/"] {
        world.chain.order_fault(key, ChainFault::SilentBefore);
        world.chain.order_fault(key, ChainFault::SilentAfter);
    }
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!((world.chain.vault(BUYER), world.mpesa.prompts().len()), (1_000, 1));
    world.is_sound().await;
}

#[tokio::test]
async fn callbacks_that_are_not_ours_are_stored_and_change_nothing() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world::mpesa::Paid { receipt: "UJ3FORGED1".to_owned(), cents: 2_000, at: world.clock.now() };
    let mut other = prompt.clone();
    other.id = "ws_CO_999".to_owned();
    world.stk(&prompt, stk_paid(&other, &paid)).await;
    world.callback(CallbackKind::StkResult, "unknown", stk_paid(&prompt, &paid)).await;
    world.callback(CallbackKind::C2bConfirmation, "unknown", c2b(&paid, &prompt.reference)).await;
    world.stk(&prompt, b"{\"Body\":".to_vec()).await;
    world.stk(&prompt, Vec::new()).await;
    world.callback(CallbackKind::B2cResult, "unknown", b"{}".to_vec()).await;
    world.callback(CallbackKind::B2cTimeout, &prompt.secret, b"[]".to_vec()).await;
    let foreign = String::from_utf8(c2b(&paid, &prompt.reference)).unwrap().replace("600000", "600001");
    world.confirm(foreign.into_bytes()).await;
    world.stk(&prompt, stk_refused(&prompt, "4999")).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment);
    world.is_sound().await;
}

#[tokio::test]
async fn a_payment_by_hand_goes_where_its_reference_says() {
    let world = World::new().await;
    world.prepay(OTHER, 12_345).await;
    assert_eq!(world.available(OTHER).await, 12_345);
    for reference in ["", "H99", "rent", "ABCDEFGHJKLM"] {
        let paid = world.mpesa.pay(1_000, world.clock.now());
        world.confirm(c2b(&paid, reference)).await;
        world.confirm(c2b(&paid, reference)).await;
    }
    assert_eq!(world.journal_sum(jirani_ledger::Account::Suspense).await, 4_000);
    world.is_sound().await;
}

#[tokio::test]
async fn one_phone_has_one_open_prompt() {
    let world = World::new().await;
    world.order().await;
    let refused = world.buy(BUYER, 500, PayWith::Mpesa, "again").await.unwrap_err();
    assert!(matches!(refused, SettlementError::PromptOpen), "{refused}");
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "1032")).await;
    world.buy(BUYER, 500, PayWith::Mpesa, "once more").await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn the_operators_own_tokens_are_its_sales() {
    let world = World::new().await;
    world.offer(GENERATOR, 8_000, 3_000).await;
    world.buy(BUYER, 1_000, PayWith::Mpesa, "order").await.unwrap();
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(3_500, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.journal_sum(jirani_ledger::Account::OperatorSales).await, 3_000);
    assert_eq!(world.available(BUYER).await, 40);
    world.is_sound().await;
}
