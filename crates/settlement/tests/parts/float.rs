//! The operator's own money between its shortcodes.

use crate::village::{BUYER, SHORTCODE, Village};
use jirani_daraja_sandbox::Behaviour;
use jirani_ledger::Account;
use jirani_reconciliation::{Decision, Purse};
use jirani_settlement::{FloatRecord, FloatState};
use jirani_store::{Change, PayWith, ProposalState, Store as _};
use jirani_units::Cents;

/// A village whose PayBill holds 79 shillings, by two orders.
async fn village() -> Village {
    let village = Village::new().await;
    village.offer().await;
    for part in 0..2 {
        village.phone(BUYER, Behaviour::ALWAYS_PAYS).await;
        village.buy(2_000, PayWith::Mpesa, &format!("order-{part}")).await;
        village.pass(15).await;
    }
    village
}

async fn last(village: &Village) -> FloatRecord {
    village.settlement.last_float_move().await.unwrap().unwrap()
}

/// What the PayBill and the payout shortcode hold, by our ledger.
async fn held(village: &Village) -> (i64, i64) {
    let of = async |account| village.store.balance(account).await.unwrap().net_debit().0;
    (of(Account::MpesaCollection).await, of(Account::MpesaPayout).await)
}

#[tokio::test]
async fn float_moves_from_the_paybill_once_and_is_in_both_books() {
    let village = village().await;
    let before = held(&village).await;
    let moved = village.settlement.move_float("amina", Cents(3_000), "first").await.unwrap();
    assert!(matches!(moved.state, FloatState::Accepted { .. }), "{moved:?}");
    let refused = village.settlement.move_float("amina", Cents(1_000), "second").await.unwrap_err();
    assert_eq!(refused.code(), "settlement.float_moving");
    village.pass(15).await;
    let moved = village.settlement.move_float("amina", Cents(3_000), "first").await.unwrap();
    assert!(matches!(moved.state, FloatState::Moved(Some(_))), "the same key is the same move: {moved:?}");
    let reused = village.settlement.move_float("amina", Cents(4_000), "first").await.unwrap_err();
    assert_eq!(reused.code(), "settlement.key_reused");
    assert_eq!(held(&village).await, (before.0 - 3_000, before.1 + 3_000));
    village.is_sound().await;

    village.settlement.move_float("baraka", Cents(1_000), "second").await.unwrap();
    village.pass(15).await;
    let moves = village.settlement.float_moves(10).await.unwrap();
    let listed: Vec<_> = moves.iter().map(|one| (one.amount.0, one.asked_by.as_str())).collect();
    assert_eq!(listed, [(1_000, "baraka"), (3_000, "amina")]);
    let compared = village.compare(SHORTCODE, "utility", &[Purse::Collection]).await;
    assert_eq!(compared.report.apart(), 0, "{:?}", compared.report);
    village.is_sound().await;
}

#[tokio::test]
async fn what_cannot_move_is_refused_in_words_and_the_hold_is_let_go() {
    let village = village().await;
    let before = held(&village).await;
    for (cents, code) in [(150, "float_amount"), (0, "float_amount"), (25_000_100, "float_amount")] {
        let refused = village.settlement.move_float("amina", Cents(cents), "odd").await.unwrap_err();
        assert_eq!(refused.code(), format!("settlement.{code}"), "{cents}");
    }
    village.settlement.move_float("amina", Cents(10_000_000), "too much").await.unwrap();
    village.pass(15).await;
    let refused = last(&village).await;
    assert_eq!(refused.state, FloatState::Failed("1".to_owned()));
    assert_eq!(refused.failure().as_deref(), Some("The PayBill does not hold that much."));
    assert_eq!(held(&village).await, before);
    village.is_sound().await;
}

#[tokio::test]
async fn a_result_that_was_lost_is_asked_for_by_mpesas_own_id() {
    let village = village().await;
    let before = held(&village).await;
    village.fault("b2b_callback", "lose").await;
    let taken = village.settlement.move_float("amina", Cents(1_000), "asked").await.unwrap();
    assert!(matches!(taken.state, FloatState::Accepted { .. }), "{taken:?}");
    village.pass(60).await;
    assert!(!last(&village).await.is_final(), "nobody has told us");
    village.pass(2_000).await;
    let moved = last(&village).await;
    assert!(matches!(moved.state, FloatState::Moved(Some(_))), "{moved:?}");
    assert_eq!(held(&village).await, (before.0 - 1_000, before.1 + 1_000));

    // Of one that M-Pesa refused it says so, too.
    village.fault("b2b_callback", "lose").await;
    village.settlement.move_float("amina", Cents(10_000_000), "too much").await.unwrap();
    village.pass(2_000).await;
    assert_eq!(last(&village).await.state, FloatState::Failed("Declined".to_owned()));
    village.is_sound().await;
}

#[tokio::test]
async fn a_move_whose_answer_and_result_are_lost_stays_unknown_until_it_is_proven() {
    let mut village = village().await;
    let before = held(&village).await;
    for (key, by_statement) in [("read", true), ("decided", false)] {
        village.fault("b2b_response", "lose").await;
        village.fault("b2b_callback", "lose").await;
        let lost = village.settlement.move_float("amina", Cents(1_000), key).await.unwrap();
        assert_eq!(lost.state, FloatState::Unknown);
        village.stop().await;
        village.restart().await;
        village.pass(90_000).await;
        let lost = last(&village).await;
        assert_eq!(lost.state, FloatState::Unknown, "never sent again, never given up");
        let review = format!("float/{}/unknown", lost.number);
        assert!(village.store.review(&review).await.unwrap().unwrap().closed_at.is_none());
        if by_statement {
            let compared = village.compare(SHORTCODE, "utility", &[Purse::Collection]).await;
            assert_eq!(compared.report.apart(), 0, "{:?}", compared.report);
        } else {
            let receipt = "UJ32ABCDEF".parse().unwrap();
            let done = Decision::FloatMoved { number: lost.number, receipt };
            let desk = &village.settlement;
            let proposed = desk.propose("amina", &review, &done, "seen on the portal").await.unwrap();
            let alone = desk.approve("amina", proposed.number).await.unwrap_err();
            assert_eq!(alone.code(), "review.same_person");
            assert_eq!(last(&village).await.state, FloatState::Unknown);
            let approved = desk.approve("baraka", proposed.number).await.unwrap();
            assert_eq!(approved.state, ProposalState::Approved);
        }
        assert!(matches!(last(&village).await.state, FloatState::Moved(Some(_))));
        assert!(village.store.review(&review).await.unwrap().unwrap().closed_at.is_some());
        village.is_sound().await;
    }
    assert_eq!(held(&village).await, (before.0 - 2_000, before.1 + 2_000));
}

#[tokio::test]
async fn a_receipt_proves_one_move_of_float_however_long_ago_that_was() {
    let village = village().await;
    village.settlement.move_float("amina", Cents(1_000), "first").await.unwrap();
    village.pass(15).await;
    let first = last(&village).await;
    let FloatState::Moved(Some(receipt)) = first.state.clone() else { panic!("{first:?}") };
    // Hundreds of moves later.
    let mut number = first.number;
    while number < 300 {
        number = village.store.next_number("float").await.unwrap();
    }
    let later = FloatRecord { number, state: FloatState::Moved(None), ..first };
    let kept = |key: &str, value| Change::Setting { key: key.to_owned(), value };
    let moves = [kept("float/300", serde_json::to_string(&later).unwrap()), kept("float-last", "300".into())];
    village.store.commit(moves.to_vec()).await.unwrap();

    village.fault("b2b_response", "lose").await;
    village.fault("b2b_callback", "lose").await;
    let lost = village.settlement.move_float("amina", Cents(1_000), "second").await.unwrap();
    village.pass(90_000).await;
    let review = format!("float/{}/unknown", lost.number);
    let moved = Decision::FloatMoved { number: lost.number, receipt };
    let refused = village.settlement.propose("amina", &review, &moved, "").await.unwrap_err();
    assert!(refused.message().contains("is move 1 of float"), "{refused}");
}
