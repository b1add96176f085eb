//! What no callback told: found on M-Pesa's list of payments, or left to a person.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_daraja::QueryOutcome;
use jirani_store::{CollectionState, OrderState, ReleaseReason, Store as _};
use jirani_units::Clock as _;
use world::mpesa::{Fate, c2b, stk_paid, stk_refused};
use world::{BUYER, OTHER, World};

async fn told(world: &World) -> Vec<String> {
    let notices = world.store.notices_of(Some(BUYER), 100).await.unwrap();
    notices.into_iter().map(|notice| notice.code).collect()
}

#[tokio::test]
async fn a_payment_that_no_callback_told_is_found_on_the_list_and_settles() {
    for answer_lost in [false, true] {
        let world = World::new().await;
        if answer_lost {
            world.mpesa.push_fate(Fate::AnswerLost);
        }
        let order = world.order().await;
        let prompt = world.mpesa.prompt();
        let paid = world.mpesa.pay(2_000, world.clock.now());
        world.mpesa.query_says(&prompt, QueryOutcome::Paid);
        world.mpesa.list(&paid, &prompt.reference.to_lowercase());
        world.pass(30).await;
        assert_eq!(world.order_now(order.id).await.state, OrderState::Settled, "{answer_lost}");
        let collection = world.store.collection(order.id).await.unwrap().unwrap();
        assert_eq!(collection.state, CollectionState::Paid);
        // The callbacks come after all: nothing more happens.
        world.stk(&prompt, stk_paid(&prompt, &paid)).await;
        world.confirm(c2b(&paid, &prompt.reference)).await;
        assert_eq!(world.available(BUYER).await, 40);
        world.is_sound().await;
    }
}

#[tokio::test]
async fn the_list_is_read_soon_while_something_is_missing_and_rarely_when_nothing_is() {
    let world = World::new().await;
    let before = world.mpesa.pulls();
    world.pass(3_600).await;
    assert_eq!(world.mpesa.pulls() - before, 4, "every quarter of an hour");
    world.order().await;
    let prompt = world.mpesa.prompt();
    world.mpesa.query_says(&prompt, QueryOutcome::Paid);
    let before = world.mpesa.pulls();
    world.pass(100).await;
    let soon = world.mpesa.pulls() - before;
    assert!((6..=10).contains(&soon), "{soon} readings in the first 100 s");
    let before = world.mpesa.pulls();
    world.pass(86_400).await;
    let later = world.mpesa.pulls() - before;
    assert!((96..=130).contains(&later), "{later} readings in the day after");
}

#[tokio::test]
async fn a_receipt_that_is_found_after_the_release_becomes_balance_and_ends_the_review() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.mpesa.query_says(&prompt, QueryOutcome::Paid);
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.pass(500).await;
    let released = world.order_now(order.id).await;
    assert_eq!(
        (released.state, released.release_reason),
        (OrderState::Released, Some(ReleaseReason::PaymentTimeout))
    );
    let reviews = world.store.open_reviews(10).await.unwrap();
    assert_eq!((reviews.len(), reviews[0].code.as_str()), (1, "unknown_outcome"));
    assert_eq!(told(&world).await, ["receipt_sought"]);
    world.mpesa.list(&paid, &prompt.reference);
    world.pass(1_000).await;
    assert_eq!(world.available(BUYER).await, 2_000);
    assert!(world.store.open_reviews(10).await.unwrap().is_empty());
    assert_eq!(told(&world).await, ["paid_late", "receipt_sought"]);
    world.is_sound().await;
}

#[tokio::test]
async fn what_stays_unknown_to_the_deadline_is_for_a_person_and_never_fails_by_itself() {
    let mut world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "9876")).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment, "a code on no list");
    world.pass(421).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    let collection = world.store.collection(order.id).await.unwrap().unwrap();
    assert_eq!(collection.state, CollectionState::Expired);
    world.restart().await;
    let reviews = world.store.open_reviews(10).await.unwrap();
    assert_eq!(reviews[0].key, format!("collection/{}/unknown", order.id));
    assert_eq!(told(&world).await, ["outcome_sought"]);
    // It was paid after all: the proof counts whenever it comes.
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.available(BUYER).await, 2_000);
    assert!(world.store.open_reviews(10).await.unwrap().is_empty());
    world.is_sound().await;
}

#[tokio::test]
async fn what_mpesas_whole_list_does_not_have_was_not_paid_and_no_person_need_look() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "9876")).await;
    world.pass(1_800).await;
    let about = format!("collection/{}/unknown", order.id);
    let review = world.store.review(&about).await.unwrap().unwrap();
    assert_eq!(review.closed_at, None, "the list may lag behind");
    world.pass(2_000).await;
    let review = world.store.review(&about).await.unwrap().unwrap();
    assert_eq!(review.outcome.as_deref(), Some("M-Pesa's list of payments does not have it"));
    // Should it come after all, it is the payer's.
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_list_that_may_have_the_payment_after_all_ends_no_doubt() {
    for is_whole in [true, false] {
        let world = World::new().await;
        let order = world.order().await;
        let prompt = world.mpesa.prompt();
        world.stk(&prompt, stk_refused(&prompt, "9876")).await;
        if is_whole {
            // Its amount, under a reference that M-Pesa cut.
            let paid = world.mpesa.pay(2_000, world.clock.now());
            let ours = world.store.collection(order.id).await.unwrap().unwrap().reference.to_string();
            world.mpesa.list(&paid, &ours[..5]);
        } else {
            world.mpesa.list_repeats_itself();
            let other = world.mpesa.pay(700, world.clock.now());
            world.mpesa.list(&other, "rent");
        }
        world.pass(3_800).await;
        let about = format!("collection/{}/unknown", order.id);
        let review = world.store.review(&about).await.unwrap().unwrap();
        assert_eq!(review.closed_at, None, "{review:?}");
        world.is_sound().await;
    }
}

#[tokio::test]
async fn what_others_pay_keeps_no_doubt_open_and_the_payer_hears_that_nothing_was_taken() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "9876")).await;
    // The same amount, for something else.
    let rent = world.mpesa.pay(2_000, world.clock.now());
    world.mpesa.list(&rent, "rent");
    world.pass(3_800).await;
    let about = format!("collection/{}/unknown", order.id);
    let review = world.store.review(&about).await.unwrap().unwrap();
    assert!(review.closed_at.is_some(), "{review:?}");
    let notices = world.store.notices_of(Some(BUYER), 10).await.unwrap();
    assert_eq!(notices[0].code, "nothing_taken");
    world.is_sound().await;
}

#[tokio::test]
async fn mpesas_list_has_the_last_word_where_a_query_said_paid() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    world.mpesa.query_says(&prompt, QueryOutcome::Paid);
    world.pass(3_600).await;
    let about = format!("collection/{}/unknown", order.id);
    let open = world.store.review(&about).await.unwrap().unwrap();
    assert_eq!(open.closed_at, None, "M-Pesa said paid: the list is given longer");
    let state = async || world.store.collection(order.id).await.unwrap().unwrap().state;
    assert_eq!(state().await, CollectionState::ReceiptAwaited);
    world.pass(3_600).await;
    assert!(world.store.review(&about).await.unwrap().unwrap().closed_at.is_some());
    assert_eq!(state().await, CollectionState::Expired);
    // Should it come after all, it is the payer's.
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.available(BUYER).await, 2_000);
    world.is_sound().await;
}

#[tokio::test]
async fn hand_made_payments_that_nobody_confirmed_are_found_too() {
    let mut world = World::new().await;
    world.pass(10).await;
    let own = world.mpesa.pay(1_500, world.clock.now());
    world.mpesa.list(&own, &format!("h {OTHER}"));
    let nobodys = world.mpesa.pay(700, world.clock.now());
    world.mpesa.list(&nobodys, "rent");
    // Nobody is here for a while; the start reads what was missed.
    world.stop().await;
    world.pass(1_000).await;
    world.restart_stopped().await;
    assert_eq!(world.available(OTHER).await, 1_500);
    assert_eq!(world.journal_sum(jirani_ledger::Account::Suspense).await, 700);
    world.pass(4_000).await;
    world.is_sound().await;
}

#[tokio::test]
async fn the_same_amount_too_soon_is_asked_for_again_when_mpesa_lets_it() {
    let world = World::new().await;
    let order = world.order().await;
    let first = world.mpesa.prompt();
    world.stk(&first, stk_refused(&first, "17")).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment);
    world.pass(119).await;
    assert_eq!(world.mpesa.prompts().len(), 1);
    world.pass(1).await;
    let second = world.mpesa.prompt();
    assert_ne!(second.id, first.id);
    assert_eq!((second.reference, second.secret), (first.reference.clone(), first.secret.clone()));
    // The first one's refusal, told once more, does not end the second.
    world.stk(&first, stk_refused(&first, "17")).await;
    world.stk(&first, stk_refused(&first, "1032")).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment);
    let second = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&second, stk_paid(&second, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert_eq!(world.mpesa.prompts().len(), 2);
    world.is_sound().await;
}

#[tokio::test]
async fn a_phone_that_stays_busy_gives_the_tokens_back_in_the_end() {
    let world = World::new().await;
    let order = world.order().await;
    for _ in 0..10 {
        let prompt = world.mpesa.prompt();
        world.stk(&prompt, stk_refused(&prompt, "17")).await;
        world.pass(120).await;
    }
    let order = world.order_now(order.id).await;
    assert_eq!(
        (order.state, order.release_reason),
        (OrderState::Released, Some(ReleaseReason::PaymentRefused))
    );
    assert!(world.mpesa.prompts().len() <= 4);
    world.is_sound().await;
}

#[tokio::test]
async fn a_receipt_with_another_amount_than_before_is_for_a_person() {
    let world = World::new().await;
    let mut paid = world.mpesa.pay(1_000, world.clock.now());
    world.confirm(c2b(&paid, &format!("H{OTHER}"))).await;
    paid.cents = 1_200;
    world.confirm(c2b(&paid, &format!("H{OTHER}"))).await;
    assert_eq!(world.available(OTHER).await, 1_000);
    let reviews = world.store.open_reviews(10).await.unwrap();
    assert_eq!((reviews.len(), reviews[0].code.as_str()), (1, "contradiction"));
    world.is_sound().await;
}
