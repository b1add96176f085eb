//! Bills and the feeder's slot: never worse than the tariff, and everything sums to zero.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod village;

use jirani_market::bill::{
    BillError, Flow, Guarantee, Line, Period, SlotBill, Trade, Words, csv, sentence, totals,
};
use jirani_market::report::{Curtailment, CurtailmentReason, Member, ReportError, SlotReport};
use jirani_market::schedule::{Standing, Terms, standing};
use jirani_market::{Fill, Tariff};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use proptest::prelude::*;
use village::{TARIFF, Village, made_up};

const SLOT: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };
const ANNA: HouseholdId = HouseholdId(1);
const BARAKA: HouseholdId = HouseholdId(2);

fn trade(buyer: HouseholdId, seller: HouseholdId, energy_wh: u32, price: u32) -> Trade {
    let fill = Fill { offer: OfferId(1), seller, energy_wh, price: Price(price) };
    Trade { buyer, fills: vec![fill], terms: Terms::of(&TARIFF) }
}

/// Anna sold 400 Wh to Baraka at 18.00, who owed 300 Wh and drew 100 more.
fn sale() -> (Flow, Flow, Trade) {
    let anna = Flow { holding_before: Wh(1_000), holding_after: Wh(600), ..Flow::default() };
    let baraka = Flow { import: Wh(100), shortfall_before: Wh(300), ..Flow::default() };
    (anna, baraka, trade(BARAKA, ANNA, 400, 1_800))
}

#[test]
fn buyer_and_seller_see_one_trade_each_from_their_side() {
    let (anna, baraka, trade) = sale();
    let trades = [trade];
    let bill = |household, flow| SlotBill::new(household, SLOT, &TARIFF, flow, &trades).unwrap();
    let (sold, bought) = (bill(ANNA, &anna), bill(BARAKA, &baraka));
    // 400 Wh at 18.00 are 7.20; the operator would have paid 4.00.
    assert_eq!(
        sold.lines,
        [Line::Sold {
            to: BARAKA,
            energy: Wh(400),
            price: Price(1_800),
            received: Cents(720),
            gain: Cents(320),
        }]
    );
    // With fee and tax 23.00 per kWh: 9.20; retail is 14.00.
    assert_eq!(
        bought.lines,
        [
            Line::Bought {
                from: vec![(ANNA, Wh(400), Price(1_800))],
                energy: Wh(400),
                due: Cents(920),
                fee: Cents(120),
                tax: Cents(80),
                gain: Cents(480),
            },
            Line::PaidOff { energy: Wh(300), at_retail: Cents(1_050) }
        ]
    );
    assert_eq!((sold.gain(), bought.gain()), (Cents(320), Cents(480)));
}

#[test]
fn own_energy_used_later_gains_what_lies_between_buying_and_selling() {
    let flow = Flow { import: Wh(500), holding_before: Wh(800), holding_after: Wh(300), ..Flow::default() };
    let own = SlotBill::new(ANNA, SLOT, &TARIFF, &flow, &[]).unwrap();
    assert_eq!(own.lines, [Line::OwnUse { energy: Wh(500), gain: Cents(1_250) }]);
    // What was bought is used first, and gained already when it was bought.
    let bought = Flow { bought_before: Wh(450), ..flow };
    let mixed = SlotBill::new(ANNA, SLOT, &TARIFF, &bought, &[]).unwrap();
    assert_eq!(mixed.lines, [Line::OwnUse { energy: Wh(50), gain: Cents(125) }]);
    assert_eq!(mixed.bought_left, Wh(0));
}

#[test]
fn what_nobody_sold_is_owed_at_retail_like_with_the_tariff_alone() {
    let flow = Flow { import: Wh(101), shortfall_after: Wh(101), ..Flow::default() };
    let bill = SlotBill::new(ANNA, SLOT, &TARIFF, &flow, &[]).unwrap();
    assert_eq!(bill.lines, [Line::Shortfall { energy: Wh(101), at_retail: Cents(354) }]);
    assert_eq!(bill.gain(), Cents(0));
}

#[test]
fn tokens_from_nowhere_make_no_bill() {
    let flow = Flow { holding_after: Wh(1), ..Flow::default() };
    let refusal = SlotBill::new(ANNA, SLOT, &TARIFF, &flow, &[]).unwrap_err();
    assert_eq!(refusal, BillError::NotConserved);
    assert!(refusal.to_string().starts_with("bill.not_conserved: "));
    let flow = Flow { shortfall_after: Wh(1), ..Flow::default() };
    assert_eq!(SlotBill::new(ANNA, SLOT, &TARIFF, &flow, &[]), Err(BillError::NotConserved));
}

#[test]
fn only_a_price_outside_the_bounds_breaks_the_guarantee_and_it_is_found() {
    let (anna, _, _) = sale();
    let bill = |tariff: &Tariff, price| {
        let trade = Trade { terms: Terms::of(tariff), ..trade(BARAKA, ANNA, 400, price) };
        SlotBill::new(ANNA, SLOT, tariff, &anna, &[trade]).unwrap().guarantee()
    };
    assert_eq!(bill(&TARIFF, 1_000), Guarantee::Holds);
    assert_eq!(bill(&TARIFF, 990), Guarantee::Broken { line: 0, by: Cents(4) });
    // An offer that a rising buy-back overtook is raised before it may trade.
    let risen = Tariff { buy_back: Price(2_000), ..TARIFF };
    assert_eq!(standing(&risen, Price(1_800)), Standing::Raised(Price(2_000)));
    assert_eq!(bill(&risen, 1_800), Guarantee::Broken { line: 0, by: Cents(80) });
    assert_eq!(bill(&risen, 2_000), Guarantee::Holds);
    // One that was ordered before it rose brought what it then had to.
    let before = [trade(BARAKA, ANNA, 400, 1_800)];
    let bill = SlotBill::new(ANNA, SLOT, &risen, &anna, &before).unwrap();
    assert_eq!((bill.guarantee(), bill.gain()), (Guarantee::Holds, Cents(320)));
}

#[test]
fn months_and_days_add_up_in_nairobi_and_fit_an_sms_and_a_table() {
    let (anna, baraka, trade) = sale();
    let trades = [trade];
    let at = |text: &str| Slot::containing(text.parse().unwrap(), 900);
    let (late, next) = (at("2026-11-30T20:45:00Z"), at("2026-11-30T21:00:00Z"));
    let bill = |slot, household, flow| SlotBill::new(household, slot, &TARIFF, flow, &trades).unwrap();
    let bills = [bill(late, ANNA, &anna), bill(next, ANNA, &anna), bill(next, BARAKA, &baraka)];
    let months = totals(&bills[..2], Period::Month);
    assert_eq!(months.keys().collect::<Vec<_>>(), ["2026-11", "2026-12"]);
    assert_eq!(totals(&bills[..2], Period::Day).len(), 2);
    let month = months["2026-11"];
    assert_eq!((month.sold, month.received, month.gain), (Wh(400), Cents(720), Cents(320)));
    assert_eq!(
        sentence("2026-11", &month),
        "2026-11: bought 0.000 kWh for KSh 0.00, sold 0.400 kWh for KSh 7.20. You gained KSh 3.20 against the tariff."
    );
    let alias =
        |id: HouseholdId| if id == ANNA { "=Jirani \"7\", Anna".to_owned() } else { "Jirani 12".to_owned() };
    assert_eq!(
        csv(&bills[1..], &Words::EN, alias),
        "slot_start,what,with,energy_wh,price_cents_per_kwh,amount_cents,fee_cents,tax_cents,gain_cents\n\
         2026-11-30T21:00:00Z,sold,Jirani 12,400,1800,720,0,0,320\n\
         2026-11-30T21:00:00Z,bought,\"Jirani \"\"7\"\", Anna\",400,1800,-920,120,80,480\n\
         2026-11-30T21:00:00Z,paid_off,,300,,1050,0,0,0\n"
    );
}

#[test]
fn a_month_of_a_large_home_still_fits_one_sms() {
    let total = jirani_market::bill::Total {
        bought: Wh(9_999_999),
        sold: Wh(9_999_999),
        paid: Cents(99_999_999),
        received: Cents(99_999_999),
        gain: Cents(-99_999_999),
        ..Default::default()
    };
    let text = sentence("2026-11", &total);
    assert!(text.len() <= 160 && text.is_ascii(), "{} characters", text.len());
}

#[test]
fn a_report_that_does_not_sum_to_zero_names_the_difference() {
    let (anna, baraka, sale) = sale();
    let plant = HouseholdId(9);
    let plant_flow = Flow { export: Wh(100), holding_after: Wh(100), ..Flow::default() };
    let members = [
        (ANNA, Member::Household, anna),
        (BARAKA, Member::Household, baraka),
        (plant, Member::Plant, plant_flow),
    ];
    let curtailed = [Curtailment { household: ANNA, energy: Wh(50), reason: CurtailmentReason::BatteryFull }];
    let make = |members: &[_], trades: &[Trade]| SlotReport::new(1, SLOT, members, trades, &curtailed);
    let report = make(&members, std::slice::from_ref(&sale)).unwrap();
    assert_eq!((report.energy_in, report.energy_out, report.traded), (Wh(100), Wh(100), Wh(400)));
    assert_eq!((report.shortfall_grown_wh, report.losses), (-300, Wh(0)));
    assert_eq!((report.money[&ANNA], report.money[&BARAKA]), (Cents(720), Cents(-920)));
    assert_eq!((report.fees, report.taxes, report.rounding), (Cents(120), Cents(80), Cents(0)));
    assert_eq!((report.money_sum(), &report.curtailed[..]), (Cents(0), &curtailed[..]));

    let energy = ReportError::Energy { exported: Wh(0), imported: Wh(100) };
    assert_eq!(make(&members[..2], std::slice::from_ref(&sale)), Err(energy));
    assert_eq!(make(&members, &[]), Err(ReportError::Tokens(ANNA)));
    let stranger = trade(HouseholdId(77), ANNA, 400, 1_800);
    assert_eq!(make(&members, &[stranger]), Err(ReportError::Stranger(HouseholdId(77))));
    let twice = [members[0], members[0], members[1], members[2]];
    assert_eq!(make(&twice, &[sale]), Err(ReportError::Twice(ANNA)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every slot's bills hold the guarantee and every report sums to zero: the village
    /// itself asserts it. Over the days nobody ends worse off than with the tariff alone.
    #[test]
    fn a_village_of_rules_is_never_worse_off_and_loses_nothing(seed: u64, keep in 0u64..6_000) {
        let homes = 25u64;
        let mut village = Village::new((0..homes).map(|home| village::rules(home, Wh(keep))), seed);
        let mut slot = SLOT;
        for _ in 0..96 * 4 {
            let flows: Vec<_> = (0..homes).map(|home| made_up(seed, home, slot)).collect();
            village.step(slot, &flows);
            slot = slot.next();
        }
        prop_assert!(village.traded_wh > 0);
        let mut money = village.operator_balance;
        for home in &village.homes {
            // Each order rounds up by less than a cent, the comparison over all time once.
            prop_assert!(home.saved() >= -100, "{} cents", home.saved());
            // The sum of all lines is what the year really saved, but for a cent per line.
            let lines = 3 * 96 * 4;
            prop_assert!(home.total.gain.0 >= 0 && (home.saved() - home.total.gain.0).abs() <= lines);
            money += home.balance - home.paid_in;
        }
        prop_assert_eq!(money, 0);
    }
}
