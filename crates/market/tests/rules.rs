//! The market's rules on examples.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_market::limits::{check_offer, check_unpaid};
use jirani_market::{Candidate, Fill, InvalidTariff, MarketError, Tariff, Want, collect, select, shares};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
const BUYER: HouseholdId = HouseholdId(99);

/// An offer of `energy`, all open, number and age alike.
fn offer(id: u64, price: u32, energy: u64) -> Candidate {
    Candidate {
        offer: OfferId(id),
        seller: HouseholdId(u32::try_from(id).unwrap()),
        energy: Wh(energy),
        open: Wh(energy),
        held_by_buyer: Wh::ZERO,
        price: Price(price),
        created_at: Timestamp::from_seconds(i64::try_from(id).unwrap()),
    }
}

fn fill(id: u64, price: u32, energy_wh: u32) -> Fill {
    Fill {
        offer: OfferId(id),
        seller: HouseholdId(u32::try_from(id).unwrap()),
        energy_wh,
        price: Price(price),
    }
}

fn from_balance(candidates: &[Candidate], want: Want) -> Result<Vec<Fill>, MarketError> {
    select(candidates, BUYER, want, &TARIFF, false).map(|selection| selection.fills)
}

fn unpaid(candidates: &[Candidate], want: Want) -> Result<Vec<Fill>, MarketError> {
    select(candidates, BUYER, want, &TARIFF, true).map(|selection| selection.fills)
}

#[test]
fn the_cheapest_offer_goes_first_and_the_older_among_equals() {
    let offers = [offer(3, 1_500, 500), offer(2, 1_400, 500), offer(1, 1_500, 500)];
    let fills = from_balance(&offers, Want::Energy(Wh(1_200))).unwrap();
    assert_eq!(fills, [fill(2, 1_400, 500), fill(1, 1_500, 500), fill(3, 1_500, 200)]);
}

#[test]
fn of_offers_of_one_moment_the_lower_number_goes_first() {
    let offers = [5, 4].map(|id| Candidate { created_at: Timestamp(7), ..offer(id, 1_500, 500) });
    assert_eq!(from_balance(&offers, Want::Energy(Wh(1))).unwrap(), [fill(4, 1_500, 1)]);
}

#[test]
fn nobody_buys_from_oneself() {
    let own = Candidate { seller: BUYER, ..offer(1, 1_000, 5_000) };
    assert_eq!(from_balance(&[own], Want::Energy(Wh(1))), Err(MarketError::NothingOnOffer));
    let fills = from_balance(&[own, offer(2, 2_000, 5_000)], Want::Energy(Wh(700))).unwrap();
    assert_eq!(fills, [fill(2, 2_000, 700)]);
}

#[test]
fn an_offer_dearer_than_retail_is_passed_over() {
    let offers = [offer(1, 3_001, 5_000)];
    assert_eq!(from_balance(&offers, Want::Energy(Wh(1))), Err(MarketError::NothingOnOffer));
    assert!(from_balance(&[offer(1, 3_000, 5_000)], Want::Energy(Wh(1))).is_ok());
}

#[test]
fn dust_at_a_low_price_gives_way_when_four_fills_are_not_enough() {
    let mut offers: Vec<Candidate> = (1..=20).map(|id| offer(id, 1_000, 1)).collect();
    offers.push(offer(30, 2_000, 900));
    offers.push(offer(31, 2_100, 900));
    let fills = from_balance(&offers, Want::Energy(Wh(1_000))).unwrap();
    assert_eq!(fills, [fill(1, 1_000, 1), fill(2, 1_000, 1), fill(30, 2_000, 900), fill(31, 2_100, 98)]);
}

#[test]
fn what_one_order_cannot_take_is_refused_with_what_it_could() {
    let offers: Vec<Candidate> = (1..=6).map(|id| offer(id, 1_500, 100 * id)).collect();
    let refusal = from_balance(&offers, Want::Energy(Wh(2_000))).unwrap_err();
    assert_eq!(refusal, MarketError::NotEnough { available: Wh(300 + 400 + 500 + 600) });
}

#[test]
fn an_unpaid_order_holds_at_most_a_quarter_of_an_offer() {
    let offers = [offer(1, 1_500, 4_003)];
    assert_eq!(unpaid(&offers, Want::Energy(Wh(1_000))).unwrap(), [fill(1, 1_500, 1_000)]);
    let refusal = unpaid(&offers, Want::Energy(Wh(1_001))).unwrap_err();
    assert_eq!(refusal, MarketError::UnpaidShare { available: Wh(1_000) });
    assert!(from_balance(&offers, Want::Energy(Wh(4_003))).is_ok());
}

#[test]
fn what_the_buyer_holds_already_counts() {
    let held = |wh| [Candidate { held_by_buyer: Wh(wh), open: Wh(4_000 - wh), ..offer(1, 1_500, 4_000) }];
    assert_eq!(unpaid(&held(999), Want::Energy(Wh(1))).unwrap(), [fill(1, 1_500, 1)]);
    let refusal = unpaid(&held(1_000), Want::Energy(Wh(1))).unwrap_err();
    assert_eq!(refusal, MarketError::UnpaidShare { available: Wh::ZERO });
}

#[test]
fn a_budget_buys_all_it_can_and_not_a_cent_more() {
    let offers = [offer(1, 1_500, 1_000), offer(2, 2_500, 1_000)];
    // 1,000 Wh at 20.00 all in, then 33 Wh at 30.00: 2,099 of 2,100 cents.
    let selection = select(&offers, BUYER, Want::Budget(Cents(2_100)), &TARIFF, false).unwrap();
    assert_eq!(selection.fills, [fill(1, 1_500, 1_000), fill(2, 2_500, 33)]);
    assert_eq!(selection.shares.due, Cents(2_099));
}

#[test]
fn a_budget_beyond_all_offers_buys_the_four_largest() {
    let offers: Vec<Candidate> = (1..=6).map(|id| offer(id, 1_500, 100 * id)).collect();
    let fills = from_balance(&offers, Want::Budget(Cents(1_000_000))).unwrap();
    assert_eq!(fills, [fill(3, 1_500, 300), fill(4, 1_500, 400), fill(5, 1_500, 500), fill(6, 1_500, 600)]);
}

#[test]
fn wanting_nothing_or_too_little_is_said_plainly() {
    let offers = [offer(1, 1_500, 1_000)];
    assert_eq!(from_balance(&offers, Want::Energy(Wh(0))), Err(MarketError::NothingWanted));
    assert_eq!(from_balance(&offers, Want::Budget(Cents(0))), Err(MarketError::NothingWanted));
    assert_eq!(from_balance(&offers, Want::Budget(Cents(-5))), Err(MarketError::NothingWanted));
    assert_eq!(from_balance(&offers, Want::Budget(Cents(1))), Err(MarketError::BudgetTooSmall));
    assert_eq!(from_balance(&offers, Want::Budget(Cents(i64::MAX))), Err(MarketError::TooLarge));
    assert_eq!(from_balance(&[], Want::Energy(Wh(1))), Err(MarketError::NothingOnOffer));
}

#[test]
fn one_ceiling_for_the_order_and_a_floor_for_every_part() {
    let shares = shares(&[fill(1, 1_501, 333), fill(2, 1_777, 667)], Price(301), Price(201)).unwrap();
    // 1501 x 333 = 499,833; 1777 x 667 = 1,185,259; fee 301,000; tax 201,000: 2,187,092 in all.
    assert_eq!(shares.due, Cents(2_188));
    assert_eq!(shares.sellers, [(HouseholdId(1), Cents(499)), (HouseholdId(2), Cents(1_185))]);
    assert_eq!((shares.fee, shares.tax, shares.rounding), (Cents(301), Cents(201), Cents(2)));
}

#[test]
fn fills_that_are_no_order_cost_nothing_but_a_refusal() {
    let five = [fill(1, 1_500, 1); 5];
    for fills in [&[][..], &five[..], &[fill(1, 1_500, 0)][..]] {
        assert_eq!(shares(fills, Price(1), Price(1)), Err(MarketError::InvalidFills));
    }
    let huge = [fill(1, u32::MAX, u32::MAX); 4];
    assert_eq!(shares(&huge, Price(0), Price(0)), Err(MarketError::TooLarge));
}

#[test]
fn m_pesa_collects_whole_shillings_rounded_up() {
    assert_eq!(collect(Cents(2_100)), Ok(Cents(2_100)));
    assert_eq!(collect(Cents(2_101)), Ok(Cents(2_200)));
    assert_eq!(collect(Cents(i64::MAX)), Err(MarketError::TooLarge));
}

#[test]
fn an_offer_keeps_the_bounds_of_price_energy_and_life() {
    let check = |energy, price, life| check_offer(&TARIFF, Wh(energy), Price(price), life);
    for price in [1_000, 3_000] {
        assert_eq!(check(100, price, 60), Ok(()));
    }
    let bounds = MarketError::PriceOutOfBounds { min: Price(1_000), max: Price(3_000) };
    assert_eq!(check(100, 999, 60), Err(bounds));
    assert_eq!(check(100, 3_001, 60), Err(bounds));
    assert_eq!(check(99, 1_000, 60).unwrap_err().code(), "market.energy_out_of_bounds");
    assert_eq!(check(1 << 32, 1_000, 60).unwrap_err().code(), "market.energy_out_of_bounds");
    assert_eq!(check(100, 1_000, 59).unwrap_err().code(), "market.expiry_out_of_bounds");
    assert_eq!(check(100, 1_000, 2_592_001).unwrap_err().code(), "market.expiry_out_of_bounds");
}

#[test]
fn three_unpaid_orders_within_an_hour_shut_out_for_an_hour() {
    let at = |minute: i64| Timestamp::from_seconds(60 * minute);
    assert_eq!(check_unpaid(&[at(0), at(10)], at(11)), Ok(()));
    let three = [at(50), at(0), at(10)];
    assert_eq!(check_unpaid(&three, at(51)), Err(MarketError::TooManyUnpaid { until: at(110) }));
    assert_eq!(check_unpaid(&three, at(110)), Ok(()));
    assert_eq!(check_unpaid(&[at(0), at(30), at(60)], at(61)), Ok(()));
}

#[test]
fn a_tariff_leaves_room_for_an_offer_or_is_refused() {
    assert_eq!(TARIFF.validate(), Ok(()));
    assert_eq!((TARIFF.offer_price_min(), TARIFF.offer_price_max()), (Price(1_000), Price(3_000)));
    assert_eq!(TARIFF.all_in(Price(3_000)), TARIFF.retail);
    let tight = Tariff { buy_back: Price(3_000), ..TARIFF };
    assert_eq!(tight.validate(), Ok(()));
    let none = Tariff { buy_back: Price(3_001), ..TARIFF };
    assert_eq!(none.validate(), Err(InvalidTariff::NoMargin));
    assert_eq!(Tariff { tax: Price(u32::MAX), ..TARIFF }.validate(), Err(InvalidTariff::NoMargin));
    assert_eq!(Tariff { buy_back: Price(0), ..TARIFF }.validate(), Err(InvalidTariff::BuyBackZero));
    assert_eq!(Tariff { retail: Price(1_000_001), ..TARIFF }.validate(), Err(InvalidTariff::RetailTooHigh));
}

#[test]
fn a_refusal_begins_with_its_code() {
    let wh = Wh(1);
    for refusal in [
        MarketError::NothingWanted,
        MarketError::NothingOnOffer,
        MarketError::NotEnough { available: wh },
        MarketError::UnpaidShare { available: wh },
        MarketError::BudgetTooSmall,
        MarketError::TooLarge,
        MarketError::InvalidFills,
        MarketError::EnergyOutOfBounds { min: wh, max: wh },
        MarketError::PriceOutOfBounds { min: Price(1), max: Price(2) },
        MarketError::ExpiryOutOfBounds { min_s: 1, max_s: 2 },
        MarketError::TooManyOffers,
        MarketError::TooManyUnpaid { until: Timestamp(0) },
    ] {
        assert!(refusal.to_string().starts_with(&format!("{}: ", refusal.code())), "{refusal}");
    }
}
