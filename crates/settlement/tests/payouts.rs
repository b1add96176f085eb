//! Payouts: paid, failed, unknown; never twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_settlement::SettlementError;
use jirani_store::{CallbackKind, PayoutRecord, PayoutState};
use jirani_units::Cents;
use world::mpesa::{Fate, Payout, b2c_result};
use world::{GENERATOR, SELLER, World};

/// A world in which the seller has KSh 300.
async fn rich() -> World {
    let world = World::new().await;
    world.prepay(SELLER, 30_000).await;
    world
}

async fn withdraw(world: &World, cents: i64) -> PayoutRecord {
    world.settlement.request_payout(SELLER, Cents(cents), "key").await.unwrap()
}

async fn result(world: &World, payout: &Payout, code: &str, receipt: &str) {
    world.callback(CallbackKind::B2cResult, &payout.secret, b2c_result(payout, code, receipt)).await;
}

#[tokio::test]
async fn a_payout_takes_what_is_sent_and_the_charge_once_it_is_paid() {
    let world = rich().await;
    let payout = withdraw(&world, 20_599).await;
    assert_eq!(
        (payout.sent, payout.charge, &payout.state),
        (Cents(20_000), Cents(500), &PayoutState::Accepted)
    );
    assert_eq!(world.available(SELLER).await, 9_500);
    let sent = world.mpesa.payouts().pop().unwrap();
    let receipt = world.mpesa.pay_out(&sent);
    for _ in 0..2 {
        result(&world, &sent, "0", &receipt).await;
    }
    let payout = world.payout_now(payout.id).await;
    assert_eq!(payout.state, PayoutState::Paid);
    assert_eq!(payout.receipt.unwrap().as_str(), receipt);
    assert_eq!(world.available(SELLER).await, 9_500);
    world.is_sound().await;
}

#[tokio::test]
async fn a_payout_refused_for_good_gives_everything_back() {
    let world = rich().await;
    let payout = withdraw(&world, 20_500).await;
    let sent = world.mpesa.payouts().pop().unwrap();
    result(&world, &sent, "2040", "0000000000").await;
    let payout = world.payout_now(payout.id).await;
    assert_eq!(payout.state, PayoutState::Failed { code: "2040".to_owned() });
    assert_eq!(world.available(SELLER).await, 30_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_request_that_was_certainly_not_taken_on_gives_everything_back() {
    let world = rich().await;
    world.mpesa.b2c_fate(Fate::Refused);
    let payout = withdraw(&world, 10_000).await;
    assert!(matches!(payout.state, PayoutState::Failed { .. }));
    assert_eq!(world.available(SELLER).await, 30_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_lost_answer_stays_unknown_and_the_same_request_again_proves_it_went_in() {
    let world = rich().await;
    world.mpesa.b2c_fate(Fate::AnswerLost);
    let payout = withdraw(&world, 10_000).await;
    assert_eq!(payout.state, PayoutState::Unknown);
    assert_eq!(world.available(SELLER).await, 20_000, "what is unknown stays held");
    world.pass(60).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    assert_eq!((world.mpesa.b2c_requests(), world.mpesa.payouts().len()), (2, 1));
    let sent = world.mpesa.payouts().pop().unwrap();
    let receipt = world.mpesa.pay_out(&sent);
    result(&world, &sent, "0", &receipt).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Paid);
    world.is_sound().await;
}

#[tokio::test]
async fn a_repeat_that_is_refused_does_not_let_go_of_what_may_have_been_paid() {
    let world = rich().await;
    world.mpesa.b2c_fate(Fate::AnswerLost);
    world.mpesa.b2c_fate(Fate::Refused);
    let payout = withdraw(&world, 10_000).await;
    world.pass(61).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Unknown);
    let sent = world.mpesa.payouts().pop().unwrap();
    let receipt = world.mpesa.pay_out(&sent);
    result(&world, &sent, "0", &receipt).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Paid);
    world.is_sound().await;
}

#[tokio::test]
async fn after_a_restart_an_unknown_payout_is_asked_about_under_its_own_id() {
    for fate in [Fate::AnswerLost, Fate::NeverArrives] {
        let mut world = rich().await;
        world.mpesa.b2c_fate(fate);
        let payout = withdraw(&world, 10_000).await;
        world.restart().await;
        assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
        assert_eq!(world.mpesa.payouts().len(), 1, "one payout, whatever was asked how often");
        world.restart().await;
        assert_eq!(world.mpesa.b2c_requests(), 2, "what was accepted is not asked again");
        world.is_sound().await;
    }
}

#[tokio::test]
async fn a_queue_timeout_or_an_open_code_is_no_failure() {
    let world = rich().await;
    let payout = withdraw(&world, 10_000).await;
    let sent = world.mpesa.payouts().pop().unwrap();
    world.callback(CallbackKind::B2cTimeout, &sent.secret, b2c_result(&sent, "1", "x")).await;
    result(&world, &sent, "26", "0000000000").await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    let receipt = world.mpesa.pay_out(&sent);
    result(&world, &sent, "0", &receipt).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Paid);
    world.is_sound().await;
}

#[tokio::test]
async fn a_result_that_is_not_ours_changes_nothing() {
    let world = rich().await;
    let payout = withdraw(&world, 10_000).await;
    let sent = world.mpesa.payouts().pop().unwrap();
    let other = [
        Payout { originator_id: "jirani-9-0".to_owned(), ..sent.clone() },
        Payout { conversation_id: "AG_9".to_owned(), ..sent.clone() },
        Payout { shillings: 99, ..sent.clone() },
    ];
    for other in &other {
        result(&world, other, "0", "UJ3FORGED1").await;
    }
    world.callback(CallbackKind::B2cResult, &sent.secret, b"no json".to_vec()).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    world.is_sound().await;
}

#[tokio::test]
async fn only_what_is_there_can_be_withdrawn_and_only_by_who_has_a_phone() {
    let world = rich().await;
    let ask = |household, cents| world.settlement.request_payout(household, Cents(cents), "other");
    assert!(matches!(ask(SELLER, 40_000).await.unwrap_err(), SettlementError::InsufficientBalance));
    assert!(matches!(ask(SELLER, 999).await.unwrap_err(), SettlementError::PayoutTooSmall { .. }));
    assert!(matches!(ask(SELLER, i64::MAX).await.unwrap_err(), SettlementError::AmountTooLarge { .. }));
    assert!(matches!(ask(GENERATOR, 2_000).await.unwrap_err(), SettlementError::NoPhone));
    assert_eq!(
        world.settlement.payout_quote(SELLER, Cents(30_000)).await.unwrap(),
        (Cents(29_500), Cents(500))
    );
    assert_eq!(world.mpesa.b2c_requests(), 0);
    world.is_sound().await;
}

#[tokio::test]
async fn one_key_makes_one_payout() {
    let world = rich().await;
    let together = (0..8).map(|_| world.settlement.request_payout(SELLER, Cents(10_000), "key"));
    let payouts: Vec<_> = futures::future::join_all(together).await.into_iter().map(Result::unwrap).collect();
    assert!(payouts.iter().all(|payout| payout.id == payouts[0].id));
    assert_eq!((world.mpesa.b2c_requests(), world.available(SELLER).await), (1, 20_000));
    let other = world.settlement.request_payout(SELLER, Cents(11_000), "key").await.unwrap_err();
    assert!(matches!(other, SettlementError::KeyReused), "{other}");
    world.is_sound().await;
}
