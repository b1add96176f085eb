//! Tariffs over time: what is refused, what follows, what a change leaves alone.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_market::schedule::{Schedule, ScheduleError, Standing, Terms, Version, standing};
use jirani_market::{Candidate, Fill, InvalidTariff, Tariff, Want, select, shares};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};
use proptest::prelude::*;

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };

/// The `quarter`-th quarter of an hour of a year.
const fn at(quarter: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + 900 * quarter)
}

fn dearer(cents: u32) -> Tariff {
    Tariff { retail: Price(3_500 + cents), ..TARIFF }
}

fn version(from: i64, until: Option<i64>, cents: u32) -> Version {
    Version { from: at(from), until: until.map(at), tariff: dearer(cents) }
}

#[test]
fn gaps_overlaps_and_contradictions_are_refused_with_their_codes() {
    let bad = Tariff { buy_back: Price(3_400), ..TARIFF };
    let off = Timestamp(at(0).0 + 1);
    for (versions, refusal) in [
        (vec![], ScheduleError::None),
        (vec![version(0, Some(4), 0), version(6, None, 1)], ScheduleError::Gap { from: at(4), until: at(6) }),
        (vec![version(0, Some(6), 0), version(4, None, 1)], ScheduleError::Overlap { from: at(4) }),
        (vec![version(0, None, 0), version(4, None, 1)], ScheduleError::Overlap { from: at(4) }),
        (vec![version(4, Some(8), 0), version(0, None, 1)], ScheduleError::Overlap { from: at(0) }),
        (vec![version(0, Some(4), 0)], ScheduleError::Ends { from: at(4) }),
        (vec![version(4, Some(4), 0)], ScheduleError::Backwards { from: at(4) }),
        (vec![Version { from: off, ..version(0, None, 0) }], ScheduleError::OffSlot { from: off }),
        (
            vec![Version { tariff: bad, ..version(0, None, 0) }],
            ScheduleError::Prices(InvalidTariff::NoMargin),
        ),
        (vec![version(0, None, 0); 1_025], ScheduleError::TooMany),
    ] {
        assert_eq!(Schedule::of(versions), Err(refusal));
        assert!(refusal.to_string().starts_with(&format!("{}: ", refusal.code())), "{refusal}");
    }
}

#[test]
fn bounds_follow_the_tariff_of_the_moment() {
    let schedule = Schedule::of(vec![version(0, Some(4), 0), version(4, None, 700)]).unwrap();
    let most = |moment| schedule.in_force(moment).map(Tariff::offer_price_max);
    assert_eq!(most(Timestamp(at(0).0 - 1)), None);
    assert_eq!(most(at(0)), Some(Price(3_000)));
    assert_eq!(most(Timestamp(at(4).0 - 1)), Some(Price(3_000)));
    assert_eq!(most(at(4)), Some(Price(3_700)));
    assert_eq!(schedule.next_change(at(0)).map(|next| next.from), Some(at(4)));
    assert_eq!(schedule.next_change(at(4)), None);
}

#[test]
fn what_is_in_force_does_not_change() {
    let schedule = Schedule::new(at(0), TARIFF).unwrap();
    let refusal = schedule.announce(at(8), at(8), dearer(1)).unwrap_err();
    assert_eq!(refusal, ScheduleError::InPast { earliest: at(8) });
    assert_eq!(refusal.code(), "market.tariff_in_past");
    let refusal = schedule.announce(at(-9), at(0), dearer(1)).unwrap_err();
    assert_eq!(refusal, ScheduleError::InPast { earliest: at(0) });
    let announced = schedule.announce(at(8), at(9), dearer(1)).unwrap();
    assert_eq!(announced.in_force(at(8)), Some(&TARIFF));
    assert_eq!(announced.in_force(at(9)), Some(&dearer(1)));
    // A later thought replaces what was announced and not yet begun.
    let again = announced.announce(at(8), at(9), dearer(2)).unwrap();
    assert_eq!(again.versions().len(), 2);
    assert_eq!(again.in_force(at(9)), Some(&dearer(2)));
}

#[test]
fn an_order_settles_under_the_terms_it_was_placed_under() {
    let fills = [Fill { offer: OfferId(1), seller: HouseholdId(1), energy_wh: 1_000, price: Price(3_000) }];
    let placed = Terms::of(&TARIFF);
    let after = Tariff { retail: Price(3_000), grid_fee: Price(500), ..TARIFF };
    let due = |terms: Terms| shares(&fills, terms.grid_fee, terms.tax).unwrap().due;
    assert_eq!(due(placed), Cents(3_500));
    assert_ne!(due(placed), due(Terms::of(&after)), "the new terms would ask for something else");
    assert!(due(placed).0 <= i64::from(placed.retail.0));
}

#[test]
fn an_open_offer_keeps_its_price_and_never_sells_outside_the_bounds() {
    assert_eq!(standing(&TARIFF, Price(2_000)), Standing::Stands(Price(2_000)));
    assert_eq!(standing(&TARIFF, Price(999)), Standing::Raised(Price(1_000)));
    assert_eq!(standing(&TARIFF, Price(3_001)), Standing::TooDear { max: Price(3_000) });
    // Between calls an order passes over what is too dear, and what would bring its seller
    // less than the operator pays.
    let offer = |id, price| Candidate {
        offer: OfferId(id),
        seller: HouseholdId(1),
        energy: Wh(100),
        open: Wh(100),
        held_by_buyer: Wh::ZERO,
        price: Price(price),
        created_at: Timestamp(0),
    };
    let offers = [offer(1, 3_001), offer(2, 999), offer(3, 1_000)];
    let chosen = select(&offers, HouseholdId(9), Want::Energy(Wh(50)), &TARIFF, false).unwrap();
    assert_eq!((chosen.fills[0].offer, chosen.fills[0].price), (OfferId(3), Price(1_000)));
}

proptest! {
    #[test]
    fn every_moment_has_one_tariff_and_the_past_is_never_rewritten(
        changes in prop::collection::vec((0i64..40, 1i64..40, 0u32..500), 0..12)
    ) {
        let mut schedule = Schedule::new(at(0), TARIFF).unwrap();
        let mut now = 0;
        for (later, ahead, cents) in changes {
            now += later;
            let next = schedule.announce(at(now), at(now + ahead), dearer(cents)).unwrap();
            for quarter in 0..now + ahead {
                prop_assert_eq!(next.in_force(at(quarter)), schedule.in_force(at(quarter)));
            }
            for quarter in now + ahead..now + ahead + 80 {
                prop_assert_eq!(next.in_force(at(quarter)), Some(&dearer(cents)));
            }
            prop_assert_eq!(Schedule::of(next.versions().to_vec()), Ok(next.clone()));
            schedule = next;
        }
    }
}
