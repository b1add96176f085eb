//! The call of a slot: against a slow search for the optimum, against its promises, and
//! on the books that break careless markets.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod oracle;

use jirani_market::call::{
    Book, CallOrder, Draw, DrawError, Outcome, Party, Plan, Refused, Side, Source, clear,
};
use jirani_market::{Candidate, Tariff, retail_cost};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use proptest::prelude::*;
use std::collections::BTreeMap;

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
const SLOT: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };

fn draw(seed: u8) -> Draw {
    let seed = [seed; 32];
    Draw::open(&Draw::commitment(&seed), seed, [7; 32], SLOT).unwrap()
}

fn order(household: u32, energy_wh: u32, limit: u32) -> CallOrder {
    CallOrder {
        household: HouseholdId(household),
        party: Party::Household,
        energy_wh,
        limit: Price(limit),
        since: SLOT.end(),
        source: Source::Rule,
        money: Cents(i64::MAX),
    }
}

/// Households 1.. bid, 101.. ask.
fn book(tariff: Tariff, bids: &[(u32, u32)], asks: &[(u32, u32)]) -> Book {
    let mut book = Book::new(tariff);
    for (household, &(limit, energy)) in (1..).zip(bids) {
        book.enter(Side::Bid, &order(household, energy, limit)).unwrap();
    }
    for (household, &(limit, energy)) in (101..).zip(asks) {
        book.enter(Side::Ask, &order(household, energy, limit)).unwrap();
    }
    book
}

/// Energy of each order that trades, by place.
fn taken(outcome: &Outcome, side: Side) -> BTreeMap<u32, u64> {
    let mut taken = BTreeMap::new();
    for lot in &outcome.lots {
        let index = if side == Side::Bid { lot.bid } else { lot.ask };
        *taken.entry(index).or_default() += u64::from(lot.energy_wh);
    }
    taken
}

fn small_side() -> impl Strategy<Value = Vec<(u32, u32)>> {
    // Few prices, so that ties abound; small energies, so that the search ends.
    prop::collection::vec((0u32..9, 1u32..12), 0..8)
}

fn any_order() -> impl Strategy<Value = (u32, u32, u32, bool)> {
    (0u32..12, 1u32..3_000, 0u32..=2_000, any::<bool>())
}

/// Households on both sides, ages, operator's edges: anything goes.
fn messy_book(bids: &[(u32, u32, u32, bool)], asks: &[(u32, u32, u32, bool)], operator: u32) -> Book {
    let mut book = Book::new(TARIFF);
    for (side, orders) in [(Side::Bid, bids), (Side::Ask, asks)] {
        for &(household, energy, above, old) in orders {
            let since = if old { SLOT.start } else { SLOT.end() };
            book.enter(side, &CallOrder { since, ..order(household, energy, 1_000 + above) }).unwrap();
        }
        if operator > 0 {
            let edge = if side == Side::Bid { 1_000 } else { 3_000 };
            let ours = CallOrder { party: Party::Operator, ..order(1_000, operator, edge) };
            book.enter(side, &ours).unwrap();
        }
    }
    book
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn welfare_and_volume_are_the_optimum(bids in small_side(), asks in small_side()) {
        let at = |side: &[(u32, u32)]| side.iter().map(|(p, wh)| (1_000 + p, *wh)).collect::<Vec<_>>();
        let (bids, asks) = (at(&bids), at(&asks));
        let book = book(TARIFF, &bids, &asks);
        let outcome = clear(&book, &draw(1));
        let (welfare, volume) = oracle::optimum(&bids, &asks);
        prop_assert_eq!(outcome.volume_wh, volume);
        prop_assert_eq!(outcome.welfare_millicents(&book), u128::try_from(welfare).unwrap());
        prop_assert_eq!(outcome.lots.iter().map(|lot| u64::from(lot.energy_wh)).sum::<u64>(), volume);
        prop_assert_eq!(outcome.price.is_none(), volume == 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_trades_beyond_a_limit_and_nobody_better_is_passed_over(
        bids in prop::collection::vec(any_order(), 0..14), asks in prop::collection::vec(any_order(), 0..14),
        operator in 0u32..4_000, seed: u8
    ) {
        let book = messy_book(&bids, &asks, operator);
        let outcome = clear(&book, &draw(seed));
        let Some(price) = outcome.price else { return Ok(()) };
        prop_assert!(TARIFF.allows(price));
        for side in [Side::Bid, Side::Ask] {
            let taken = taken(&outcome, side);
            for index in 0..u32::try_from(book.len(side)).unwrap() {
                let order = book.order(side, index).unwrap();
                let got = taken.get(&index).copied().unwrap_or(0);
                prop_assert!(got <= u64::from(order.energy_wh));
                if side == Side::Ask && outcome.stood_out.contains(&index) {
                    prop_assert_eq!(got, 0);
                    continue;
                }
                let surplus = if side == Side::Bid {
                    i64::from(order.limit.0) - i64::from(price.0)
                } else {
                    i64::from(price.0) - i64::from(order.limit.0)
                };
                if surplus > 0 { prop_assert_eq!(got, u64::from(order.energy_wh)) }
                if surplus < 0 { prop_assert_eq!(got, 0) }
            }
        }
    }

    #[test]
    fn at_the_price_households_go_before_the_operator_and_the_older_before_the_younger(
        bids in prop::collection::vec(any_order(), 0..14), asks in prop::collection::vec(any_order(), 0..14),
        operator in 0u32..4_000, seed: u8
    ) {
        // Five prices only: most of the time somebody is cut.
        let few = |orders: Vec<(u32, u32, u32, bool)>| -> Vec<_> {
            orders.into_iter().map(|order| (order.0, order.1, order.2 / 500 * 500, order.3)).collect()
        };
        let book = messy_book(&few(bids), &few(asks), operator);
        let outcome = clear(&book, &draw(seed));
        let Some(price) = outcome.price else { return Ok(()) };
        for side in [Side::Bid, Side::Ask] {
            let taken = taken(&outcome, side);
            let mut at_the_price: Vec<_> = (0..u32::try_from(book.len(side)).unwrap())
                .filter(|index| side == Side::Bid || !outcome.stood_out.contains(index))
                .map(|index| (index, book.order(side, index).unwrap()))
                .filter(|(_, order)| order.limit == price)
                .collect();
            at_the_price.sort_by_key(|(index, order)| {
                (order.party, order.since, draw(seed).ticket(order.household), *index)
            });
            let mut short = false;
            for (index, order) in at_the_price {
                let got = taken.get(&index).copied().unwrap_or(0);
                prop_assert!(!short || got == 0, "somebody later was served before somebody earlier");
                short |= got < u64::from(order.energy_wh);
            }
        }
    }

    #[test]
    fn what_each_gets_does_not_depend_on_the_order_of_entry(
        bids in prop::collection::vec(any_order(), 0..10), asks in prop::collection::vec(any_order(), 0..10),
        turn in 0usize..10
    ) {
        // One order per household: of two orders of one household the first entered goes first.
        let single = |orders: &[(u32, u32, u32, bool)], from: u32| -> Vec<(u32, u32, u32, bool)> {
            (from..).zip(orders).map(|(id, order)| (id, order.1, order.2 / 500, order.3)).collect()
        };
        let (bids, asks) = (single(&bids, 1), single(&asks, 101));
        let (mut other_bids, mut other_asks) = (bids.clone(), asks.clone());
        other_bids.rotate_left(turn % bids.len().max(1));
        other_asks.reverse();
        let gets = |book: &Book| {
            let outcome = clear(book, &draw(3));
            let mut gets = BTreeMap::new();
            for side in [Side::Bid, Side::Ask] {
                for (index, energy) in taken(&outcome, side) {
                    gets.insert(book.order(side, index).unwrap().household, energy);
                }
            }
            (outcome.price, gets)
        };
        prop_assert_eq!(gets(&messy_book(&bids, &asks, 0)), gets(&messy_book(&other_bids, &other_asks, 0)));
    }

    #[test]
    fn every_wh_and_every_cent_of_a_call_goes_somewhere(
        bids in prop::collection::vec((any_order(), 0i64..40), 0..14),
        asks in prop::collection::vec(any_order(), 0..30), operator in 0u32..4_000
    ) {
        let mut book = Book::new(TARIFF);
        for (household, ((_, energy, above, _), spare)) in (500u32..).zip(&bids) {
            let due = u64::from(above + 1_500) * u64::from(*energy);
            let money = Cents(i64::try_from(due.div_ceil(1_000)).unwrap() + spare / 10);
            let order = CallOrder { money, ..order(household, *energy, 1_000 + above) };
            book.enter(Side::Bid, &order).unwrap();
        }
        for &(household, energy, above, _) in &asks {
            book.enter(Side::Ask, &order(household, energy.div_ceil(100), 1_000 + above)).unwrap();
        }
        if operator > 0 {
            let ours = CallOrder { party: Party::Operator, ..order(1_000, operator, 3_000) };
            book.enter(Side::Ask, &ours).unwrap();
        }
        let outcome = clear(&book, &draw(1));
        let plan = Plan::new(&book, &outcome).unwrap();
        let posted: Vec<OfferId> = (1..=plan.offers.len() as u64).map(OfferId).collect();
        let mut sold = vec![0u64; plan.offers.len()];
        let mut spent: BTreeMap<u32, i64> = BTreeMap::new();
        for purchase in &plan.purchases {
            let fills = plan.fills(purchase, &posted).unwrap();
            prop_assert!((1..=4).contains(&fills.len()));
            // The due is what the program on chain counts, and its parts are all of it.
            let again = jirani_market::shares(&fills, Price(300), Price(200)).unwrap();
            prop_assert_eq!(&again, &purchase.shares);
            let given: i64 = again.sellers.iter().map(|(_, cents)| cents.0).sum();
            prop_assert_eq!(given + again.fee.0 + again.tax.0 + again.rounding.0, again.due.0);
            prop_assert!(again.due <= retail_cost(&TARIFF, &fills).unwrap());
            *spent.entry(purchase.bid).or_default() += again.due.0;
            for (place, energy) in &purchase.lots {
                sold[*place] += u64::from(*energy);
            }
        }
        for (offer, sold) in plan.offers.iter().zip(&sold) {
            prop_assert_eq!(u64::from(offer.energy_wh), *sold);
            prop_assert!(offer.energy_wh <= book.order(Side::Ask, offer.ask).unwrap().energy_wh);
        }
        let mut left = outcome.volume_wh - sold.iter().sum::<u64>();
        for (bid, spent) in spent {
            prop_assert!(Cents(spent) <= book.order(Side::Bid, bid).unwrap().money);
            // Ceilings cost at most one cent per order: a few Wh at most stay behind.
            let orders = plan.purchases.iter().filter(|purchase| purchase.bid == bid).count() as u64;
            left = left.saturating_sub(orders);
        }
        prop_assert_eq!(left, 0, "more stayed behind than the roundings explain");
    }
}

#[test]
fn the_price_is_the_middle_of_what_both_sides_accept() {
    let price = |bids: &[(u32, u32)], asks: &[(u32, u32)]| clear(&book(TARIFF, bids, asks), &draw(1)).price;
    assert_eq!(price(&[(2_000, 5)], &[(1_200, 5)]), Some(Price(1_600)));
    assert_eq!(price(&[(2_001, 5)], &[(1_200, 5)]), Some(Price(1_600)), "half a cent falls to the buyer");
    // Asks to spare: the asker who sells only a part sets the price. Bids to spare: the bidder.
    assert_eq!(price(&[(2_000, 5)], &[(1_200, 9)]), Some(Price(1_200)));
    assert_eq!(price(&[(2_000, 9)], &[(1_200, 5)]), Some(Price(2_000)));
    // Who is left out bounds the price from its side.
    assert_eq!(price(&[(2_000, 5), (1_500, 5)], &[(1_200, 5)]), Some(Price(1_750)));
}

#[test]
fn a_book_with_one_side_with_none_or_with_no_crossing_trades_nothing() {
    for (bids, asks) in [
        (&[][..], &[][..]),
        (&[(2_000, 5)][..], &[][..]),
        (&[][..], &[(2_000, 5)][..]),
        (&[(1_999, 5)][..], &[(2_000, 5)][..]),
    ] {
        let book = book(TARIFF, bids, asks);
        let outcome = clear(&book, &draw(1));
        assert_eq!(outcome, Outcome::default());
        assert_eq!(Plan::new(&book, &outcome).unwrap(), Plan::default());
    }
}

#[test]
fn all_at_one_bound_trade_at_that_bound() {
    for bound in [1_000, 3_000] {
        let outcome = clear(&book(TARIFF, &[(bound, 70), (bound, 40)], &[(bound, 60)]), &draw(1));
        assert_eq!((outcome.price, outcome.volume_wh), (Some(Price(bound)), 60));
    }
}

#[test]
fn surplus_meets_the_operator_at_buy_back_and_want_at_retail() {
    let mut surplus = book(TARIFF, &[(2_000, 100)], &[(1_000, 300)]);
    let operator = |edge| CallOrder { party: Party::Operator, ..order(1_000, 10_000, edge) };
    surplus.enter(Side::Bid, &operator(1_000)).unwrap();
    surplus.enter(Side::Ask, &operator(3_000)).unwrap();
    let outcome = clear(&surplus, &draw(1));
    assert_eq!((outcome.price, outcome.volume_wh), (Some(Price(1_000)), 300));
    let plan = Plan::new(&surplus, &outcome).unwrap();
    let back = plan.purchases.iter().find(|purchase| purchase.buyer == HouseholdId(1_000)).unwrap();
    // 200 Wh at 10.00: the operator pays no grid fee and no tax to itself.
    assert_eq!((back.shares.due, back.shares.fee, back.shares.tax), (Cents(200), Cents(0), Cents(0)));

    let mut want = book(TARIFF, &[(3_000, 300)], &[(1_500, 100)]);
    want.enter(Side::Ask, &operator(3_000)).unwrap();
    let outcome = clear(&want, &draw(1));
    assert_eq!((outcome.price, outcome.volume_wh), (Some(Price(3_000)), 300));
}

#[test]
fn an_open_offer_stands_with_what_is_left_of_it_and_earns_the_price_of_the_call() {
    let offer = |price, open| Candidate {
        offer: OfferId(5),
        seller: HouseholdId(101),
        energy: Wh(900),
        open: Wh(open),
        held_by_buyer: Wh::ZERO,
        price: Price(price),
        created_at: SLOT.start,
    };
    let mut book = book(TARIFF, &[(2_000, 300)], &[]);
    book.enter(Side::Ask, &CallOrder::of_offer(&offer(1_200, 300), &TARIFF).unwrap()).unwrap();
    let plan = Plan::new(&book, &clear(&book, &draw(1))).unwrap();
    assert_eq!(plan.price, Some(Price(1_600)));
    assert_eq!((plan.offers[0].source, plan.offers[0].energy_wh), (Source::Offer(OfferId(5)), 300));
    assert_eq!(plan.purchases[0].shares.sellers, [(HouseholdId(101), Cents(480))]);
    // Overtaken by the tariff: raised to what the operator pays, or left waiting.
    assert_eq!(CallOrder::of_offer(&offer(900, 300), &TARIFF).unwrap().limit, Price(1_000));
    assert_eq!(CallOrder::of_offer(&offer(3_001, 300), &TARIFF), None);
    assert_eq!(CallOrder::of_offer(&offer(1_200, 0), &TARIFF), None);
}

#[test]
fn the_operator_stands_at_its_edges_with_what_it_has() {
    let of = |side, energy, money| {
        CallOrder::of_operator(HouseholdId(1_000), side, Wh(energy), Cents(money), &TARIFF, SLOT)
    };
    let (bid, ask) = (of(Side::Bid, 5_000, 2_000).unwrap(), of(Side::Ask, 5_000, 0).unwrap());
    // KSh 20.00 buy back 2 kWh at 10.00.
    assert_eq!((bid.limit, bid.energy_wh), (Price(1_000), 2_000));
    assert_eq!((ask.limit, ask.energy_wh), (Price(3_000), 5_000));
    let mut book = Book::new(TARIFF);
    assert_eq!((book.enter(Side::Bid, &bid), book.enter(Side::Ask, &ask)), (Ok(0), Ok(0)));
    assert_eq!((of(Side::Bid, 5_000, 0), of(Side::Ask, 0, 9)), (None, None));
}

#[test]
fn where_the_edges_are_one_price_the_operator_does_not_trade_with_itself() {
    let tight = Tariff { buy_back: Price(3_000), ..TARIFF };
    let operator = CallOrder { party: Party::Operator, ..order(1_000, 10_000, 3_000) };
    for (bid, ask) in [(100, 40), (40, 100), (70, 70), (0, 0)] {
        let mut book = Book::new(tight);
        for (side, household, energy) in [(Side::Bid, 1, bid), (Side::Ask, 101, ask)] {
            if energy > 0 {
                book.enter(side, &order(household, energy, 3_000)).unwrap();
            }
            book.enter(side, &operator).unwrap();
        }
        let outcome = clear(&book, &draw(1));
        assert_eq!(outcome.volume_wh, u64::from(bid.max(ask)));
        for lot in &outcome.lots {
            let party = |side, index| book.order(side, index).unwrap().party;
            let parties = (party(Side::Bid, lot.bid), party(Side::Ask, lot.ask));
            assert_ne!(parties, (Party::Operator, Party::Operator));
        }
    }
}

#[test]
fn what_may_not_enter_is_refused_with_its_code() {
    let mut book = Book::new(TARIFF);
    let bounds = Refused::OutOfBounds { min: Price(1_000), max: Price(3_000) };
    for (side, bad, refusal) in [
        (Side::Bid, order(1, 0, 2_000), Refused::NoEnergy),
        (Side::Bid, order(1, 5, 999), bounds),
        (Side::Ask, order(1, 5, 3_001), bounds),
        (Side::Bid, CallOrder { money: Cents(2), ..order(1, 1, 2_000) }, Refused::UnpaidBid),
        (Side::Bid, CallOrder { money: Cents(-5), ..order(1, 1, 2_000) }, Refused::UnpaidBid),
        (
            Side::Ask,
            CallOrder { party: Party::Operator, ..order(1, 5, 2_999) },
            Refused::OperatorOffEdge { edge: Price(3_000) },
        ),
        (
            Side::Bid,
            CallOrder { party: Party::Operator, ..order(1, 5, 1_001) },
            Refused::OperatorOffEdge { edge: Price(1_000) },
        ),
    ] {
        assert_eq!(book.enter(side, &bad), Err(refusal));
        assert!(refusal.to_string().starts_with("market."));
        assert!(book.is_empty(side), "a refusal changes nothing");
    }
    assert_eq!(book.enter(Side::Bid, &CallOrder { money: Cents(3), ..order(1, 1, 2_000) }), Ok(0));
}

#[test]
fn the_draw_binds_the_operator_beforehand_and_can_be_drawn_again_by_anyone() {
    let seed = [9; 32];
    let commitment = Draw::commitment(&seed);
    let open = |seed, beacon, slot| Draw::open(&commitment, seed, beacon, slot);
    assert_eq!(open([8; 32], [7; 32], SLOT), Err(DrawError::WrongSeed));
    let one = open(seed, [7; 32], SLOT).unwrap();
    assert_eq!(one.ticket(HouseholdId(4)), open(seed, [7; 32], SLOT).unwrap().ticket(HouseholdId(4)));
    // Each of seed, beacon, slot and household alone makes another ticket.
    for other in [
        open(seed, [6; 32], SLOT).unwrap().ticket(HouseholdId(4)),
        open(seed, [7; 32], SLOT.next()).unwrap().ticket(HouseholdId(4)),
        one.ticket(HouseholdId(5)),
        Draw::open(&Draw::commitment(&commitment), commitment, [7; 32], SLOT).unwrap().ticket(HouseholdId(4)),
    ] {
        assert_ne!(one.ticket(HouseholdId(4)), other);
    }
}

#[test]
fn over_many_slots_equals_win_equally_often() {
    // Four ask the same for the one lot that is wanted: by chance each wins 500 times,
    // with a standard deviation of 19; five of those are never left by a fair draw.
    let book = book(TARIFF, &[(2_000, 10)], &[(1_500, 10); 4]);
    let mut wins = [0u32; 4];
    let (mut slot, seed) = (SLOT, [9; 32]);
    for _ in 0..2_000 {
        slot = slot.next();
        let draw = Draw::open(&Draw::commitment(&seed), seed, [7; 32], slot).unwrap();
        wins[clear(&book, &draw).lots[0].ask as usize] += 1;
    }
    assert!(wins.iter().all(|wins| (405..=595).contains(wins)), "{wins:?}");
}
