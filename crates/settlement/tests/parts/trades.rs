//! The whole way: offers, orders, prompts, settlement, payouts, restarts.

use crate::village::{BUYER, GENERATOR, SELLER, Village};
use jirani_daraja_sandbox::Behaviour;
use jirani_ledger::Account;
use jirani_settlement::Want;
use jirani_store::{CollectionState, OrderState, PayWith, PayoutState, ReleaseReason, Store as _};
use jirani_units::{Cents, Wh};

#[tokio::test]
async fn energy_is_sold_paid_by_prompt_and_the_seller_withdraws() {
    let village = Village::new().await;
    village.offer().await;
    let order = village.buy(2_000, PayWith::Mpesa, "order").await;
    assert_eq!((order.state, order.due), (OrderState::AwaitingPayment, Cents(3_920)));
    village.pass(15).await;
    assert_eq!(village.state(&order).await, OrderState::Settled);
    assert_eq!(village.vault(BUYER).await, 2_000);
    assert_eq!((village.available(SELLER).await, village.available(BUYER).await), (3_000, 80));
    village.is_sound().await;

    let payout = village.settlement.request_payout(SELLER, Cents(3_000), "payout").await.unwrap();
    assert_eq!(payout.state, PayoutState::Accepted);
    village.pass(15).await;
    let payout = village.store.payout(payout.id).await.unwrap().unwrap();
    assert_eq!((payout.state, payout.receipt.is_some()), (PayoutState::Paid, true));
    assert_eq!(village.available(SELLER).await, 0);
    village.is_sound().await;
}

#[tokio::test]
async fn an_order_from_balance_is_placed_and_settled_in_one_transaction() {
    let village = Village::new().await;
    village.offer().await;
    let first = village.buy(2_000, PayWith::Mpesa, "first").await;
    village.pass(15).await;
    assert_eq!(village.state(&first).await, OrderState::Settled);
    // The seller's earnings buy from the generator.
    let want = Want::Energy(Wh(500));
    let order = village.settlement.place_order(SELLER, want, PayWith::Balance, None, "own").await.unwrap();
    assert_eq!((order.state, order.due), (OrderState::Settled, Cents(1_730)), "{:?}", order.refusal);
    assert_eq!(order.placed_signature, order.final_signature);
    assert_eq!(village.available(SELLER).await, 3_000 - 1_730);
    assert_eq!(village.store.balance(Account::OperatorSales).await.unwrap().net(), Cents(1_500));
    village.is_sound().await;
}

#[tokio::test]
async fn cancelled_and_silent_prompts_give_the_tokens_back() {
    let village = Village::new().await;
    village.offer().await;
    let cancels = Behaviour { cancel_per_mille: 1_000, ..Behaviour::ALWAYS_PAYS };
    let silent = Behaviour { silent_per_mille: 1_000, ..Behaviour::ALWAYS_PAYS };
    for (behaviour, key) in [(cancels, "cancelled"), (silent, "silent")] {
        village.phone(BUYER, behaviour).await;
        let order = village.buy(1_000, PayWith::Mpesa, key).await;
        village.pass(70).await;
        let order = village.store.order(order.id).await.unwrap().unwrap();
        assert_eq!(
            (order.state, order.release_reason),
            (OrderState::Released, Some(ReleaseReason::PaymentRefused))
        );
    }
    assert_eq!(village.vault(BUYER).await, 0);
    village.is_sound().await;
}

#[tokio::test]
async fn lost_doubled_and_late_callbacks_lose_and_double_nothing() {
    let village = Village::new().await;
    village.offer().await;
    for (number, (faults, settled)) in [
        (vec![("stk_callback", "lose")], true),
        (vec![("c2b", "lose")], true),
        (vec![("stk_callback", "duplicate"), ("c2b", "duplicate")], true),
        (vec![("stk_callback", "lose"), ("c2b", "delay_s:90")], true),
        (vec![("stk_response", "lose")], true),
        (vec![("stk_response", "lose"), ("stk_callback", "lose")], true),
        (vec![("stk_callback", "lose"), ("c2b", "delay_s:600")], true),
        (vec![("stk_callback", "delay_s:600"), ("c2b", "lose")], true),
        (vec![("stk_callback", "lose"), ("c2b", "lose")], true),
        (vec![("stk_response", "lose"), ("stk_callback", "lose"), ("c2b", "lose")], true),
    ]
    .into_iter()
    .enumerate()
    {
        for (target, action) in &faults {
            village.fault(target, action).await;
        }
        let order = village.buy(100, PayWith::Mpesa, &format!("order-{number}")).await;
        village.pass(700).await;
        let expected = if settled { OrderState::Settled } else { OrderState::Released };
        assert_eq!(village.state(&order).await, expected, "{faults:?}");
        let collection = village.store.collection(order.id).await.unwrap().unwrap();
        assert_eq!(collection.state, CollectionState::Paid, "{faults:?}: the money is known in the end");
        village.is_sound().await;
    }
    // Ten dues of 1.96 paid with 2.00 each: what no callback told was on the list.
    assert_eq!(village.available(BUYER).await, 10 * 4);
    assert_eq!(village.vault(BUYER).await, 1_000);
}

#[tokio::test]
async fn a_payout_whose_answer_and_result_are_lost_is_paid_once_and_found_to_be_so() {
    let mut village = Village::new().await;
    village.offer().await;
    village.buy(2_000, PayWith::Mpesa, "order").await;
    village.pass(15).await;
    village.fault("b2c_response", "lose").await;
    let payout = village.settlement.request_payout(SELLER, Cents(2_000), "payout").await.unwrap();
    assert_eq!(payout.state, PayoutState::Unknown);
    village.stop().await;
    village.restart().await;
    village.pass(15).await;
    let payout = village.store.payout(payout.id).await.unwrap().unwrap();
    assert_eq!(payout.state, PayoutState::Paid);
    village.is_sound().await;
}

#[tokio::test]
async fn a_restart_with_prompt_and_offers_open_goes_on() {
    let mut village = Village::new().await;
    village.offer().await;
    let order = village.buy(1_000, PayWith::Mpesa, "order").await;
    village.stop().await;
    village.restart().await;
    village.pass(15).await;
    assert_eq!(village.state(&order).await, OrderState::Settled);
    // A day later the offers have expired and what was left is back.
    village.pass(86_400).await;
    assert_eq!((village.vault(SELLER).await, village.vault(GENERATOR).await), (7_000, 8_000));
    assert!(village.store.live_offers().await.unwrap().is_empty());
    village.is_sound().await;
}

#[tokio::test]
async fn many_orders_at_once_settle_at_once() {
    let village = Village::new().await;
    village.offer().await;
    village.buy(2_000, PayWith::Mpesa, "first").await;
    village.pass(15).await;
    let orders = (0..6).map(|number| {
        let settlement = village.settlement.clone();
        tokio::spawn(async move {
            let want = Want::Energy(Wh(50));
            settlement.place_order(SELLER, want, PayWith::Balance, None, &format!("many-{number}")).await
        })
    });
    for order in futures::future::join_all(orders).await {
        let order = order.unwrap().unwrap();
        assert_eq!(order.state, OrderState::Settled, "{:?}", order.refusal);
    }
    assert_eq!(village.vault(SELLER).await, 300);
    village.is_sound().await;
}
