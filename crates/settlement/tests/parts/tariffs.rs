//! A change of prices on the real program: its bounds follow, and an order that it holds
//! settles under the fee and tax that it keeps.

use crate::village::{START, TARIFF, Village};
use jirani_chain::{EnergyChain as _, TariffOutcome};
use jirani_ledger::Account;
use jirani_market::Tariff;
use jirani_store::{OrderState, PayWith, Store as _};
use jirani_units::{Cents, Clock as _, Price};

/// Dearer from half an hour after the village's start on, with another fee and tax.
const DEARER: Tariff =
    Tariff { retail: Price(4_400), buy_back: Price(1_200), grid_fee: Price(500), tax: Price(260) };

#[tokio::test]
async fn the_programs_bounds_follow_and_an_order_it_holds_keeps_its_fee() {
    let mut village = Village::new().await;
    village.offer().await;
    let change = START.plus_seconds(9_000);
    village.settlement.announce_tariff("Grace", "december", change, DEARER).await.unwrap();
    village.pass(change.since(village.clock.now()) / 1_000_000 - 2).await;
    let before = village.buy(1_000, PayWith::Mpesa, "before").await;
    assert_eq!((before.state, before.due), (OrderState::AwaitingPayment, Cents(1_960)));
    assert_eq!(village.chain.set_tariff(&TARIFF).await.unwrap(), TariffOutcome::AlreadySet);
    // Prices change, the service starts anew, and only then is the prompt paid.
    village.stop().await;
    village.clock.advance_to(change.plus_seconds(1));
    village.restart().await;
    assert_eq!(village.chain.set_tariff(&DEARER).await.unwrap(), TariffOutcome::AlreadySet);
    village.pass(20).await;
    assert_eq!(village.state(&before).await, OrderState::Settled);
    let fees = village.store.balance(Account::OperatorFees).await.unwrap().net();
    assert_eq!(fees, Cents(300), "its own fee, on chain and in the ledger");
    village.is_sound().await;

    let after = village.buy(1_000, PayWith::Mpesa, "after").await;
    assert_eq!((after.fee, after.tax, after.due), (Price(500), Price(260), Cents(2_260)));
    village.pass(20).await;
    assert_eq!(village.state(&after).await, OrderState::Settled);
    assert_eq!(village.store.balance(Account::OperatorFees).await.unwrap().net(), Cents(800));
    village.is_sound().await;
}
