//! Calls of slots: rules set by households, a slot attested, and what comes of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod world;

use jirani_market::call::{Draw, Plan, clear};
use jirani_market::rule::{Acting, BuyRule, Cover, Edit, SellRule};
use jirani_settlement::CallBook;
use jirani_settlement::interruption::Moment;
use jirani_store::{
    CallRecord, CallState, OfferRecord, OfferState, OrderRecord, OrderState, PayWith, Store as _,
};
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Slot, Wh};
use world::chain::ChainFault;
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

#[expect(clippy::unnecessary_wraps, reason = "rules are set as they may be: one, or none")]
fn sell(keep_wh: u64, floor: u32) -> Option<SellRule> {
    Some(SellRule { keep_wh: Wh(keep_wh), floor_cents_per_kwh: Price(floor), acting: Acting::Act })
}

#[expect(clippy::unnecessary_wraps, reason = "rules are set as they may be: one, or none")]
fn keep(in_hand_wh: u64, price: u32, budget: i64) -> Option<BuyRule> {
    Some(BuyRule {
        cover: Cover::InHand(Wh(in_hand_wh)),
        price_max_cents_per_kwh: Price(price),
        budget_per_day_cents: Cents(budget),
        acting: Acting::Act,
    })
}

/// A village whose operator has no record on the feeder: calls among households only.
async fn households() -> World {
    let world = World::new().await;
    world.move_to_feeder(GENERATOR, 9).await;
    world
}

/// The seller sells above 2 kWh from 15.00; a buyer with KSh 100 keeps 1 kWh in hand at up
/// to 30.00 all in.
async fn market() -> World {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.settlement.set_rules(SELLER, sell(2_000, 1_500), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world
}

async fn last(world: &World) -> CallRecord {
    world.store.calls(1, 1).await.unwrap().remove(0)
}

/// What rules have told a household, newest first.
async fn told(world: &World, household: HouseholdId) -> Vec<String> {
    let notices = world.store.notices_of(Some(household), 20).await.unwrap();
    notices.into_iter().map(|notice| notice.code).filter(|code| code.starts_with("rule_")).collect()
}

async fn open(world: &World, seller: HouseholdId) -> Vec<OfferRecord> {
    let mut offers = world.store.offers_of(seller, 100).await.unwrap();
    offers.retain(|offer| offer.state == OfferState::Open);
    offers
}

#[tokio::test]
async fn rules_meet_at_one_price_after_a_slot_and_what_is_left_is_put_up() {
    let world = market().await;
    world.slot().await;
    // More is for sale than wanted: the seller's floor decides.
    let call = last(&world).await;
    let book = CallBook::read(&call.book).unwrap();
    assert_eq!((call.state, book.price, book.volume_wh), (CallState::Done, Some(Price(1_500)), 1_000));
    assert_eq!((world.chain.vault(BUYER), world.available(BUYER).await), (1_000, 10_000 - 1_960));
    assert_eq!(world.available(SELLER).await, 1_500);
    let orders = world.store.orders_of(BUYER, 10).await.unwrap();
    assert_eq!((orders.len(), orders[0].state, orders[0].due), (1, OrderState::Settled, Cents(1_960)));
    assert_eq!(orders[0].key, format!("@buy/{}/1/0", call.slot.start));
    // Seven of ten kilowatt-hours are left above the two that stay.
    let put = open(&world, SELLER).await;
    assert_eq!((put.len(), put[0].energy_wh, put[0].price), (1, Wh(7_000), Price(1_500)));
    assert_eq!(world.chain.vault(SELLER), 2_000);
    world.is_sound().await;
    // Who pays by M-Pesa finds it.
    let order = world.buy(OTHER, 1_000, PayWith::Mpesa, "by-hand").await.unwrap();
    assert_eq!(order.fills[0].offer, put[0].id);
}

#[tokio::test]
async fn a_call_is_made_once_whatever_is_told_again() {
    let mut world = market().await;
    world.slot().await;
    let balances = (world.available(BUYER).await, world.available(SELLER).await);
    for _ in 0..3 {
        world.tell_again().await;
    }
    world.restart().await;
    world.tell_again().await;
    assert_eq!(world.store.calls(1, 10).await.unwrap().len(), 1);
    assert_eq!((world.available(BUYER).await, world.available(SELLER).await), balances);
    assert_eq!(world.store.orders_of(BUYER, 10).await.unwrap().len(), 1);
    // The next slot finds nothing missing and nothing new to sell.
    world.slot().await;
    assert_eq!(world.store.orders_of(BUYER, 10).await.unwrap().len(), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn anybody_can_clear_a_call_again_from_what_is_kept() {
    let world = market().await;
    world.prepay(OTHER, 10_000).await;
    world.settlement.set_rules(OTHER, None, keep(9_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    world.slot().await;
    let call = last(&world).await;
    let book = CallBook::read(&call.book).unwrap();
    assert_eq!(book.beacon, World::evidence(1), "the draw hangs on the slot before");
    let draw = Draw::open(&book.commitment, book.seed, book.beacon, call.slot).unwrap();
    assert_eq!(clear(&book.book().unwrap(), &draw), book.outcome());
    // The chain of seeds leads to the number that was published before the rules were set.
    let first = world.store.calls(1, 10).await.unwrap().pop().unwrap();
    let before = CallBook::read(&first.book).unwrap();
    assert_eq!(book.commitment, before.seed, "each seed is bound by the one before");
    let length = i64::from(call.slot.length_s) * 35_040;
    let number = call.slot.start.seconds() / length;
    let published = world.store.setting(&format!("market.draws/900/{number}")).await.unwrap().unwrap();
    let mut bound = book.seed;
    for _ in 0..=(call.slot.start.seconds() % length / 900) {
        bound = Draw::commitment(&bound);
    }
    assert_eq!(published, hex::encode(bound));
}

#[tokio::test]
async fn a_crash_after_the_plan_goes_on_with_the_same_plan() {
    let mut world = market().await;
    world.chain.set_down(true);
    world.begin_slot().await;
    world.until(async |world| !world.store.live_calls().await.unwrap().is_empty()).await;
    let planned = last(&world).await;
    assert_eq!(planned.state, CallState::Settling);
    let due = world.store.live_orders().await.unwrap()[0].due;
    assert_eq!(world.available(BUYER).await, 10_000 - due.0, "the money is bound with the plan");
    world.stop().await;
    world.chain.set_down(false);
    // Meanwhile the rules are others: the plan stays what it is.
    world.settlement.set_rules(SELLER, sell(9_000, 3_000), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(3_000, 2_000, 1_000)).await.unwrap();
    world.restart_stopped().await;
    world.clock.idle().await;
    let call = last(&world).await;
    assert_eq!((call.state, &call.book), (CallState::Done, &planned.book));
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
    world.is_sound().await;
}

#[tokio::test]
async fn a_crash_at_every_moment_of_a_call_changes_nothing_of_its_end() {
    let moments = [
        Moment::CallCleared,
        Moment::OfferPosted,
        Moment::CallPosted,
        Moment::OrderSettled,
        Moment::CallSettled,
    ];
    for moment in moments {
        let mut world = market().await;
        world.restart_to_crash_at(moment).await;
        world.begin_slot().await;
        world.restart_crashed().await;
        world.clock.idle().await;
        let call = last(&world).await;
        assert_eq!(call.state, CallState::Done, "{moment:?}");
        assert_eq!(world.store.calls(1, 10).await.unwrap().len(), 1, "{moment:?}");
        assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
        assert_eq!(open(&world, SELLER).await.len(), 1, "{moment:?}: put up once");
        world.is_sound().await;
    }
}

#[tokio::test]
async fn whatever_the_node_does_not_answer_a_call_ends_once() {
    for key in ["post/", "place/"] {
        for fault in [ChainFault::SilentBefore, ChainFault::SilentAfter] {
            let mut world = market().await;
            world.chain.order_fault(key, fault);
            world.begin_slot().await;
            world.restart().await;
            world.clock.idle().await;
            assert_eq!(last(&world).await.state, CallState::Done, "{key} {fault:?}");
            assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
            world.is_sound().await;
        }
    }
}

/// Of the order that ended, what was not the refused seller's is sold by another of the
/// same key, for less than the first held.
async fn is_innocent_sold(world: &World, refused: &OrderRecord) {
    let mut left = Vec::new();
    for fill in &refused.fills {
        if world.offer_now(fill.offer).await.state != OfferState::Refused {
            left.push(*fill);
        }
    }
    assert!(!left.is_empty() && left.len() < refused.fills.len());
    let again = world.store.order_by_key(refused.buyer, &format!("{}/again", refused.key)).await.unwrap();
    let again = again.unwrap();
    assert_eq!((again.state, &again.fills), (OrderState::Settled, &left));
    assert!(again.due < refused.due);
    for fill in left {
        let earned = world.available(fill.seller).await;
        assert!(earned >= i64::from(fill.energy_wh) * i64::from(fill.price.0) / 1_000, "{earned}");
    }
}

#[tokio::test]
async fn a_crash_while_a_refused_offers_order_is_made_anew_changes_nothing_of_its_end() {
    for moment in [Moment::OfferPosted, Moment::CallPosted, Moment::OrderSettled, Moment::CallSettled] {
        let mut world = market().await;
        world.chain.enrol_more(OTHER, 3_000);
        world.settlement.set_rules(OTHER, sell(1_000, 1_500), None).await.unwrap();
        world.settlement.set_rules(BUYER, None, keep(9_000, 3_000, 30_000)).await.unwrap();
        world.prepay(BUYER, 30_000).await;
        world.chain.order_fault("post/", ChainFault::Refuse("energy.vault_too_small"));
        world.restart_to_crash_at(moment).await;
        world.begin_slot().await;
        world.restart_crashed().await;
        world.clock.idle().await;
        assert_eq!(last(&world).await.state, CallState::Done, "{moment:?}");
        let orders = world.store.orders_of(BUYER, 10).await.unwrap();
        assert_eq!(orders.len(), 2, "{moment:?}");
        is_innocent_sold(&world, orders.iter().find(|order| order.state == OrderState::Refused).unwrap())
            .await;
        world.is_sound().await;
    }
}

#[tokio::test]
async fn who_offers_all_one_may_by_hand_still_sells_by_rule() {
    let world = market().await;
    for n in 0..64 {
        let key = format!("lot-{n}");
        // Those beyond what one may have are refused.
        let _ = world.settlement.post_offer(SELLER, Wh(100), Price(3_540), 86_400, &key).await;
    }
    world.slot().await;
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
    world.is_sound().await;
}

#[tokio::test]
async fn a_refused_offer_drops_its_purchases_and_nothing_else() {
    let world = market().await;
    world.chain.enrol_more(OTHER, 3_000);
    world.settlement.set_rules(OTHER, sell(1_000, 1_500), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(9_000, 3_000, 30_000)).await.unwrap();
    world.prepay(BUYER, 30_000).await;
    // The first of two sellers sold its tokens by hand in the same moment.
    world.chain.order_fault("post/", ChainFault::Refuse("energy.vault_too_small"));
    world.slot().await;
    let call = last(&world).await;
    let book = CallBook::read(&call.book).unwrap();
    assert_eq!((call.state, book.volume_wh), (CallState::Done, 9_000));
    let orders = world.store.orders_of(BUYER, 10).await.unwrap();
    let refused: Vec<_> = orders.iter().filter(|order| order.state == OrderState::Refused).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].refusal.as_deref(), Some("market.offer_refused"));
    is_innocent_sold(&world, refused[0]).await;
    let paid: i64 =
        orders.iter().filter(|order| order.state == OrderState::Settled).map(|order| order.due.0).sum();
    assert_eq!(world.available(BUYER).await, 40_000 - paid, "what was not bought is back");
    world.is_sound().await;
    // The next slot acts anew.
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 9_000);
    world.is_sound().await;
}

#[tokio::test]
async fn an_order_that_the_chain_refuses_returns_its_money() {
    let world = market().await;
    world.chain.order_fault("place/", ChainFault::Refuse("energy.daily_cap"));
    world.slot().await;
    assert_eq!(last(&world).await.state, CallState::Done);
    assert_eq!((world.available(BUYER).await, world.available(SELLER).await), (10_000, 0));
    world.is_sound().await;
}

#[tokio::test]
async fn an_open_offer_at_the_calls_price_sells_as_it_stands() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    let offer = world.offer(SELLER, 8_000, 1_500).await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!((book.price, book.volume_wh), (Some(Price(1_500)), 1_000));
    let offer = world.offer_now(offer.id).await;
    assert_eq!((offer.state, offer.sold_wh), (OfferState::Open, Wh(1_000)));
    assert_eq!(world.store.offers_of(SELLER, 10).await.unwrap().len(), 1);
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
    world.is_sound().await;
}

#[tokio::test]
async fn a_cheaper_open_offer_earns_the_calls_price_and_not_its_own() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.chain.enrol_more(OTHER, 5_000);
    let offer = world.offer(SELLER, 400, 1_200).await;
    world.settlement.set_rules(OTHER, sell(0, 1_500), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    let call = last(&world).await;
    assert_eq!(CallBook::read(&call.book).unwrap().price, Some(Price(1_500)));
    assert_eq!((world.available(SELLER).await, world.available(OTHER).await), (600, 900));
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    assert_eq!((call.state, world.chain.vault(SELLER)), (CallState::Done, 10_000 - 400));
    world.is_sound().await;
}

#[tokio::test]
async fn scraps_of_offers_do_not_stand_in_a_call_and_hide_nobody_who_does() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.leave_scraps(OTHER, 1_001, 9).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!((book.asks.len(), book.price), (1, Some(Price(1_500))));
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
}

#[tokio::test]
async fn a_call_sees_every_offer_and_not_the_cheapest_thousand() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.leave_scraps(OTHER, 1_000, 10).await;
    world.move_to_feeder(OTHER, 2).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (1_000, 1_500));
}

#[tokio::test]
async fn an_offer_of_who_owes_energy_stands_out_of_a_call() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.chain.enrol_more(OTHER, 5_000);
    let offer = world.offer(SELLER, 4_000, 1_200).await;
    world.settlement.set_rules(OTHER, sell(0, 1_500), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.chain.take(SELLER, 6_000);
    world.chain.set_shortfall(SELLER, 500);
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert!(book.asks.iter().all(|line| line.0 == OTHER), "{:?}", book.asks);
    assert_eq!((world.chain.vault(BUYER), world.available(OTHER).await), (1_000, 1_500));
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Open);
    // What comes back is burned, as the program does.
    assert_eq!(world.settlement.cancel_offer(SELLER, offer.id).await.unwrap().state, OfferState::Closed);
    assert_eq!(world.chain.vault(SELLER), 3_500);
    world.is_sound().await;
}

#[tokio::test]
async fn a_rule_does_not_sell_what_an_offer_is_being_posted_with() {
    let world = market().await;
    world.attest_quietly().await;
    world.chain.hold_after_sending("post/1");
    let settlement = world.settlement.clone();
    let posting = tokio::spawn(async move {
        settlement.post_offer(SELLER, Wh(7_600), Price(3_500), 86_400, "by-hand").await.unwrap()
    });
    world.until(async |world| !world.store.live_offers().await.unwrap().is_empty()).await;
    world.tell().await;
    world.until(async |world| !world.store.calls(1, 1).await.unwrap().is_empty()).await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!(book.asks.iter().map(|line| (line.0, line.2)).collect::<Vec<_>>(), [(SELLER, 400)]);
    world.chain.let_go();
    assert_eq!(posting.await.unwrap().state, OfferState::Open);
    world.clock.idle().await;
    assert_eq!((world.chain.vault(BUYER), world.chain.vault(SELLER)), (400, 2_000));
    world.is_sound().await;
}

#[tokio::test]
async fn what_one_seller_posts_after_a_call_is_numbered_together() {
    let world = households().await;
    world.prepay(BUYER, 50_000).await;
    world.chain.enrol_more(OTHER, 10_000);
    for price in [1_200, 1_250, 1_300, 1_350] {
        for seller in [SELLER, OTHER] {
            world.offer(seller, 500, price).await;
        }
    }
    for seller in [SELLER, OTHER] {
        world.settlement.set_rules(seller, sell(0, 1_500), None).await.unwrap();
    }
    world.settlement.set_rules(BUYER, None, keep(6_000, 3_000, 50_000)).await.unwrap();
    world.slot().await;
    for seller in [SELLER, OTHER] {
        let mut offers = world.store.offers_of(seller, 100).await.unwrap();
        offers.retain(|offer| offer.key.starts_with('@'));
        // Newest first: four cheap ones, what the rule sold, what it put up.
        let numbers: Vec<u64> = offers.iter().map(|offer| offer.id.0).collect();
        assert!(numbers.len() >= 5, "{numbers:?}");
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");
    }
    assert_eq!(world.chain.vault(BUYER), 6_000);
    world.is_sound().await;
}

#[tokio::test]
async fn money_spent_between_plan_and_orders_drops_only_its_purchases() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    let offer = world.offer(SELLER, 1_000, 1_500).await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.chain.set_down(true);
    world.begin_slot().await;
    world.until(async |world| !world.store.live_calls().await.unwrap().is_empty()).await;
    let call = last(&world).await;
    let price = CallBook::read(&call.book).unwrap().price;
    // Halfway between what the seller wants, 15.00, and what the buyer would pay, 25.40.
    assert_eq!((call.state, price), (CallState::Cleared, Some(Price(2_020))));
    world.settlement.request_payout(BUYER, Cents(9_900), "all").await.unwrap();
    world.chain.set_down(false);
    world.clock.idle().await;
    assert_eq!(last(&world).await.state, CallState::Done);
    assert!(world.store.orders_of(BUYER, 10).await.unwrap().is_empty());
    assert_eq!((world.chain.vault(BUYER), world.available(SELLER).await), (0, 0));
    // The offer stands again as it was, in its place.
    let left = open(&world, SELLER).await;
    assert_eq!((left.len(), left[0].energy_wh, left[0].price), (1, Wh(1_000), Price(1_500)));
    assert_eq!((left[0].created_at, left[0].expires_at), (offer.created_at, offer.expires_at));
}

#[tokio::test]
async fn an_order_that_holds_a_part_of_an_offer_keeps_it_through_a_call() {
    let world = households().await;
    world.prepay(BUYER, 20_000).await;
    let offer = world.offer(SELLER, 8_000, 1_500).await;
    world.settlement.set_rules(BUYER, None, keep(6_000, 3_000, 20_000)).await.unwrap();
    world.pass(880).await;
    let held = world.buy(OTHER, 2_000, PayWith::Mpesa, "held").await.unwrap();
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 6_000);
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closing);
    assert_eq!(world.order_now(held.id).await.state, OrderState::AwaitingPayment);
    world.is_sound().await;
    world.pass(1_000).await;
    assert_eq!(world.order_now(held.id).await.state, OrderState::Released);
    assert_eq!(world.offer_now(offer.id).await.state, OfferState::Closed);
    world.is_sound().await;
}

#[tokio::test]
async fn one_side_alone_trades_nothing() {
    // No sellers, with want; no buyers, with surplus; nobody; one household on both sides.
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.slot().await;
    assert!(world.store.calls(1, 10).await.unwrap().is_empty(), "nobody has rules");
    world.new_slot().await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    assert_eq!(world.available(BUYER).await, 10_000);
    world.new_slot().await;
    world.settlement.set_rules(BUYER, None, None).await.unwrap();
    world.settlement.set_rules(SELLER, sell(9_800, 1_500), None).await.unwrap();
    world.slot().await;
    assert_eq!(world.chain.vault(SELLER), 10_000, "two hundred watt-hours are no lot to put up");
    // Its own open offer stands out of a call in which it bids.
    world.new_slot().await;
    world.settlement.set_rules(SELLER, None, keep(9_000, 3_000, 10_000)).await.unwrap();
    world.prepay(SELLER, 10_000).await;
    world.offer(SELLER, 5_000, 1_500).await;
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!((book.price, book.stood_out.len()), (None, 1));
    assert_eq!(world.available(SELLER).await, 10_000);
    world.is_sound().await;
}

#[tokio::test]
async fn equals_at_a_bound_are_served_by_the_draw_and_the_rest_gets_nothing() {
    let world = households().await;
    world.chain.take(SELLER, 9_000);
    world.settlement.set_rules(SELLER, sell(0, 3_540), None).await.unwrap();
    for buyer in [BUYER, OTHER] {
        world.prepay(buyer, 10_000).await;
        world.settlement.set_rules(buyer, None, keep(1_000, 4_000, 10_000)).await.unwrap();
    }
    world.slot().await;
    let call = last(&world).await;
    let book = CallBook::read(&call.book).unwrap();
    assert_eq!((book.price, book.volume_wh), (Some(Price(3_540)), 1_000));
    let draw = Draw::open(&book.commitment, book.seed, book.beacon, call.slot).unwrap();
    let first = [BUYER, OTHER].into_iter().min_by_key(|buyer| draw.ticket(*buyer)).unwrap();
    let second = if first == BUYER { OTHER } else { BUYER };
    assert_eq!((world.chain.vault(first), world.chain.vault(second)), (1_000, 0));
    assert_eq!(world.available(first).await, 10_000 - 4_000, "never above retail");
    world.is_sound().await;
}

#[tokio::test]
async fn a_budget_and_a_balance_are_never_exceeded_and_their_end_is_told_once_a_day() {
    let world = market().await;
    world.settlement.set_rules(BUYER, None, keep(9_000, 3_000, 5_000)).await.unwrap();
    for _ in 0..6 {
        world.slot().await;
    }
    let spent: i64 = world.store.orders_of(BUYER, 100).await.unwrap().iter().map(|order| order.due.0).sum();
    assert!((4_900..=5_000).contains(&spent), "{spent}");
    assert_eq!(told(&world, BUYER).await, ["rule_budget_spent"]);
    // The day in Nairobi ends, and the rule goes on with what is left of the balance.
    world.pass(86_400).await;
    for _ in 0..6 {
        world.slot().await;
    }
    let spent: i64 = world.store.orders_of(BUYER, 100).await.unwrap().iter().map(|order| order.due.0).sum();
    assert!((9_800..=10_000).contains(&spent), "{spent}");
    world.is_sound().await;
}

#[tokio::test]
async fn two_slots_in_a_row_buy_what_is_missing_and_no_more() {
    let world = market().await;
    for _ in 0..5 {
        world.slot().await;
    }
    assert_eq!(world.chain.vault(BUYER), 1_000);
    world.is_sound().await;
}

#[tokio::test]
async fn what_was_bought_is_not_sold_again_by_rule() {
    let world = market().await;
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 1_000);
    // The buyer turns seller: what it bought stays its own.
    world.new_slot().await;
    world.settlement.set_rules(BUYER, sell(0, 1_000), None).await.unwrap();
    world.slot().await;
    assert!(open(&world, BUYER).await.is_empty());
    world.chain.enrol_more(BUYER, 700);
    world.slot().await;
    let put = open(&world, BUYER).await;
    assert_eq!((put.len(), put[0].energy_wh), (1, Wh(700)));
}

#[tokio::test]
async fn what_is_bought_while_a_call_is_gathered_is_known_as_bought() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.settlement.set_rules(BUYER, sell(0, 1_000), None).await.unwrap();
    world.slot().await;
    world.chain.hold_questions();
    world.begin_slot().await;
    world.chain.is_asked().await;
    world.clock.advance_to(world.clock.now().plus_seconds(5));
    world.buy(BUYER, 1_000, PayWith::Balance, "meanwhile").await.unwrap();
    world.clock.advance_to(world.clock.now().plus_seconds(5));
    world.chain.answer_questions();
    world.clock.idle().await;
    for _ in 0..2 {
        assert_eq!((world.chain.vault(BUYER), open(&world, BUYER).await.len()), (1_000, 0));
        world.slot().await;
    }
    world.is_sound().await;
}

#[tokio::test]
async fn what_was_bought_and_used_long_ago_is_not_kept_from_being_sold() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.buy(BUYER, 2_000, PayWith::Balance, "long ago").await.unwrap();
    world.chain.take(BUYER, 2_000);
    world.settlement.set_rules(BUYER, sell(0, 1_000), None).await.unwrap();
    world.slot().await;
    assert_eq!(world.store.calls(1, 10).await.unwrap().len(), 1, "nothing of it is left");
    world.slot().await;
    assert_eq!(world.store.calls(1, 10).await.unwrap().len(), 1, "once");
    // It pushes as much of its own.
    world.chain.enrol_more(BUYER, 2_000);
    world.slot().await;
    let put = open(&world, BUYER).await;
    assert_eq!(put.iter().map(|offer| offer.energy_wh).collect::<Vec<_>>(), [Wh(2_000)]);
    world.is_sound().await;
}

#[tokio::test]
async fn a_rule_set_after_the_slot_began_waits_for_the_next() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    world.settlement.set_rules(SELLER, sell(2_000, 1_500), None).await.unwrap();
    world.pass(60).await;
    world.settlement.set_rules(BUYER, None, keep(1_000, 3_000, 10_000)).await.unwrap();
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 0);
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 1_000);
}

#[tokio::test]
async fn of_the_slots_that_were_missed_only_the_newest_acts() {
    let mut world = market().await;
    world.stop().await;
    let slots = [world.attest_quietly().await, world.attest_quietly().await, world.attest_quietly().await];
    world.restart_stopped().await;
    let calls = world.store.calls(1, 10).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.slot).collect::<Vec<Slot>>(), slots[2..]);
    assert_eq!(world.chain.vault(BUYER), 1_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_silent_meter_does_nothing_and_its_household_hears_of_it_after_a_day() {
    let world = market().await;
    world.chain.fall_silent(SELLER);
    let since = world.clock.now();
    for _ in 0..4 {
        world.slot().await;
    }
    assert!(told(&world, SELLER).await.is_empty());
    assert_eq!(world.chain.vault(SELLER), 10_000);
    world.pass(86_400).await;
    world.slot().await;
    world.slot().await;
    assert_eq!(told(&world, SELLER).await, ["rule_meter_silent"]);
    assert!(world.clock.now() > since);
    // It returns, and acts once for the newest slot.
    world.chain.speak_again(SELLER);
    world.slot().await;
    assert_eq!(world.chain.vault(BUYER), 1_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_new_rule_takes_back_what_the_old_one_put_up_and_a_shortfall_does_too() {
    let world = market().await;
    world.slot().await;
    let by_hand = {
        world.chain.enrol_more(SELLER, 1_000);
        world.offer(SELLER, 1_000, 2_000).await
    };
    assert_eq!(open(&world, SELLER).await.len(), 2);
    world.new_slot().await;
    world.settlement.set_rules(SELLER, sell(2_000, 2_500), None).await.unwrap();
    world.clock.idle().await;
    assert_eq!(open(&world, SELLER).await.iter().map(|offer| offer.id).collect::<Vec<_>>(), [by_hand.id]);
    assert_eq!(world.chain.vault(SELLER), 9_000);
    world.slot().await;
    assert_eq!(open(&world, SELLER).await.len(), 2);
    world.chain.set_shortfall(SELLER, 100);
    world.slot().await;
    assert_eq!(open(&world, SELLER).await.iter().map(|offer| offer.id).collect::<Vec<_>>(), [by_hand.id]);
}

#[tokio::test]
async fn two_who_set_one_rule_each_in_the_same_moment_both_have_theirs() {
    let world = households().await;
    for floor in 1_500..1_510 {
        let (by_phone, in_the_app) = (sell(2_000, floor), keep(1_000, floor + 500, 10_000));
        let (one, other) = tokio::join!(
            world.settlement.change_rules(SELLER, Edit::Set(by_phone), Edit::Keep),
            world.settlement.change_rules(SELLER, Edit::Keep, Edit::Set(in_the_app)),
        );
        one.unwrap();
        other.unwrap();
        let rules = world.settlement.rules(SELLER).await.unwrap().unwrap();
        assert_eq!((rules.sell, rules.buy), (by_phone, in_the_app));
    }
    // What would contradict the other rule as it stands is refused, and both stay.
    let refused = world.settlement.change_rules(SELLER, Edit::Set(sell(500, 1_500)), Edit::Keep).await;
    assert_eq!(refused.unwrap_err().code(), "market.rule_contradiction");
    let gone = world.settlement.change_rules(SELLER, Edit::Set(None), Edit::Keep).await.unwrap();
    assert_eq!((gone.sell, gone.buy), (None, keep(1_000, 2_009, 10_000)));
}

#[tokio::test]
async fn a_rule_that_notifies_tells_once_a_day_and_trades_nothing() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    let tell = |rule: Option<SellRule>| rule.map(|rule| SellRule { acting: Acting::Notify, ..rule });
    let ask = |rule: Option<BuyRule>| rule.map(|rule| BuyRule { acting: Acting::Notify, ..rule });
    world.settlement.set_rules(SELLER, tell(sell(2_000, 1_500)), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, ask(keep(1_000, 3_000, 10_000))).await.unwrap();
    for _ in 0..3 {
        world.slot().await;
    }
    for (household, code) in [(SELLER, "rule_could_sell"), (BUYER, "rule_nobody_sells")] {
        assert_eq!(told(&world, household).await, [code]);
    }
    let calls = world.store.calls(1, 10).await.unwrap();
    assert!(calls.iter().all(|call| CallBook::read(&call.book).unwrap().bids.is_empty()));
    assert_eq!((world.available(BUYER).await, world.chain.vault(SELLER)), (10_000, 10_000));
}

#[tokio::test]
async fn what_is_kept_of_a_call_makes_the_same_plan_again() {
    let world = market().await;
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    let plan = Plan::new(&book.book().unwrap(), &book.outcome()).unwrap();
    let due: i64 = plan.purchases.iter().map(|purchase| purchase.shares.due.0).sum();
    assert_eq!(due, world.store.orders_of(BUYER, 10).await.unwrap()[0].due.0);
}

#[tokio::test]
async fn at_the_bounds_of_the_tariff_the_two_sides_still_meet() {
    let world = households().await;
    world.prepay(BUYER, 10_000).await;
    // The least that may be asked and paid: buy-back, and buy-back with fee and tax.
    world.settlement.set_rules(SELLER, sell(2_000, 1_000), None).await.unwrap();
    world.settlement.set_rules(BUYER, None, keep(1_000, 1_460, 10_000)).await.unwrap();
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!((book.price, world.available(SELLER).await), (Some(Price(1_000)), 1_000));
    assert_eq!(world.available(BUYER).await, 10_000 - 1_460);
    world.is_sound().await;
}

#[tokio::test]
async fn households_of_two_feeders_do_not_meet() {
    let world = market().await;
    world.chain.enrol_more(OTHER, 5_000);
    world.settlement.set_rules(OTHER, sell(0, 2_000), None).await.unwrap();
    // Cheaper than anything on the buyer's feeder: a rule's ask, and an offer by hand.
    world.move_to_feeder(SELLER, 2).await;
    let cheap = world.offer(SELLER, 4_000, 1_200).await;
    world.slot().await;
    let book = CallBook::read(&last(&world).await.book).unwrap();
    assert_eq!((book.price, book.volume_wh), (Some(Price(2_000)), 1_000));
    assert_eq!((world.chain.vault(BUYER), world.available(OTHER).await), (1_000, 2_000));
    // Nor between calls.
    let order = world.buy(BUYER, 500, PayWith::Balance, "by-hand").await.unwrap();
    assert_eq!(order.fills.iter().map(|fill| fill.seller).collect::<Vec<_>>(), [OTHER]);
    assert_eq!((world.offer_now(cheap.id).await.open_wh(), world.available(SELLER).await), (Wh(4_000), 0));
    world.is_sound().await;
}
