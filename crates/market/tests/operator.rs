//! What the operator buys back by itself: only what is old, and never twice.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_market::operator::{BuyBack, Unsold};
use jirani_units::{HouseholdId, Timestamp, Wh};
use proptest::prelude::*;

const HOME: HouseholdId = HouseholdId(17);

/// Noon of the `day`-th day of a year, in Nairobi.
fn noon(day: i64) -> Timestamp {
    "2026-01-01T09:00:00Z".parse::<Timestamp>().unwrap().plus_seconds(86_400 * day)
}

fn due(unsold: &Unsold, day: i64, vault: u64) -> u64 {
    unsold.due(HOME, noon(day), 14, Wh(vault)).map_or(0, |due: BuyBack| due.energy.0)
}

#[test]
fn what_was_pushed_a_fortnight_ago_is_bought_back() {
    let mut unsold = Unsold::default();
    unsold.add(noon(0), Wh(500));
    unsold.add(noon(1), Wh(300));
    assert_eq!((due(&unsold, 13, 800), due(&unsold, 14, 800), due(&unsold, 15, 800)), (0, 500, 800));
    let back = unsold.due(HOME, noon(14), 14, Wh(800)).unwrap();
    assert_eq!(back.to_string(), "buy-back/2026-01-15/17");
    unsold.take(back.energy);
    assert_eq!(due(&unsold, 14, 300), 0, "bought back once");
}

#[test]
fn what_is_used_or_sold_is_taken_from_the_oldest() {
    let mut unsold = Unsold::default();
    unsold.add(noon(0), Wh(500));
    unsold.add(noon(1), Wh(300));
    unsold.take(Wh(600));
    assert_eq!((due(&unsold, 14, 800), due(&unsold, 15, 800)), (0, 200));
    unsold.take(Wh(9_000));
    assert_eq!(unsold, Unsold::default());
}

#[test]
fn what_stands_on_offer_waits_for_the_offers_end() {
    let mut unsold = Unsold::default();
    unsold.add(noon(0), Wh(500));
    assert_eq!((due(&unsold, 14, 120), due(&unsold, 14, 0)), (120, 0));
}

proptest! {
    #[test]
    fn nothing_is_bought_back_too_early_or_more_than_there_is(
        story in prop::collection::vec((0i64..4, 0u64..900, 0u64..900), 1..60)
    ) {
        let mut unsold = Unsold::default();
        // Days with what was pushed on each, used up from the front: the slow way.
        let mut held: Vec<(i64, u64)> = Vec::new();
        let mut day = 0;
        for (later, pushed, used) in story {
            day += later;
            unsold.add(noon(day), Wh(pushed));
            held.push((day, pushed));
            unsold.take(Wh(used));
            let mut left = used;
            for (_, wh) in &mut held {
                let taken = left.min(*wh);
                *wh -= taken;
                left -= taken;
            }
            let old: u64 = held.iter().filter(|(pushed, _)| day - pushed >= 14).map(|(_, wh)| wh).sum();
            prop_assert_eq!(due(&unsold, day, u64::MAX), old);
            prop_assert_eq!(unsold.total(), Wh(held.iter().map(|(_, wh)| wh).sum()));
        }
    }
}
