//! Ways to game the market, each tried. `docs/market.md` has the table.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_market::call::{Book, CallOrder, Draw, Outcome, Party, Plan, Refused, Side, Source, clear};
use jirani_market::limits::{
    HELD_MAX, Held, HeldTooMuch, OPEN_ORDERS_MAX, UNPAID_PER_DAY_MAX, check_held, unpaid_share_left,
};
use jirani_market::rule::{Act, Acting, Rules, SellRule, State, decide};
use jirani_market::{Tariff, fill};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use proptest::prelude::*;
use std::collections::BTreeMap;

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
const SLOT: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };

fn draw(seed: u8) -> Draw {
    Draw::open(&Draw::commitment(&[seed; 32]), [seed; 32], [7; 32], SLOT).unwrap()
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

/// Bids of households 1.. and asks of households 101.., at prices of a few steps.
fn honest(bids: &[(u32, u32)], asks: &[(u32, u32)]) -> Book {
    let mut book = Book::new(TARIFF);
    for (side, from, orders) in [(Side::Bid, 1, bids), (Side::Ask, 101, asks)] {
        for (household, (energy, step)) in (from..).zip(orders) {
            book.enter(side, &order(household, *energy, 1_000 + 250 * step)).unwrap();
        }
    }
    book
}

fn orders() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((1u32..2_000, 0u32..=8), 1..12)
}

/// Energy that each household buys (plus) or sells (minus).
fn nets(book: &Book, outcome: &Outcome) -> BTreeMap<HouseholdId, i64> {
    let mut nets = BTreeMap::new();
    for lot in &outcome.lots {
        let who = |side, index| book.order(side, index).unwrap().household;
        *nets.entry(who(Side::Bid, lot.bid)).or_default() += i64::from(lot.energy_wh);
        *nets.entry(who(Side::Ask, lot.ask)).or_default() -= i64::from(lot.energy_wh);
    }
    nets
}

/// What a buyer of this worth gains, in thousandths of a cent.
fn gain_of(book: &Book, outcome: &Outcome, buyer: HouseholdId, worth: u32) -> i64 {
    let bought = nets(book, outcome).get(&buyer).copied().unwrap_or(0);
    outcome.price.map_or(0, |price| (i64::from(worth) - i64::from(price.0)) * bought)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_wash_trade_moves_neither_the_price_nor_anybody_else_and_costs_fee_and_tax(
        bids in orders(), asks in orders(), energy in 1u32..50_000
    ) {
        let mut book = honest(&bids, &asks);
        let before = clear(&book, &draw(1));
        let nets_before = nets(&book, &before);
        book.enter(Side::Bid, &order(201, energy, 3_000)).unwrap();
        book.enter(Side::Ask, &order(202, energy, 1_000)).unwrap();
        let after = clear(&book, &draw(1));
        let mut nets_after = nets(&book, &after);
        if before.price.is_some() {
            prop_assert_eq!(after.price, before.price);
        }
        // At a bound the pair itself is one of many equals; inside, all of it trades.
        if before.price.is_some_and(|price| Price(1_000) < price && price < Price(3_000)) {
            prop_assert_eq!(nets_after.remove(&HouseholdId(201)), Some(i64::from(energy)));
            prop_assert_eq!(nets_after.remove(&HouseholdId(202)), Some(-i64::from(energy)));
            prop_assert_eq!(nets_after, nets_before);
        }
        // The pair together loses fee, tax and roundings on every Wh.
        let plan = Plan::new(&book, &after).unwrap();
        let washed: Vec<_> = plan.purchases.iter().filter(|one| one.buyer == HouseholdId(201)).collect();
        let lost: i64 = washed.iter().map(|one| one.shares.fee.0 + one.shares.tax.0).sum();
        let wh: i64 = washed.iter().flat_map(|one| &one.lots).map(|(_, wh)| i64::from(*wh)).sum();
        prop_assert!(lost + 2 * i64::try_from(washed.len()).unwrap() >= wh / 2);
    }

    #[test]
    fn nobody_trades_with_oneself(
        bids in prop::collection::vec((0u32..5, 1u32..2_000, 0u32..=8), 0..12),
        asks in prop::collection::vec((0u32..5, 1u32..2_000, 0u32..=8), 0..12)
    ) {
        let mut book = Book::new(TARIFF);
        for (side, orders) in [(Side::Bid, &bids), (Side::Ask, &asks)] {
            for (household, energy, step) in orders {
                book.enter(side, &order(*household, *energy, 1_000 + 250 * step)).unwrap();
            }
        }
        for lot in clear(&book, &draw(1)).lots {
            let who = |side, index| book.order(side, index).unwrap().household;
            prop_assert_ne!(who(Side::Bid, lot.bid), who(Side::Ask, lot.ask));
        }
    }

    #[test]
    fn splitting_an_order_gains_nothing(
        bids in orders(), asks in orders(), which in 0usize..12, parts in 2u32..9, buys: bool, seed: u8
    ) {
        let whole = honest(&bids, &asks);
        let side = if buys { Side::Bid } else { Side::Ask };
        let mut split = Book::new(TARIFF);
        let chosen = which % whole.len(side);
        for entered in [Side::Bid, Side::Ask] {
            for index in 0..u32::try_from(whole.len(entered)).unwrap() {
                let order = whole.order(entered, index).unwrap();
                if entered != side || index as usize != chosen {
                    split.enter(entered, &order).unwrap();
                    continue;
                }
                for part in 0..parts {
                    let energy_wh = order.energy_wh / parts + u32::from(part < order.energy_wh % parts);
                    if energy_wh > 0 {
                        split.enter(entered, &CallOrder { energy_wh, ..order }).unwrap();
                    }
                }
            }
        }
        let (one, many) = (clear(&whole, &draw(seed)), clear(&split, &draw(seed)));
        prop_assert_eq!(one.price, many.price);
        prop_assert_eq!(nets(&whole, &one), nets(&split, &many));
    }

    #[test]
    fn bidding_more_than_it_is_worth_never_pays(
        bids in orders(), asks in orders(), energy in 1u32..2_000, worth in 1_000u32..=3_000, more in 1u32..2_000
    ) {
        let with = |limit: u32| {
            let mut book = honest(&bids, &asks);
            book.enter(Side::Bid, &order(300, energy, limit)).unwrap();
            let outcome = clear(&book, &draw(1));
            gain_of(&book, &outcome, HouseholdId(300), worth)
        };
        prop_assert!(with((worth + more).min(3_000)) <= with(worth));
    }

    #[test]
    fn a_bid_that_cannot_be_paid_never_stands_in_a_book(energy in 1u32.., limit in 1_000u32..=3_000, money in 0i64..1 << 40) {
        let mut book = Book::new(TARIFF);
        let entered = book.enter(Side::Bid, &CallOrder { money: Cents(money), ..order(1, energy, limit) });
        let due = (u128::from(limit + 500) * u128::from(energy)).div_ceil(1_000);
        let payable = due <= u128::try_from(money).unwrap();
        prop_assert_eq!(entered, if payable { Ok(0) } else { Err(Refused::UnpaidBid) });
    }
}

#[test]
fn an_offer_that_is_withdrawn_and_posted_again_loses_its_place() {
    let at = |seconds: i64| SLOT.start.plus_seconds(seconds);
    let clear_with = |first: i64, second: i64| {
        let mut book = Book::new(TARIFF);
        book.enter(Side::Bid, &order(1, 100, 2_000)).unwrap();
        for (household, since) in [(101, first), (102, second)] {
            let source = Source::Offer(OfferId(u64::from(household)));
            book.enter(Side::Ask, &CallOrder { since: at(since), source, ..order(household, 100, 1_500) })
                .unwrap();
        }
        nets(&book, &clear(&book, &draw(1)))
    };
    assert_eq!(clear_with(10, 20).get(&HouseholdId(101)), Some(&-100));
    assert_eq!(clear_with(30, 20).get(&HouseholdId(101)), None);
}

#[test]
fn in_a_large_book_one_order_moves_the_price_by_a_few_cents_at_most() {
    // A thousand on each side; the largest order there is taken away or bid to the bound.
    let mut state = 1u64;
    let mut random = |most: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).unwrap() % most
    };
    for _ in 0..20 {
        let mut side = || -> Vec<CallOrder> {
            (0..1_000).map(|_| order(0, 50 + random(951), 1_000 + random(2_001))).collect()
        };
        let (bids, asks) = (side(), side());
        let price = |attack: Option<u32>| {
            let mut book = Book::new(TARIFF);
            for (household, bid) in (1..).zip(&bids) {
                book.enter(Side::Bid, &CallOrder { household: HouseholdId(household), ..*bid }).unwrap();
            }
            for (household, ask) in (10_001..).zip(&asks) {
                book.enter(Side::Ask, &CallOrder { household: HouseholdId(household), ..*ask }).unwrap();
            }
            if let Some(limit) = attack {
                book.enter(Side::Bid, &order(9_999, 1_000, limit)).unwrap();
            }
            i64::from(clear(&book, &draw(1)).price.unwrap().0)
        };
        assert!((price(Some(3_000)) - price(None)).abs() <= 15);
        assert!((price(Some(1_000)) - price(None)).abs() <= 15);
    }
}

#[test]
fn who_buys_the_cheap_offers_up_cannot_sell_them_dear() {
    let sell = SellRule { keep_wh: Wh(500), floor_cents_per_kwh: Price(3_000), acting: Acting::Act };
    let rules = Rules { sell: Some(sell), buy: None, set_at: Timestamp(0) };
    let asked = |vault, bought| {
        let state = State {
            household: HouseholdId(1),
            attested_through: SLOT.end(),
            vault: Wh(vault),
            bought: Wh(bought),
            shortfall: Wh::ZERO,
            incoming: Wh::ZERO,
            available: Cents::ZERO,
            spent_today: Cents::ZERO,
        };
        match decide(&rules, &state, &TARIFF, &[], SLOT).first().map(|intent| intent.act) {
            Some(Act::Ask(ask)) => ask.energy_wh,
            _ => 0,
        }
    };
    assert_eq!(asked(9_000, 9_000), 0, "all of it was bought");
    assert_eq!(asked(9_000, 6_000), 3_000);
    assert_eq!(asked(9_000, 100), 8_500, "what is kept covers what was bought");
}

#[test]
fn energy_is_not_kept_from_others_by_orders_that_are_not_paid() {
    // A quarter of an offer, 50 kWh, eight orders, sixteen unpaid a day; the program's own defaults.
    assert_eq!(unpaid_share_left(Wh(4_000), Wh(1_000)), Wh::ZERO);
    let held = |open_orders, energy, unpaid_today| Held { open_orders, energy: Wh(energy), unpaid_today };
    assert_eq!(check_held(&held(7, 49_000, 15), Wh(1_000)), Ok(()));
    for (held, refusal) in [
        (held(8, 0, 0), HeldTooMuch::Orders),
        (held(0, 49_001, 0), HeldTooMuch::Energy { left: Wh(999) }),
        (held(0, 0, 16), HeldTooMuch::Unpaid),
    ] {
        assert_eq!(check_held(&held, Wh(1_000)), Err(refusal));
        assert!(refusal.to_string().starts_with("market."));
    }
    let (caps, limits) =
        (jirani_energy_interface::state::Caps::default(), jirani_energy_interface::state::Limits::default());
    assert_eq!((HELD_MAX.0, UNPAID_PER_DAY_MAX), (caps.held_wh, caps.unpaid_orders));
    assert_eq!(OPEN_ORDERS_MAX, limits.open_orders_max);
}

#[test]
fn a_large_purchase_is_several_orders_that_the_program_takes() {
    let mut book = Book::new(TARIFF);
    book.enter(Side::Bid, &order(1, 220_000, 3_000)).unwrap();
    book.enter(Side::Ask, &order(101, 130_000, 1_500)).unwrap();
    for seller in 102..110 {
        book.enter(Side::Ask, &order(seller, 10_000, 1_500)).unwrap();
    }
    let plan = Plan::new(&book, &clear(&book, &draw(1))).unwrap();
    let posted: Vec<OfferId> = (1..=9).map(OfferId).collect();
    let mut all = 0;
    for purchase in &plan.purchases {
        let fills = plan.fills(purchase, &posted).unwrap();
        assert!(fills.len() <= fill::FILLS_MAX && fill::energy(&fills) <= HELD_MAX);
        all += fill::energy(&fills).0;
    }
    assert_eq!((all, plan.purchases.len()), (210_000, 5));
    assert_eq!(plan.offers[0].energy_wh, 130_000, "the seller still posts one offer");
}
