//! Payouts: paid, failed, unknown; never twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_settlement::PayoutQueue;
use jirani_settlement::SettlementError;
use jirani_store::{CallbackKind, PayoutRecord, PayoutState, Store as _};
use jirani_units::{Cents, Clock as _};
use world::mpesa::{Fate, Payout, b2c_result, no_status, status};
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

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

/// What the seller was told, newest first.
async fn told(world: &World) -> Vec<String> {
    let notices = world.store.notices_of(Some(SELLER), 100).await.unwrap();
    notices.into_iter().map(|notice| notice.code).collect()
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
async fn a_payout_that_met_a_shut_door_waits_and_goes_out_by_itself() {
    let world = rich().await;
    world.mpesa.b2c_fate(Fate::Refused);
    let payout = withdraw(&world, 10_000).await;
    assert_eq!(payout.state, PayoutState::Planned);
    assert_eq!(world.available(SELLER).await, 20_000, "what waits is held");
    assert_eq!(told(&world).await, ["payout_waits", "paid_by_hand"]);
    world.pass(61).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    assert_eq!(world.mpesa.b2c_requests(), 2);
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
    world.pass(31).await;
    assert_eq!(world.mpesa.b2c_requests(), 2);
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

#[tokio::test]
async fn a_result_that_never_comes_is_found_by_our_own_id() {
    for (word, state, available) in
        [("Completed", PayoutState::Paid, 20_000), ("Declined", failed("Declined"), 30_000)]
    {
        let world = rich().await;
        world.mpesa.offer_status();
        let payout = withdraw(&world, 10_000).await;
        let sent = world.mpesa.payouts().pop().unwrap();
        let receipt = if word == "Completed" { world.mpesa.pay_out(&sent) } else { "UJ30000000".to_owned() };
        world.pass(29).await;
        assert!(world.mpesa.asked_about().is_empty());
        world.pass(2).await;
        assert_eq!(world.mpesa.asked_about(), [payout.originator_id.as_str()]);
        for _ in 0..2 {
            world.callback(CallbackKind::Answer, &sent.secret, status(&sent, word, &receipt)).await;
        }
        assert_eq!(world.payout_now(payout.id).await.state, state);
        assert_eq!(world.available(SELLER).await, available);
        assert_eq!(world.mpesa.b2c_requests(), 1);
        world.is_sound().await;
    }
}

fn failed(code: &str) -> PayoutState {
    PayoutState::Failed { code: code.to_owned() }
}

#[tokio::test]
async fn what_mpesa_cannot_say_is_sent_again_under_the_same_id_only_while_its_answer_is_lost() {
    let world = rich().await;
    world.mpesa.offer_status();
    world.mpesa.b2c_fate(Fate::NeverArrives);
    let payout = withdraw(&world, 10_000).await;
    world.pass(31).await;
    assert_eq!(world.mpesa.b2c_requests(), 1, "first it is asked about");
    let nobody = Payout {
        originator_id: payout.originator_id.clone(),
        conversation_id: String::new(),
        shillings: 100,
        secret: payout.secret.clone(),
    };
    world.callback(CallbackKind::Answer, &nobody.secret, no_status()).await;
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    let sent = world.mpesa.payouts();
    assert_eq!((sent.len(), &sent[0].originator_id), (1, &payout.originator_id));
    // Accepted: from here on it is only asked about.
    for _ in 0..5 {
        world.callback(CallbackKind::Answer, &nobody.secret, no_status()).await;
        world.pass(4_000).await;
    }
    assert_eq!(world.mpesa.b2c_requests(), 2);
    world.is_sound().await;
}

#[tokio::test]
async fn what_stays_unknown_for_a_day_goes_to_a_person() {
    let world = rich().await;
    // The money that made them rich is not on M-Pesa's list here: another review's matter.
    let about_payouts = async || {
        let reviews = world.store.open_reviews(10).await.unwrap();
        let keys = reviews.into_iter().map(|review| review.key);
        keys.filter(|key| key.starts_with("payout/")).collect::<Vec<_>>()
    };
    world.mpesa.offer_status();
    let payout = withdraw(&world, 10_000).await;
    world.pass(80_000).await;
    assert!(about_payouts().await.is_empty());
    world.pass(30_000).await;
    assert_eq!(about_payouts().await, ["payout/1/unknown"]);
    assert_eq!(told(&world).await[0], "payout_sought");
    assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted, "nothing fails by itself");
    let sent = world.mpesa.payouts().pop().unwrap();
    let receipt = world.mpesa.pay_out(&sent);
    result(&world, &sent, "0", &receipt).await;
    assert!(about_payouts().await.is_empty(), "the proof has come");
    world.is_sound().await;
}

#[tokio::test]
async fn an_empty_float_lets_payouts_wait_and_the_first_that_is_paid_lets_them_go_on() {
    let mut world = rich().await;
    world.prepay(BUYER, 30_000).await;
    let payout = withdraw(&world, 10_000).await;
    let sent = world.mpesa.payouts().pop().unwrap();
    result(&world, &sent, "1", "0000000000").await;
    let waiting = world.payout_now(payout.id).await;
    assert_eq!((waiting.state, waiting.attempt), (PayoutState::Planned, 2));
    assert_ne!(waiting.originator_id, payout.originator_id, "M-Pesa has closed the first id for good");
    assert!(matches!(world.settlement.payout_queue(), PayoutQueue::Waiting { .. }));
    let other = world.settlement.request_payout(BUYER, Cents(10_000), "other").await.unwrap();
    assert_eq!(other.state, PayoutState::Planned);
    assert_eq!(world.mpesa.b2c_requests(), 1);
    // A restart forgets nothing of it.
    world.restart().await;
    assert!(matches!(world.settlement.payout_queue(), PayoutQueue::Waiting { .. }));
    world.pass(61).await;
    assert_eq!(world.mpesa.payouts().len(), 2, "one goes first");
    let probe = world.mpesa.payouts().pop().unwrap();
    let ids = [payout.id, other.id];
    let (first, second) =
        if probe.originator_id == waiting.originator_id { (ids[0], ids[1]) } else { (ids[1], ids[0]) };
    result(&world, &sent, "1", "0000000000").await;
    let receipt = world.mpesa.pay_out(&probe);
    result(&world, &probe, "0", &receipt).await;
    assert_eq!(world.settlement.payout_queue(), PayoutQueue::Open);
    assert_eq!(world.payout_now(first).await.state, PayoutState::Paid);
    assert_eq!(world.payout_now(second).await.state, PayoutState::Accepted);
    world.is_sound().await;
}

#[tokio::test]
async fn the_first_bad_initiator_stops_the_queue_until_the_operator_resumes_it() {
    for code in ["2001", "8006"] {
        let mut world = rich().await;
        world.mpesa.offer_status();
        world.prepay(BUYER, 30_000).await;
        world.prepay(OTHER, 30_000).await;
        withdraw(&world, 10_000).await;
        let sent = world.mpesa.payouts().pop().unwrap();
        result(&world, &sent, code, "0000000000").await;
        assert!(matches!(world.settlement.payout_queue(), PayoutQueue::Stopped { .. }));
        let operator = world.store.notices_of(None, 10).await.unwrap();
        assert_eq!(operator[0].code, "payouts_stopped");
        for (household, key) in [(BUYER, "b"), (OTHER, "o")] {
            world.settlement.request_payout(household, Cents(10_000), key).await.unwrap();
        }
        world.restart().await;
        world.pass(100_000).await;
        assert_eq!((world.mpesa.b2c_requests(), world.mpesa.asked_about().len()), (1, 0), "nothing is tried");
        // Still wrong: one more try, and it is stopped again.
        world.settlement.resume_payouts().await.unwrap();
        world.clock.idle().await;
        assert_eq!(world.mpesa.b2c_requests(), 2, "one goes first");
        let probe = world.mpesa.payouts().pop().unwrap();
        result(&world, &probe, code, "0000000000").await;
        assert!(matches!(world.settlement.payout_queue(), PayoutQueue::Stopped { .. }));
        // Mended.
        world.settlement.resume_payouts().await.unwrap();
        world.clock.idle().await;
        let probe = world.mpesa.payouts().pop().unwrap();
        let receipt = world.mpesa.pay_out(&probe);
        result(&world, &probe, "0", &receipt).await;
        assert_eq!(world.settlement.payout_queue(), PayoutQueue::Open);
        let paid = world.store.payout_by_secret(&probe.secret).await.unwrap().unwrap();
        assert_eq!(paid.state, PayoutState::Paid);
        let live = world.store.live_payouts().await.unwrap();
        assert!(live.len() == 2 && live.iter().all(|payout| payout.state == PayoutState::Accepted));
        assert_eq!(world.mpesa.b2c_requests(), 5);
        world.is_sound().await;
    }
}

#[tokio::test]
async fn a_result_with_another_amount_or_conversation_is_for_a_person() {
    let world = rich().await;
    let payout = withdraw(&world, 10_000).await;
    let sent = world.mpesa.payouts().pop().unwrap();
    for other in [
        Payout { conversation_id: "AG_9".to_owned(), ..sent.clone() },
        Payout { shillings: 99, ..sent.clone() },
    ] {
        result(&world, &other, "0", "UJ3OTHER01").await;
        assert_eq!(world.payout_now(payout.id).await.state, PayoutState::Accepted);
    }
    let reviews = world.store.open_reviews(10).await.unwrap();
    assert_eq!((reviews.len(), reviews[0].key.as_str()), (1, "payout/1/differs"));
    world.is_sound().await;
}

#[tokio::test]
async fn no_more_than_the_days_limits_goes_out() {
    let world = World::new().await;
    let day = Cents(25_000_000);
    for household in [SELLER, BUYER] {
        world.prepay(household, 40_000_000).await;
    }
    let ask =
        |household, cents, key: &'static str| world.settlement.request_payout(household, Cents(cents), key);
    ask(SELLER, 24_000_000, "first").await.unwrap();
    let refused = ask(SELLER, 2_000_000, "second").await.unwrap_err();
    let SettlementError::DailyLimit { left } = &refused else { panic!("{refused}") };
    let first = world.store.payout_by_key(SELLER, "first").await.unwrap().unwrap();
    assert_eq!(left.0, day.0 - first.amount.0);
    ask(SELLER, left.0, "third").await.unwrap();
    ask(BUYER, 2_000_000, "other").await.unwrap();
    // A payout that failed frees its part of the day.
    let failed = world.mpesa.payouts()[0].clone();
    result(&world, &failed, "2040", "0000000000").await;
    ask(SELLER, 2_000_000, "second").await.unwrap();
    assert!(matches!(ask(SELLER, 24_000_000, "fourth").await, Err(SettlementError::DailyLimit { .. })));
    // Midnight of Nairobi.
    world.pass(86_400).await;
    ask(SELLER, 24_000_000, "fourth").await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn a_changed_number_gets_nothing_before_the_cool_down_is_over() {
    let world = rich().await;
    withdraw(&world, 2_000).await;
    let other = "254799000111".parse().unwrap();
    world.settlement.change_number(SELLER, other).await.unwrap();
    let ask = |key: &'static str| world.settlement.request_payout(SELLER, Cents(2_000), key);
    let refused = ask("too soon").await.unwrap_err();
    let SettlementError::CoolDown { until } = refused else { panic!("{refused}") };
    assert_eq!(until.since(world.clock.now()) / 1_000_000, 172_800);
    world.pass(172_799).await;
    assert!(matches!(ask("too soon").await, Err(SettlementError::CoolDown { .. })));
    world.pass(1).await;
    let payout = ask("in time").await.unwrap();
    assert_eq!(payout.msisdn, other);
    world.is_sound().await;
}

#[tokio::test]
async fn a_number_that_was_changed_behind_our_back_is_noticed() {
    let world = rich().await;
    withdraw(&world, 2_000).await;
    let mut seller = world.store.household(SELLER).await.unwrap().unwrap();
    seller.msisdn = Some("254799000111".parse().unwrap());
    world.store.commit(vec![jirani_store::Change::Household(seller)]).await.unwrap();
    let ask = |key: &'static str| world.settlement.request_payout(SELLER, Cents(2_000), key);
    assert!(matches!(ask("first").await, Err(SettlementError::CoolDown { .. })));
    world.pass(172_800).await;
    ask("second").await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn who_asks_for_little_hears_what_waiting_would_save() {
    let world = rich().await;
    let quote = world.settlement.payout_advice(SELLER, Cents(12_500)).await.unwrap();
    assert_eq!((quote.sent, quote.charge), (Cents(12_000), Cents(500)));
    assert_eq!(
        quote.hint_en().unwrap(),
        "KSh 5.00 of KSh 125.00 goes to M-Pesa; from KSh 240.00 it is half the share. Up to KSh 100.00 is free."
    );
    let free = world.settlement.payout_advice(SELLER, Cents(10_000)).await.unwrap();
    assert_eq!((free.charge, free.hint_en()), (Cents::ZERO, None));
}
