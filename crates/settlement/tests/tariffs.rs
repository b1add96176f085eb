//! Dated tariffs: announced, told, followed by the chain; what is reserved keeps its terms.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_ledger::Account;
use jirani_market::Tariff;
use jirani_settlement::{Fault, SettlementError, TariffState, Want, list_tariffs};
use jirani_store::{NoticeRecord, OfferState, OrderState, PayWith, Store as _, TariffOrigin, TariffRecord};
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Timestamp, Wh};
use world::mpesa::stk_paid;
use world::{BUYER, GENERATOR, OTHER, SELLER, START, TARIFF, World};

/// From half an hour after the start on: dearer, with another fee and tax.
const DEARER: Tariff =
    Tariff { retail: Price(4_400), buy_back: Price(1_200), grid_fee: Price(500), tax: Price(260) };
const CHANGE: Timestamp = START.plus_seconds(1_800);

async fn announce(world: &World, key: &str, tariff: Tariff) -> Result<TariffRecord, SettlementError> {
    world.settlement.announce_tariff("Grace", key, CHANGE, tariff).await
}

async fn notices(world: &World, household: Option<HouseholdId>, code: &str) -> Vec<NoticeRecord> {
    let all = world.store.notices_of(household, 100).await.unwrap();
    all.into_iter().filter(|notice| notice.code == code).collect()
}

async fn net(world: &World, account: Account) -> i64 {
    world.store.balance(account).await.unwrap().net().0
}

async fn to(world: &World, seconds: i64) {
    world.pass(START.plus_seconds(seconds).since(world.clock.now()) / 1_000_000).await;
}

#[tokio::test]
async fn what_was_ordered_before_a_change_settles_as_it_was_and_the_next_order_bears_the_new_fee() {
    let mut world = World::new().await;
    announce(&world, "december", DEARER).await.unwrap();
    to(&world, 1_780).await;
    let before = world.order().await;
    assert_eq!((before.fee, before.tax, before.due), (Price(300), Price(160), Cents(1_960)));
    let prompt = world.mpesa.prompt();
    assert_eq!(world.chain.bounds(), Some(TARIFF));
    // The change comes between the order and its payment, and so does a restart.
    to(&world, 1_810).await;
    assert_eq!(world.chain.bounds(), Some(DEARER));
    world.restart().await;
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(before.id).await.state, OrderState::Settled);
    let parts = (net(&world, Account::OperatorFees).await, net(&world, Account::OperatorTaxes).await);
    assert_eq!(parts, (300, 160), "its own fee and tax");
    assert_eq!(world.available(SELLER).await, 1_500);
    world.is_sound().await;

    world.prepay(BUYER, 10_000).await;
    let quote = world.settlement.quote(BUYER, Want::Energy(Wh(1_000)), PayWith::Balance).await.unwrap();
    assert_eq!((quote.due, quote.retail), (Cents(2_260), Cents(4_400)));
    let after = world.buy(BUYER, 1_000, PayWith::Balance, "after").await.unwrap();
    assert_eq!((after.state, after.due), (OrderState::Settled, Cents(2_260)), "{:?}", after.refusal);
    assert_eq!(net(&world, Account::OperatorFees).await, 300 + 500);
    world.is_sound().await;
}

#[tokio::test]
async fn every_home_is_told_once_whatever_is_repeated() {
    let mut world = World::new().await;
    let first = announce(&world, "december", DEARER).await.unwrap();
    let again = announce(&world, "december", DEARER).await.unwrap();
    assert_eq!(first, again);
    world.restart().await;
    assert_eq!(announce(&world, "december", DEARER).await.unwrap(), first);
    for home in [BUYER, SELLER, OTHER] {
        let told = notices(&world, Some(home), "tariff_announced").await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            told[0].en,
            "From 15 Jan 11:30 power costs KSh 44.00/kWh (now 40.00); sold back at 12.00."
        );
        assert!(told[0].sw.contains("KSh 44.00"), "{}", told[0].sw);
    }
    assert_eq!(notices(&world, Some(GENERATOR), "tariff_announced").await, []);
    let refused = announce(&world, "december", TARIFF).await.unwrap_err();
    assert!(matches!(refused, SettlementError::KeyReused), "{refused}");
    assert_eq!(world.store.tariffs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_announced_is_refused_by_code_and_nothing_changes() {
    let world = World::new().await;
    world.pass(950).await;
    let bad = Tariff { buy_back: Price(4_500), ..DEARER };
    let at = |seconds| START.plus_seconds(seconds);
    for (key, from, tariff, code) in [
        ("past", at(900), DEARER, "market.tariff_in_past"),
        ("first", Timestamp(0), DEARER, "market.tariff_in_past"),
        ("off", at(1_801), DEARER, "market.tariff_off_slot"),
        ("dear", at(1_800), bad, "market.no_margin"),
        ("free", at(1_800), Tariff { buy_back: Price(0), ..DEARER }, "market.buy_back_zero"),
        ("high", at(1_800), Tariff { retail: Price(1_000_001), ..DEARER }, "market.retail_too_high"),
        ("", at(1_800), DEARER, "settlement.invalid_key"),
    ] {
        let refused = world.settlement.announce_tariff("Grace", key, from, tariff).await.unwrap_err();
        assert_eq!((refused.code().as_str(), refused.fault()), (code, Fault::Invalid), "{refused}");
    }
    let nobody = world.settlement.announce_tariff(" ", "key", at(1_800), DEARER).await.unwrap_err();
    assert_eq!(nobody.code(), "review.invalid_operator");
    let kept = world.store.tariffs().await.unwrap();
    assert_eq!((kept.len(), kept[0].tariff, kept[0].from), (1, TARIFF, Timestamp(0)));
    assert_eq!(notices(&world, Some(BUYER), "tariff_announced").await, []);
    to(&world, 1_900).await;
    assert_eq!(world.chain.bounds(), Some(TARIFF));
}

#[tokio::test]
async fn an_offer_outside_the_new_bounds_is_sold_to_nobody_and_its_owner_is_told_once() {
    let mut world = World::new().await;
    let dear = world.offer(SELLER, 2_000, 3_500).await;
    let cheap = world.offer(GENERATOR, 2_000, 1_100).await;
    let fits = world.offer(SELLER, 2_000, 2_000).await;
    world.prepay(BUYER, 50_000).await;
    let lower = Tariff { retail: Price(3_800), buy_back: Price(1_200), ..TARIFF };
    announce(&world, "lower", lower).await.unwrap();
    to(&world, 1_801).await;
    world.restart().await;
    world.pass(60).await;
    let [told] = notices(&world, Some(SELLER), "offer_too_dear").await.try_into().unwrap();
    assert!(told.en.contains("35.00") && told.en.contains("33.40"), "{}", told.en);
    assert_eq!(notices(&world, Some(GENERATOR), "offer_too_cheap").await.len(), 1);
    // All that is left to buy is the one that fits.
    let order = world.buy(BUYER, 2_000, PayWith::Balance, "all").await.unwrap();
    assert_eq!((order.state, order.fills[0].offer), (OrderState::Settled, fits.id));
    let refused = world.buy(BUYER, 100, PayWith::Balance, "more").await.unwrap_err();
    assert_eq!(refused.code(), "market.nothing_on_offer");
    for (seller, offer) in [(SELLER, dear), (GENERATOR, cheap)] {
        let back = world.settlement.cancel_offer(seller, offer.id).await.unwrap();
        assert_eq!(back.state, OfferState::Closed);
    }
    world.is_sound().await;
}

#[tokio::test]
async fn without_the_admins_key_the_operator_is_told_and_nothing_is_sold_until_the_bounds_are_set() {
    let world = World::new().await;
    world.offer(SELLER, 4_000, 2_000).await;
    world.prepay(BUYER, 10_000).await;
    world.chain.set_other_admin(true);
    announce(&world, "december", DEARER).await.unwrap();
    to(&world, 1_900).await;
    let refused = world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap_err();
    assert_eq!((refused.code().as_str(), refused.fault()), ("settlement.tariff_pending", Fault::Unavailable));
    world.pass(700).await;
    let told = notices(&world, None, "tariff_bounds").await;
    let [told] = told.as_slice() else { panic!("{told:?}") };
    let command = "jirani chain set-tariff --retail 4400 --buy-back 1200 --grid-fee 500 --tax 260";
    assert!(told.en.contains(command) && told.sw.contains(command), "{told:?}");
    world.chain.set_bounds(DEARER);
    let order = world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    assert_eq!((order.state, order.due), (OrderState::Settled, Cents(2_760)));
    world.is_sound().await;
}

#[tokio::test]
async fn an_order_on_its_way_to_the_chain_gets_there_before_the_bounds_change() {
    let world = World::new().await;
    announce(&world, "december", DEARER).await.unwrap();
    to(&world, 1_799).await;
    world.offer(SELLER, 4_000, 2_000).await;
    world.chain.hold_after_sending("place/");
    let settlement = world.settlement.clone();
    let buying = tokio::spawn(async move {
        let want = Want::Energy(Wh(1_000));
        settlement.place_order(BUYER, want, PayWith::Mpesa, None, "order").await
    });
    while world.store.outbox("place/1").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    // The prices change while the node keeps silent about the order.
    world.clock.advance_to(CHANGE.plus_seconds(2));
    world.chain.let_go();
    let order = buying.await.unwrap().unwrap();
    assert_eq!((order.state, order.fee), (OrderState::AwaitingPayment, Price(300)), "{:?}", order.refusal);
    world.pass(5).await;
    assert_eq!(world.chain.bounds(), Some(DEARER));
}

#[tokio::test]
async fn other_settings_are_announced_for_the_next_quarter_and_price_no_past_anew() {
    let mut world = World::new().await;
    world.pass(950).await;
    let first = START.plus_seconds(100);
    world.settings = DEARER;
    world.restart().await;
    assert_eq!(world.chain.bounds(), Some(TARIFF), "not before the quarter of an hour");
    to(&world, 1_801).await;
    assert_eq!(world.chain.bounds(), Some(DEARER));
    assert_eq!(notices(&world, Some(BUYER), "tariff_announced").await.len(), 1);
    // Started again with the same settings, nothing is announced; what the operator
    // announces stays over a restart.
    let own = Tariff { retail: Price(4_500), ..DEARER };
    world.settlement.announce_tariff("Grace", "own", START.plus_seconds(3_600), own).await.unwrap();
    world.restart().await;
    let records = world.store.tariffs().await.unwrap();
    let origins: Vec<TariffOrigin> = records.iter().map(|record| record.origin).collect();
    assert_eq!(origins, [TariffOrigin::Settings, TariffOrigin::Settings, TariffOrigin::Operator]);
    let states: Vec<TariffState> =
        list_tariffs(&records, world.clock.now()).iter().map(|one| one.state).collect();
    assert_eq!(states, [TariffState::Past, TariffState::InForce, TariffState::Announced]);
    let schedule = jirani_store::schedule_of(&records).unwrap();
    assert_eq!(schedule.in_force(first), Some(&TARIFF));
    to(&world, 3_601).await;
    assert_eq!(world.chain.bounds(), Some(own));
}
