//! Households' rules: what is refused, what each does, and what a silent meter, an empty
//! balance or an overtaken price brings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

use jirani_market::call::{Book, CallOrder, Draw, Plan, Side, clear};
use jirani_market::rule::{
    Act, Acting, BuyRule, Cover, Intent, IntentKey, Notice, RuleError, Rules, SellRule, State, decide,
};
use jirani_market::{Candidate, Tariff};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use proptest::prelude::*;

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
const SLOT: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };
const HOME: HouseholdId = HouseholdId(7);

const SELL: SellRule =
    SellRule { keep_wh: Wh(2_000), floor_cents_per_kwh: Price(1_500), acting: Acting::Act };
const BUY: BuyRule = BuyRule {
    cover: Cover::Shortfall,
    price_max_cents_per_kwh: Price(3_500),
    budget_per_day_cents: Cents(10_000),
    acting: Acting::Act,
};

fn rules(sell: Option<SellRule>, buy: Option<BuyRule>) -> Rules {
    Rules { sell, buy, set_at: Timestamp(0) }
}

fn state(vault: u64, shortfall: u64, available: i64) -> State {
    State {
        household: HOME,
        attested_through: SLOT.end(),
        vault: Wh(vault),
        bought: Wh::ZERO,
        shortfall: Wh(shortfall),
        incoming: Wh::ZERO,
        available: Cents(available),
        spent_today: Cents::ZERO,
    }
}

fn acts(rules: &Rules, state: &State) -> Vec<Act> {
    decide(rules, state, &TARIFF, &[], SLOT).into_iter().map(|intent| intent.act).collect()
}

fn bid(rules: &Rules, state: &State) -> CallOrder {
    match acts(rules, state)[..] {
        [Act::Bid(order)] => order,
        ref other => panic!("no bid but {other:?}"),
    }
}

#[test]
fn rules_that_contradict_themselves_or_the_tariff_are_refused_in_words() {
    let in_hand = |wh| BuyRule { cover: Cover::InHand(Wh(wh)), ..BUY };
    for (rules, refusal) in [
        (
            rules(Some(SELL), Some(in_hand(2_001))),
            RuleError::Contradiction { in_hand: Wh(2_001), keep: Wh(2_000) },
        ),
        (rules(None, Some(in_hand(0))), RuleError::InHandZero),
        (rules(None, Some(in_hand(1_000_001))), RuleError::EnergyTooLarge),
        (rules(Some(SellRule { keep_wh: Wh(1_000_001), ..SELL }), None), RuleError::EnergyTooLarge),
        (rules(None, Some(BuyRule { budget_per_day_cents: Cents(0), ..BUY })), RuleError::BudgetZero),
        (rules(None, Some(BuyRule { budget_per_day_cents: Cents(-1), ..BUY })), RuleError::BudgetZero),
        (
            rules(None, Some(BuyRule { budget_per_day_cents: Cents(50_000_001), ..BUY })),
            RuleError::BudgetTooLarge,
        ),
        (
            rules(Some(SellRule { floor_cents_per_kwh: Price(999), ..SELL }), None),
            RuleError::FloorOutOfBounds { min: Price(1_000), max: Price(3_000) },
        ),
        (
            rules(Some(SellRule { floor_cents_per_kwh: Price(3_001), ..SELL }), None),
            RuleError::FloorOutOfBounds { min: Price(1_000), max: Price(3_000) },
        ),
        (
            rules(None, Some(BuyRule { price_max_cents_per_kwh: Price(1_499), ..BUY })),
            RuleError::PriceOutOfBounds { min: Price(1_500), max: Price(3_500) },
        ),
        (
            rules(None, Some(BuyRule { price_max_cents_per_kwh: Price(3_501), ..BUY })),
            RuleError::PriceOutOfBounds { min: Price(1_500), max: Price(3_500) },
        ),
    ] {
        assert_eq!(rules.check(&TARIFF), Err(refusal));
        assert!(refusal.to_string().starts_with(&format!("{}: ", refusal.code())), "{refusal}");
    }
    assert_eq!(rules(Some(SELL), Some(in_hand(2_000))).check(&TARIFF), Ok(()));
    assert_eq!(rules(None, None).check(&TARIFF), Ok(()));
}

#[test]
fn what_is_left_above_what_is_kept_is_asked_for_at_the_floor() {
    let sell = rules(Some(SELL), None);
    let [Act::Ask(ask)] = acts(&sell, &state(2_750, 0, 0))[..] else { panic!("no ask") };
    assert_eq!((ask.energy_wh, ask.limit, ask.since), (750, Price(1_500), SLOT.end()));
    assert_eq!(acts(&sell, &state(2_009, 0, 0)), [], "less than the least lot waits");
    assert_eq!(acts(&sell, &state(5_000, 1, 0)), [], "who owes does not sell");
}

#[test]
fn a_shortfall_is_covered_and_energy_kept_in_hand() {
    let shortfall = rules(None, Some(BUY));
    assert_eq!(bid(&shortfall, &state(0, 400, 100_000)).energy_wh, 400);
    assert_eq!(acts(&shortfall, &state(0, 0, 100_000)), []);
    let in_hand = rules(None, Some(BuyRule { cover: Cover::InHand(Wh(1_000)), ..BUY }));
    assert_eq!(bid(&in_hand, &state(300, 0, 100_000)).energy_wh, 700);
    assert_eq!(bid(&in_hand, &state(0, 400, 100_000)).energy_wh, 1_400);
    let coming = State { incoming: Wh(1_300), ..state(0, 400, 100_000) };
    assert_eq!(bid(&in_hand, &coming).energy_wh, 100, "what was ordered before is not ordered twice");
}

#[test]
fn balance_and_what_is_left_of_the_budget_bound_a_bid() {
    let buy = rules(None, Some(BUY));
    // 35.00 per kWh: 700 cents pay 200 Wh.
    let poor = bid(&buy, &state(0, 9_000, 700));
    assert_eq!((poor.energy_wh, poor.money, poor.limit), (200, Cents(700), Price(3_000)));
    let spent = State { spent_today: Cents(9_300), ..state(0, 9_000, 100_000) };
    assert_eq!(bid(&buy, &spent).energy_wh, 200);
    let all = State { spent_today: Cents(10_000), ..spent };
    assert_eq!(acts(&buy, &all), [Act::Tell(Notice::BudgetSpent { budget: Cents(10_000) })]);
    assert_eq!(acts(&buy, &state(0, 9_000, 0)), [Act::Tell(Notice::NoBalance { available: Cents(0) })]);
}

#[test]
fn a_rule_that_notifies_never_trades() {
    let tell = rules(
        Some(SellRule { acting: Acting::Notify, ..SELL }),
        Some(BuyRule { acting: Acting::Notify, ..BUY }),
    );
    let could_sell = Notice::CouldSell { energy: Wh(1_000), floor: Price(1_500) };
    assert_eq!(acts(&tell, &state(3_000, 0, 0)), [Act::Tell(could_sell)]);
    let needs = state(0, 500, 100_000);
    let nobody = Notice::NobodySells { energy: Wh(500), retail: Price(3_500) };
    assert_eq!(acts(&tell, &needs), [Act::Tell(nobody)]);
    let offer = |seller, price| Candidate {
        offer: OfferId(1),
        seller,
        energy: Wh(100),
        open: Wh(100),
        held_by_buyer: Wh::ZERO,
        price: Price(price),
        created_at: Timestamp(0),
    };
    let offers = [offer(HOME, 1_000), offer(HouseholdId(1), 2_000), offer(HouseholdId(2), 1_800)];
    let told = decide(&tell, &needs, &TARIFF, &offers, SLOT);
    assert_eq!(told[0].act, Act::Tell(Notice::CouldBuy { energy: Wh(500), best: Price(2_300) }));
    assert_eq!(
        Notice::CouldBuy { energy: Wh(500), best: Price(2_300) }.to_string(),
        "You need 0.500 kWh. A neighbour sells now at KSh 23.00/kWh, fee and tax included. Buy?"
    );
}

#[test]
fn a_rule_set_after_the_slot_began_waits_for_the_next() {
    let late = Rules { set_at: Timestamp(SLOT.start.0 + 1), ..rules(Some(SELL), None) };
    let rich = state(9_000, 0, 0);
    assert_eq!(decide(&late, &rich, &TARIFF, &[], SLOT), []);
    let next = State { attested_through: SLOT.next().end(), ..rich };
    assert_eq!(decide(&late, &next, &TARIFF, &[], SLOT.next()).len(), 1);
    let in_time = Rules { set_at: SLOT.start, ..late };
    assert_eq!(decide(&in_time, &rich, &TARIFF, &[], SLOT).len(), 1);
}

#[test]
fn a_silent_meter_stops_the_rules_and_after_a_day_its_household_is_told() {
    let all = rules(Some(SELL), Some(BUY));
    let silent = |seconds: i64| State {
        attested_through: SLOT.end().plus_seconds(-seconds),
        ..state(9_000, 0, 100_000)
    };
    assert_eq!(acts(&all, &silent(900)), []);
    assert_eq!(acts(&all, &silent(85_500)), []);
    let since = SLOT.end().plus_seconds(-86_400);
    assert_eq!(acts(&all, &silent(86_400)), [Act::Tell(Notice::MeterSilent { since })]);
}

#[test]
fn a_later_tariff_never_makes_a_rule_trade_beyond_itself_or_the_tariff() {
    let act = |rules: &Rules, state: &State, tariff: &Tariff| decide(rules, state, tariff, &[], SLOT)[0].act;
    let (sell, buy) = (rules(Some(SELL), None), rules(None, Some(BUY)));
    let (rich, owing) = (state(9_000, 0, 0), state(0, 100, 100_000));
    // Buy-back above the floor: the ask goes up with it.
    let generous = Tariff { buy_back: Price(2_000), ..TARIFF };
    let Act::Ask(ask) = act(&sell, &rich, &generous) else { panic!("no ask") };
    assert_eq!(ask.limit, Price(2_000));
    // Retail below what the order would pay: it pays retail. Below the floor: the sale waits.
    let cheap = Tariff { retail: Price(1_900), buy_back: Price(500), ..TARIFF };
    let Act::Bid(bid) = act(&buy, &owing, &cheap) else { panic!("no bid") };
    assert_eq!(cheap.all_in(bid.limit), cheap.retail);
    let overtaken = Notice::FloorOvertaken { floor: Price(1_500), max: Price(1_400) };
    assert_eq!(act(&sell, &rich, &cheap), Act::Tell(overtaken));
    let dear = Tariff { retail: Price(9_000), buy_back: Price(4_000), ..TARIFF };
    let overtaken = Notice::PriceOvertaken { price: Price(3_500), min: Price(4_500) };
    assert_eq!(act(&buy, &owing, &dear), Act::Tell(overtaken));
}

#[test]
fn a_trade_is_known_by_its_slot_and_a_message_by_its_day() {
    let all = rules(Some(SELL), None);
    let keys = |rules: &Rules, state: &State| -> Vec<String> {
        decide(rules, state, &TARIFF, &[], SLOT).iter().map(|intent| intent.key.to_string()).collect()
    };
    assert_eq!(keys(&all, &state(9_000, 0, 0)), ["sell/2027-01-15T08:00:00Z/7"]);
    let buy = rules(None, Some(BUY));
    assert_eq!(keys(&buy, &state(0, 100, 10_000)), ["buy/2027-01-15T08:00:00Z/7"]);
    assert_eq!(keys(&buy, &state(0, 100, 0)), ["notice/2027-01-15/7/no_balance"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_the_state_a_rule_spends_and_sells_only_what_is_there(
        vault in 0u64..20_000, shortfall in 0u64..20_000, incoming in 0u64..5_000, available in -500i64..60_000,
        spent in 0i64..12_000, keep in 1u64..9_000, hand in 1u64..9_000, price in 1_500u32..=3_500,
        asks in prop::collection::vec((1_000u32..=3_000, 1u32..400), 0..30)
    ) {
        let rules = rules(
            Some(SellRule { keep_wh: Wh(keep), ..SELL }),
            Some(BuyRule { cover: Cover::InHand(Wh(hand.min(keep))), price_max_cents_per_kwh: Price(price), ..BUY }),
        );
        prop_assert_eq!(rules.check(&TARIFF), Ok(()));
        let (vault, shortfall) = if vault > shortfall { (vault, 0) } else { (0, shortfall) };
        let before = State {
            incoming: Wh(incoming),
            spent_today: Cents(spent),
            ..state(vault, shortfall, available)
        };
        let intents = decide(&rules, &before, &TARIFF, &[], SLOT);
        prop_assert_eq!(&intents, &decide(&rules, &before, &TARIFF, &[], SLOT));
        let keys: std::collections::HashSet<IntentKey> = intents.iter().map(|intent| intent.key).collect();
        prop_assert_eq!(keys.len(), intents.len());
        let trades = intents.iter().filter(|intent| !matches!(intent.act, Act::Tell(_))).count();
        prop_assert!(trades <= 1, "nobody sells and buys in one slot");
        for Intent { act, .. } in intents {
            match act {
                Act::Ask(ask) => prop_assert!(u64::from(ask.energy_wh) + keep <= vault && shortfall == 0),
                Act::Bid(bid) => {
                    let mut book = Book::new(TARIFF);
                    book.enter(Side::Bid, &bid).unwrap();
                    for (seller, (limit, energy_wh)) in (100..).zip(&asks) {
                        let ask = CallOrder {
                            household: HouseholdId(seller),
                            limit: Price(*limit),
                            energy_wh: *energy_wh,
                            ..bid
                        };
                        book.enter(Side::Ask, &ask).unwrap();
                    }
                    let draw = Draw::open(&Draw::commitment(&[1; 32]), [1; 32], [2; 32], SLOT).unwrap();
                    let plan = Plan::new(&book, &clear(&book, &draw)).unwrap();
                    let cost: i64 = plan.purchases.iter().map(|purchase| purchase.shares.due.0).sum();
                    prop_assert!(cost <= available && cost + spent.min(10_000) <= 10_000);
                    for purchase in &plan.purchases {
                        let energy: u64 = purchase.lots.iter().map(|(_, wh)| u64::from(*wh)).sum();
                        prop_assert!(purchase.shares.due.0 * 1_000 < i64::try_from(energy * u64::from(price)).unwrap() + 1_000);
                    }
                }
                Act::Tell(_) => {}
            }
        }
    }
}
