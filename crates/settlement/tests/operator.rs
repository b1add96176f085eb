//! The operator as counterparty of last resort: at the edges of every call, and buying
//! back what nobody buys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod world;

use jirani_ledger::Account;
use jirani_ledger::templates::shortcodes::{self, Shortcode};
use jirani_market::nairobi;
use jirani_market::rule::{Acting, BuyRule, Cover, SellRule};
use jirani_settlement::interruption::Moment;
use jirani_settlement::{CallBook, SettlementError};
use jirani_store::{Change, DayBillRecord, OfferState, OrderState, PayWith, Store as _};
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Wh};
use world::chain::ChainFault;
use world::{BUYER, GENERATOR, OTHER, SELLER, START, World};

fn sell(keep_wh: u64, floor: u32) -> SellRule {
    SellRule { keep_wh: Wh(keep_wh), floor_cents_per_kwh: Price(floor), acting: Acting::Act }
}

fn keep(in_hand_wh: u64, price: u32) -> BuyRule {
    BuyRule {
        cover: Cover::InHand(Wh(in_hand_wh)),
        price_max_cents_per_kwh: Price(price),
        budget_per_day_cents: Cents(100_000),
        acting: Acting::Act,
    }
}

async fn book(world: &World) -> CallBook {
    let call = world.store.calls(1, 1).await.unwrap().remove(0);
    CallBook::read(&call.book).unwrap()
}

async fn told(world: &World, household: HouseholdId) -> Vec<String> {
    let notices = world.store.notices_of(Some(household), 20).await.unwrap();
    notices.into_iter().map(|notice| notice.code).collect()
}

#[tokio::test]
async fn nobody_sells_so_the_operator_sells_its_own_at_retail() {
    let world = World::new().await;
    world.prepay(BUYER, 10_000).await;
    world.settlement.set_rules(BUYER, None, Some(keep(1_000, 4_000))).await.unwrap();
    world.slot().await;
    assert_eq!(book(&world).await.price, Some(Price(3_540)), "retail less fee and tax");
    assert_eq!((world.chain.vault(BUYER), world.available(BUYER).await), (1_000, 10_000 - 4_000));
    assert_eq!(world.journal_sum(Account::OperatorSales).await, 3_540);
    // What is left is there for who pays by M-Pesa.
    let mut put = world.store.offers_of(GENERATOR, 10).await.unwrap();
    put.retain(|offer| offer.state == OfferState::Open);
    assert_eq!((put.len(), put[0].energy_wh, put[0].price), (1, Wh(9_000), Price(3_540)));
    world.is_sound().await;
}

#[tokio::test]
async fn who_asks_no_more_than_buy_back_sells_to_the_operator_without_fee_and_tax() {
    let world = World::new().await;
    world.settlement.set_rules(SELLER, Some(sell(2_000, 1_000)), None).await.unwrap();
    world.slot().await;
    assert_eq!((book(&world).await.price, book(&world).await.volume_wh), (Some(Price(1_000)), 8_000));
    assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (2_000, 8_000));
    assert_eq!(world.journal_sum(Account::OperatorSales).await, -8_000);
    assert_eq!(world.journal_sum(Account::OperatorFees).await, 0);
    world.is_sound().await;
}

#[tokio::test]
async fn at_the_edge_a_neighbour_goes_before_the_operator() {
    let world = World::new().await;
    world.prepay(BUYER, 10_000).await;
    world.settlement.set_rules(SELLER, Some(sell(9_000, 3_540)), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, Some(keep(1_500, 4_000))).await.unwrap();
    world.slot().await;
    let order = world.store.orders_of(BUYER, 1).await.unwrap().remove(0);
    let from: Vec<_> = order.fills.iter().map(|fill| (fill.seller, fill.energy_wh)).collect();
    assert_eq!(from, [(SELLER, 1_000), (GENERATOR, 500)]);
    world.is_sound().await;
}

#[tokio::test]
async fn a_neighbours_bid_goes_before_the_operators() {
    let world = World::new().await;
    world.prepay(BUYER, 10_000).await;
    world.settlement.set_rules(SELLER, Some(sell(9_000, 1_000)), None).await.unwrap();
    // At buy-back with fee and tax on top: the least that a neighbour may bid.
    world.settlement.set_rules(BUYER, None, Some(keep(600, 1_460))).await.unwrap();
    world.slot().await;
    assert_eq!((world.chain.vault(BUYER), world.chain.vault(SELLER)), (600, 9_000));
    assert_eq!(world.journal_sum(Account::OperatorSales).await, -400);
    world.is_sound().await;
}

#[tokio::test]
async fn on_request_the_operator_buys_back_once() {
    let world = World::new().await;
    let order = world.settlement.buy_back(SELLER, Wh(3_200), "today").await.unwrap();
    assert_eq!(
        (order.state, order.due, order.pay_with),
        (OrderState::Settled, Cents(3_200), PayWith::Balance)
    );
    let again = world.settlement.buy_back(SELLER, Wh(3_200), "today").await.unwrap();
    assert_eq!(again.id, order.id);
    let other = world.settlement.buy_back(SELLER, Wh(3_000), "today").await;
    assert!(matches!(other, Err(SettlementError::KeyReused)), "{other:?}");
    assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (6_800, 3_200));
    assert_eq!(told(&world, SELLER).await, ["bought_back"]);
    world.is_sound().await;
}

#[tokio::test]
async fn what_is_not_there_or_owed_is_not_bought_back() {
    let world = World::new().await;
    let too_much = world.settlement.buy_back(SELLER, Wh(10_001), "more").await;
    assert!(matches!(too_much, Err(SettlementError::VaultTooSmall { .. })), "{too_much:?}");
    for energy in [0, 9, 50_001, u64::MAX] {
        let refused = world.settlement.buy_back(SELLER, Wh(energy), "odd").await.unwrap_err();
        assert_eq!(refused.code(), "market.energy_out_of_bounds", "{energy}");
    }
    world.chain.set_shortfall(SELLER, 5);
    let owing = world.settlement.buy_back(SELLER, Wh(100), "owing").await;
    assert!(matches!(owing, Err(SettlementError::Shortfall { .. })), "{owing:?}");
    let own = world.settlement.buy_back(GENERATOR, Wh(100), "own").await;
    assert!(matches!(own, Err(SettlementError::UnknownHousehold)), "{own:?}");
    assert_eq!(world.journal_sum(Account::OperatorSales).await, 0);
    world.is_sound().await;
}

#[tokio::test]
async fn the_operator_never_buys_with_what_belongs_to_households() {
    let world = World::new().await;
    world.prepay(BUYER, 500_000).await;
    let own = jirani_ledger::invariants::Totals::of(&world.store.balances().await.unwrap()).sweepable();
    let receipt = "UJ32SWEPT1".parse().unwrap();
    let leaves = Cents(own.0 - 2_000);
    let swept = shortcodes::swept(&receipt, Shortcode::Payout, leaves, START);
    world.store.commit(vec![Change::Post(swept)]).await.unwrap();
    let refused = world.settlement.buy_back(SELLER, Wh(2_001), "large").await;
    assert!(matches!(refused, Err(SettlementError::OperatorFunds)), "{refused:?}");
    world.settlement.buy_back(SELLER, Wh(1_500), "small").await.unwrap();
    // In a call, too: it bids for what is left.
    world.settlement.set_rules(SELLER, Some(sell(0, 1_000)), None).await.unwrap();
    world.slot().await;
    assert_eq!((book(&world).await.volume_wh, world.available(SELLER).await), (500, 2_000));
    world.is_sound_so_far().await;
}

#[tokio::test]
async fn a_refusal_by_the_chain_returns_tokens_and_money() {
    for work in ["post/", "place/"] {
        let world = World::new().await;
        world.chain.order_fault(work, ChainFault::Refuse("energy.paused"));
        let order = world.settlement.buy_back(SELLER, Wh(1_000), "refused").await.unwrap();
        assert_eq!(order.state, OrderState::Refused, "{work}");
        world.clock.idle().await;
        assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (10_000, 0), "{work}");
        assert_eq!(world.journal_sum(Account::OperatorSales).await, 0);
        let left = world.store.live_offers().await.unwrap();
        assert!(left.is_empty(), "{work}: {left:?}");
        world.is_sound().await;
    }
}

#[tokio::test]
async fn a_crash_before_the_chain_hears_of_it_buys_once() {
    let mut world = World::new().await;
    world.restart_to_crash_at(Moment::BoughtBack).await;
    let asked = world.settlement.clone();
    let lost = tokio::spawn(async move { asked.buy_back(SELLER, Wh(1_000), "crash").await });
    assert!(lost.await.is_err(), "it ended in the crash");
    world.restart().await;
    world.clock.idle().await;
    assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (9_000, 1_000));
    let order = world.settlement.buy_back(SELLER, Wh(1_000), "crash").await.unwrap();
    assert_eq!(order.state, OrderState::Settled);
    assert_eq!(world.available(SELLER).await, 1_000);
    world.is_sound().await;
}

#[tokio::test]
async fn what_stands_on_offer_or_was_bought_is_not_taken_for_old_exports() {
    let world = World::new().await;
    let today = nairobi::day(world.clock.now());
    let mut bill = DayBillRecord::new(SELLER, today - 20);
    bill.export = Wh(6_000);
    world.store.commit(vec![Change::DayBill(bill)]).await.unwrap();
    // What is on offer counts as the oldest; the rest of the vault was bought.
    world.settlement.post_offer(SELLER, Wh(5_000), Price(1_500), 604_800, "long").await.unwrap();
    world.pass(86_400).await;
    assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (4_000, 1_000));
    world.is_sound().await;
}

#[tokio::test]
async fn what_was_pushed_two_weeks_ago_and_not_sold_is_bought_back_by_itself() {
    let mut world = World::new().await;
    let today = nairobi::day(world.clock.now());
    let day = |household, ago: i64, export, own_use, sold| {
        let mut bill = DayBillRecord::new(household, today - ago);
        bill.export = Wh(export);
        (bill.total.own_use, bill.total.sold) = (Wh(own_use), Wh(sold));
        Change::DayBill(bill)
    };
    let bills = vec![
        // Of 6 kWh half was drawn again and 1 kWh sold; what came later is younger.
        day(SELLER, 20, 6_000, 500, 0),
        day(SELLER, 15, 0, 2_500, 1_000),
        day(SELLER, 5, 8_000, 0, 0),
        day(OTHER, 5, 9_000, 0, 0),
    ];
    world.store.commit(bills).await.unwrap();
    world.chain.enrol_more(OTHER, 9_000);
    world.pass(86_400).await;
    assert_eq!((world.chain.vault(SELLER), world.available(SELLER).await), (8_000, 2_000));
    assert_eq!((world.chain.vault(OTHER), world.available(OTHER).await), (9_000, 0));
    assert_eq!(told(&world, SELLER).await, ["bought_back"]);
    // Once a day, whatever is restarted; the bills to come will count it as sold.
    world.restart().await;
    world.clock.idle().await;
    assert_eq!(world.available(SELLER).await, 2_000);
    world.is_sound().await;
}
