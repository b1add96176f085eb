//! Offers: posted, refused, cancelled, expired, sold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod world;

use jirani_market::AttestedPolicy;
use jirani_market::rule::{Acting, SellRule};
use jirani_settlement::{Fault, SettlementError};
use jirani_store::{AttestedMeterRecord, Change, OfferState, PayWith, Store as _};
use jirani_units::{Clock as _, Price, Trust, Wh};
use world::chain::ChainFault;
use world::mpesa::{Fate, stk_refused};
use world::{BUYER, GENERATOR, OTHER, SELLER, TARIFF, World};

const DAY_S: u32 = 86_400;

async fn post(
    world: &World,
    energy_wh: u64,
    price: u32,
    expires_in_s: u32,
) -> Result<OfferState, SettlementError> {
    let key = format!("{energy_wh}-{price}-{expires_in_s}");
    let posted = world.settlement.post_offer(SELLER, Wh(energy_wh), Price(price), expires_in_s, &key).await;
    posted.map(|offer| offer.state)
}

#[tokio::test]
async fn an_offer_is_open_once_its_tokens_are_in_escrow() {
    let world = World::new().await;
    assert_eq!(post(&world, 4_000, 1_500, DAY_S).await.unwrap(), OfferState::Open);
    assert_eq!(world.chain.vault(SELLER), 6_000);
    world.is_sound().await;
}

#[tokio::test]
async fn who_owes_energy_or_has_too_little_cannot_sell() {
    let world = World::new().await;
    let refused = post(&world, 10_001, 1_500, DAY_S).await.unwrap_err();
    assert!(matches!(refused, SettlementError::VaultTooSmall { vault: Wh(10_000) }), "{refused}");
    world.chain.set_shortfall(SELLER, 5);
    let refused = post(&world, 1_000, 1_500, DAY_S).await.unwrap_err();
    assert!(matches!(refused, SettlementError::Shortfall { shortfall: Wh(5) }), "{refused}");
    assert!(world.store.live_offers().await.unwrap().is_empty());
}

#[tokio::test]
async fn prices_and_lives_out_of_bounds_are_refused_before_anything_is_stored() {
    let world = World::new().await;
    for (price, expires_in_s) in [(999, DAY_S), (3_541, DAY_S), (1_500, 59), (1_500, 2_592_001)] {
        let refused = post(&world, 1_000, price, expires_in_s).await.unwrap_err();
        assert!(refused.code().starts_with("market."), "{refused}");
    }
    for (price, expires_in_s) in [(1_000, 60), (3_540, 2_592_000)] {
        assert_eq!(post(&world, 1_000, price, expires_in_s).await.unwrap(), OfferState::Open);
    }
    world.is_sound().await;
}

#[tokio::test]
async fn an_offer_by_hand_is_of_a_tenth_of_a_kilowatt_hour_at_least() {
    let world = World::new().await;
    let refused = post(&world, 99, 1_000, DAY_S).await.unwrap_err();
    assert_eq!((refused.fault(), refused.code().as_str()), (Fault::Invalid, "market.energy_out_of_bounds"));
    assert_eq!(refused.message(), "an offer holds between 0.100 kWh and 4294967.295 kWh");
    assert_eq!(post(&world, 100, 1_000, DAY_S).await.unwrap(), OfferState::Open);
}

#[tokio::test]
async fn a_seller_has_48_offers_by_hand_at_once_and_learns_it_in_words() {
    let world = World::new().await;
    let post = async |n: usize| {
        world.settlement.post_offer(SELLER, Wh(100), Price(1_500), DAY_S, &format!("offer-{n}")).await
    };
    let first = post(0).await.unwrap();
    for n in 1..48 {
        assert_eq!(post(n).await.unwrap().state, OfferState::Open);
    }
    let refused = post(48).await.unwrap_err();
    assert_eq!((refused.fault(), refused.code().as_str()), (Fault::Conflict, "market.too_many_offers"));
    assert_eq!(post(47).await.unwrap().state, OfferState::Open, "asked again, it is the one that was made");
    world.settlement.cancel_offer(SELLER, first.id).await.unwrap();
    let together = futures::future::join_all((48..52).map(post)).await;
    assert_eq!(together.iter().filter(|offer| offer.is_ok()).count(), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn what_another_offer_is_being_posted_with_is_not_offered_twice() {
    let world = World::new().await;
    let (one, other) = tokio::join!(post(&world, 6_000, 1_500, DAY_S), post(&world, 6_000, 1_600, DAY_S));
    let (open, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(open.unwrap(), OfferState::Open);
    let refused = refused.unwrap_err();
    assert!(matches!(refused, SettlementError::VaultTooSmall { vault: Wh(4_000) }), "{refused}");
    assert_eq!(world.chain.vault(SELLER), 4_000);
    // What is refused frees its energy for who waited for it.
    world.chain.order_fault("post/", ChainFault::Refuse("energy.paused"));
    let (one, other) = tokio::join!(post(&world, 3_000, 1_500, DAY_S), post(&world, 3_001, 1_500, DAY_S));
    let mut states = [one.unwrap(), other.unwrap()].map(|state| state == OfferState::Open);
    states.sort_unstable();
    assert_eq!(states, [false, true]);
    world.is_sound().await;
}

#[tokio::test]
async fn scraps_at_the_lowest_price_keep_nobody_from_buying() {
    let world = World::new().await;
    world.leave_scraps(OTHER, 1_000, 9).await;
    world.leave_scraps(OTHER, 300, 20).await;
    let offer = world.offer(SELLER, 8_000, 2_000).await;
    let order = world.buy(BUYER, 1_000, PayWith::Mpesa, "unpaid").await.unwrap();
    assert_eq!(order.fills.last().map(|fill| fill.offer), Some(offer.id));
}

#[tokio::test]
async fn one_key_makes_one_offer() {
    let world = World::new().await;
    let ask = |wh| world.settlement.post_offer(SELLER, Wh(wh), Price(1_500), DAY_S, "key");
    let (first, second) = (ask(1_000).await.unwrap(), ask(1_000).await.unwrap());
    assert_eq!(first.id, second.id);
    assert!(matches!(ask(2_000).await.unwrap_err(), SettlementError::KeyReused));
    let together = futures::future::join_all(
        (0..8).map(|_| world.settlement.post_offer(SELLER, Wh(1_000), Price(1_600), DAY_S, "together")),
    );
    let ids: Vec<_> = together.await.into_iter().map(|offer| offer.unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(world.chain.vault(SELLER), 8_000);
    world.is_sound().await;
}

#[tokio::test]
async fn an_offer_the_chain_refuses_says_why_and_holds_nothing() {
    let world = World::new().await;
    world.chain.order_fault("post/", ChainFault::Refuse("energy.too_many_open"));
    let offer = world.settlement.post_offer(SELLER, Wh(1_000), Price(1_500), DAY_S, "key").await.unwrap();
    assert_eq!((offer.state, offer.refusal.as_deref()), (OfferState::Refused, Some("energy.too_many_open")));
    assert_eq!(world.chain.vault(SELLER), 10_000);
}

#[tokio::test]
async fn a_cancelled_offer_is_back_in_the_vault() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 4_000, 1_500).await;
    assert!(matches!(
        world.settlement.cancel_offer(OTHER, offer.id).await.unwrap_err(),
        SettlementError::UnknownOffer
    ));
    for _ in 0..2 {
        let offer = world.settlement.cancel_offer(SELLER, offer.id).await.unwrap();
        assert_eq!(offer.state, OfferState::Closed);
    }
    assert_eq!(world.chain.vault(SELLER), 10_000);
    world.is_sound().await;
}

#[tokio::test]
async fn an_expired_offer_is_back_in_the_vault() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 4_000, 1_500).await;
    world.pass(i64::from(DAY_S) - 1).await;
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Open);
    world.pass(1).await;
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    assert_eq!(world.chain.vault(SELLER), 10_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_cancelled_offer_waits_for_the_order_that_holds_a_part_of_it() {
    let world = World::new().await;
    let order = world.order().await;
    let offer = order.fills[0].offer;
    assert_eq!(world.settlement.cancel_offer(SELLER, offer).await.unwrap().state, OfferState::Closing);
    let refused = world.buy(OTHER, 1_000, PayWith::Mpesa, "other").await.unwrap_err();
    assert!(refused.code().starts_with("market."), "a closing offer takes no orders: {refused}");
    assert_eq!(world.chain.vault(SELLER), 9_000, "what no order holds is back at once");
    let prompt = world.mpesa.prompt();
    world.stk(&prompt, stk_refused(&prompt, "1032")).await;
    assert_eq!(world.offer_now(offer).await.state, OfferState::Closed);
    assert_eq!(world.chain.vault(SELLER), 10_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_sold_out_offer_is_closed_and_counts_no_more_on_chain() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 1_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    world.buy(BUYER, 1_000, PayWith::Balance, "all of it").await.unwrap();
    world.clock.idle().await;
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    assert_eq!(world.chain.offers(), 0);
    world.is_sound().await;
}

#[tokio::test]
async fn an_unpaid_buyer_holds_a_quarter_of_an_offer_at_most() {
    let world = World::new().await;
    world.offer(SELLER, 4_000, 1_500).await;
    let refused = world.buy(BUYER, 1_001, PayWith::Mpesa, "too much").await.unwrap_err();
    assert_eq!(refused.code(), "market.unpaid_share");
    world.buy(BUYER, 1_000, PayWith::Mpesa, "a quarter").await.unwrap();
    world.prepay(OTHER, 10_000).await;
    world.buy(OTHER, 3_000, PayWith::Balance, "the rest").await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn nobody_buys_from_oneself() {
    let world = World::new().await;
    world.offer(SELLER, 4_000, 1_500).await;
    let refused = world.buy(SELLER, 100, PayWith::Balance, "own").await.unwrap_err();
    assert_eq!(refused.code(), "market.nothing_on_offer");
}

#[tokio::test]
async fn three_unpaid_orders_in_an_hour_close_the_market_for_an_hour_but_not_to_a_balance() {
    let world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    for number in 0..3 {
        world.buy(BUYER, 100, PayWith::Mpesa, &format!("unpaid-{number}")).await.unwrap();
        let prompt = world.mpesa.prompt();
        world.stk(&prompt, stk_refused(&prompt, "1032")).await;
    }
    for number in 0..3 {
        world.mpesa.push_fate(Fate::Refused);
        world.buy(OTHER, 100, PayWith::Mpesa, &format!("unasked-{number}")).await.unwrap();
    }
    world.buy(OTHER, 100, PayWith::Mpesa, "asked").await.expect("who was never asked left nothing unpaid");
    let refused = world.buy(BUYER, 100, PayWith::Mpesa, "fourth").await.unwrap_err();
    assert_eq!((refused.code().as_str(), refused.fault()), ("market.too_many_unpaid", Fault::Limited));
    world.prepay(BUYER, 1_000).await;
    world.buy(BUYER, 100, PayWith::Balance, "from balance").await.unwrap();
    world.pass(3_600).await;
    world.buy(BUYER, 100, PayWith::Mpesa, "an hour later").await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn a_close_that_the_chain_refuses_for_now_is_asked_for_again() {
    let world = World::new().await;
    let offer = world.offer(SELLER, 4_000, 1_500).await;
    for _ in 0..3 {
        world.chain.order_fault("close/", ChainFault::Refuse("energy.offer_not_returnable"));
    }
    let cancelled = world.settlement.cancel_offer(SELLER, offer.id).await.unwrap();
    assert_eq!(cancelled.state, OfferState::Closing);
    world.pass(15 + 30 + 60).await;
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    assert_eq!(world.chain.vault(SELLER), 10_000);
    world.is_sound().await;
}

#[tokio::test]
async fn buyers_who_race_for_one_offer_never_get_more_than_there_is() {
    let world = World::new().await;
    world.offer(SELLER, 8_000, 1_500).await;
    for buyer in [BUYER, OTHER] {
        world.prepay(buyer, 100_000).await;
    }
    let race = (0..12).map(|number| {
        let (settlement, buyer) = (world.settlement.clone(), if number % 2 == 0 { BUYER } else { OTHER });
        tokio::spawn(async move {
            let want = jirani_settlement::Want::Energy(Wh(1_000));
            settlement.place_order(buyer, want, PayWith::Balance, None, &format!("race-{number}")).await
        })
    });
    let (mut bought, mut refused) = (0, 0);
    for order in futures::future::join_all(race).await {
        match order.unwrap() {
            Ok(_) => bought += 1,
            Err(error) => {
                assert!(error.code().starts_with("market."), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!((bought, refused), (8, 4));
    assert_eq!(world.chain.vault(BUYER) + world.chain.vault(OTHER), 8_000);
    world.is_sound().await;
}

#[tokio::test]
async fn what_only_the_site_vouches_for_is_sold_within_the_policy() {
    let world = World::new().await;
    let seller = world.store.household(SELLER).await.unwrap().unwrap();
    let max = TARIFF.offer_price_max().0;
    let ask_max = AttestedPolicy::default().ask_max(&TARIFF, Trust::GatewayAttested).unwrap().0;
    // A meter that signs by itself may ask the highest price.
    assert_eq!(post(&world, 1_000, max, DAY_S).await.unwrap(), OfferState::Open);
    let record = AttestedMeterRecord {
        meter: seller.meter.unwrap(),
        device: "shelly".to_owned(),
        since: world.clock.now(),
    };
    world.store.commit(vec![Change::AttestedMeter(record)]).await.unwrap();
    let refused = post(&world, 1_001, ask_max + 1, DAY_S).await.unwrap_err();
    assert_eq!((refused.code().as_str(), refused.fault()), ("market.attested_price", Fault::Invalid));
    assert_eq!(post(&world, 1_001, ask_max, DAY_S).await.unwrap(), OfferState::Open);
    // A rule's floor is an ask too.
    let sell =
        |floor: u32| SellRule { keep_wh: Wh(0), floor_cents_per_kwh: Price(floor), acting: Acting::Act };
    let refused = world.settlement.set_rules(SELLER, Some(sell(ask_max + 1)), None).await.unwrap_err();
    assert_eq!(refused.code(), "market.attested_price");
    world.settlement.set_rules(SELLER, Some(sell(ask_max)), None).await.unwrap();
    // The operator's own records are not bound.
    let generator = world.store.household(GENERATOR).await.unwrap().unwrap();
    let record = AttestedMeterRecord {
        meter: generator.meter.unwrap(),
        device: "generator".to_owned(),
        since: world.clock.now(),
    };
    world.store.commit(vec![Change::AttestedMeter(record)]).await.unwrap();
    let posted = world.settlement.post_offer(GENERATOR, Wh(1_000), Price(max), DAY_S, "own").await.unwrap();
    assert_eq!(posted.state, OfferState::Open);
    world.is_sound().await;
}
