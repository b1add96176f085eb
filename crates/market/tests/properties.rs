//! The market's rules on anything: against a search of all possibilities, and
//! against the program's own arithmetic.

use jirani_energy_interface::money::due_cents;
use jirani_market::fill::{FILLS_MAX, energy};
use jirani_market::{Candidate, MarketError, Tariff, Want, retail_cost, select, shares};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};
use proptest::prelude::*;
use std::collections::HashSet;

const BUYER: HouseholdId = HouseholdId(0);

prop_compose! {
    fn tariffs()(buy_back in 1u32..4_000, fee in 0u32..500, tax in 0u32..500, margin in 0u32..3_000) -> Tariff {
        Tariff {
            retail: Price(buy_back + fee + tax + margin),
            buy_back: Price(buy_back),
            grid_fee: Price(fee),
            tax: Price(tax),
        }
    }
}

prop_compose! {
    fn candidates(most: u64)(
        list in prop::collection::vec((0u32..5, 0u32..8_000, 0..most, 0..most, 0..most, 0i64..3), 0..9)
    ) -> Vec<Candidate> {
        (1..).zip(list).map(|(id, (seller, price, open, gone, held, age))| Candidate {
            offer: OfferId(id),
            seller: HouseholdId(seller),
            energy: Wh(open + gone),
            open: Wh(open),
            held_by_buyer: Wh(held.min(gone)),
            price: Price(price),
            created_at: Timestamp(age),
        }).collect()
    }
}

fn wants() -> impl Strategy<Value = Want> {
    prop_oneof![
        (1u64..20_000).prop_map(|wh| Want::Energy(Wh(wh))),
        (1i64..100_000).prop_map(|cents| Want::Budget(Cents(cents)))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_order_keeps_every_rule(
        candidates in candidates(6_000), tariff in tariffs(), want in wants(), until_receipt: bool
    ) {
        let Ok(selection) = select(&candidates, BUYER, want, &tariff, until_receipt) else { return Ok(()) };
        let fills = &selection.fills;
        prop_assert!((1..=FILLS_MAX).contains(&fills.len()));
        let offers: HashSet<OfferId> = fills.iter().map(|fill| fill.offer).collect();
        prop_assert_eq!(offers.len(), fills.len());
        for fill in fills {
            let offer = candidates.iter().find(|candidate| candidate.offer == fill.offer).unwrap();
            prop_assert_eq!((fill.seller, fill.price), (offer.seller, offer.price));
            prop_assert_ne!(fill.seller, BUYER);
            prop_assert!(fill.energy_wh > 0 && u64::from(fill.energy_wh) <= offer.open.0);
            if until_receipt {
                prop_assert!(4 * (u64::from(fill.energy_wh) + offer.held_by_buyer.0) <= offer.energy.0);
            }
        }
        prop_assert!(fills.is_sorted_by_key(|fill| fill.price));
        match want {
            Want::Energy(wanted) => prop_assert_eq!(energy(fills), wanted),
            Want::Budget(budget) => prop_assert!(selection.shares.due <= budget),
        }
    }

    #[test]
    fn nobody_pays_more_than_retail_for_the_same_lot(
        candidates in candidates(6_000), tariff in tariffs(), want in wants()
    ) {
        let Ok(selection) = select(&candidates, BUYER, want, &tariff, false) else { return Ok(()) };
        prop_assert!(selection.shares.due <= retail_cost(&tariff, &selection.fills).unwrap());
    }

    #[test]
    fn every_cent_of_the_due_goes_somewhere(
        lots in prop::collection::vec((0u32..1_000_000, 1u32..), 1..=4), fee in 0u32..1_000, tax in 0u32..1_000
    ) {
        let fills: Vec<_> = lots.iter().map(|(price, energy_wh)| jirani_market::Fill {
            offer: OfferId(1), seller: HouseholdId(1), energy_wh: *energy_wh, price: Price(*price),
        }).collect();
        let shares = shares(&fills, Price(fee), Price(tax)).unwrap();
        let given: i64 = shares.sellers.iter().map(|(_, cents)| cents.0).sum::<i64>() + shares.fee.0 + shares.tax.0;
        prop_assert_eq!(given + shares.rounding.0, shares.due.0);
        prop_assert!((0..=6).contains(&shares.rounding.0));
    }

    #[test]
    fn the_program_on_chain_counts_the_same_due(
        candidates in candidates(6_000), tariff in tariffs(), want in wants()
    ) {
        let Ok(selection) = select(&candidates, BUYER, want, &tariff, false) else { return Ok(()) };
        let lots = selection.fills.iter().map(|fill| (fill.price.0, fill.energy_wh));
        let due = due_cents(lots, tariff.grid_fee.0, tariff.tax.0, tariff.retail.0);
        prop_assert_eq!(due.map(|cents| Cents(i64::try_from(cents).unwrap())), Some(selection.shares.due));
    }

    /// One more Wh of any offer would break the budget, or the limit of fills.
    #[test]
    fn a_budget_is_used_up(candidates in candidates(300), tariff in tariffs(), budget in 1i64..3_000) {
        let Ok(selection) = select(&candidates, BUYER, Want::Budget(Cents(budget)), &tariff, false) else {
            return Ok(());
        };
        for (place, fill) in selection.fills.iter().enumerate() {
            let offer = candidates.iter().find(|candidate| candidate.offer == fill.offer).unwrap();
            if u64::from(fill.energy_wh) < offer.open.0 {
                let mut more = selection.fills.clone();
                more[place].energy_wh += 1;
                prop_assert!(shares(&more, tariff.grid_fee, tariff.tax).unwrap().due > Cents(budget));
            }
        }
    }

    /// Whatever four offers could give together is given, if asked for.
    #[test]
    fn energy_is_refused_only_when_no_four_offers_have_it(
        candidates in candidates(300), tariff in tariffs(), wanted in 1u64..1_500
    ) {
        let mut open: Vec<u64> = candidates
            .iter()
            .filter(|offer| offer.seller != BUYER && tariff.allows(offer.price))
            .map(|offer| offer.open.0)
            .collect();
        open.sort_unstable_by_key(|wh| std::cmp::Reverse(*wh));
        let most: u64 = open.iter().take(FILLS_MAX).sum();
        match select(&candidates, BUYER, Want::Energy(Wh(wanted)), &tariff, false) {
            Ok(_) => prop_assert!(wanted <= most),
            Err(MarketError::NotEnough { available }) => {
                prop_assert_eq!(available, Wh(most));
                prop_assert!(wanted > most);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal, MarketError::NothingOnOffer);
                prop_assert_eq!(most, 0);
            }
        }
    }

    /// When the cheapest four suffice, nobody dearer sells before them.
    #[test]
    fn an_order_that_the_cheapest_can_fill_is_filled_by_them(
        candidates in candidates(300), tariff in tariffs(), wanted in 1u64..1_500
    ) {
        let mut sorted: Vec<&Candidate> = candidates
            .iter()
            .filter(|offer| offer.seller != BUYER && offer.open.0 > 0 && tariff.allows(offer.price))
            .collect();
        sorted.sort_by_key(|offer| (offer.price, offer.created_at, offer.offer));
        sorted.truncate(FILLS_MAX);
        if sorted.iter().map(|offer| offer.open.0).sum::<u64>() < wanted {
            return Ok(());
        }
        let selection = select(&candidates, BUYER, Want::Energy(Wh(wanted)), &tariff, false).unwrap();
        let mut left = wanted;
        for (offer, fill) in sorted.iter().zip(&selection.fills) {
            prop_assert_eq!(fill.offer, offer.offer);
            prop_assert_eq!(u64::from(fill.energy_wh), left.min(offer.open.0));
            left -= u64::from(fill.energy_wh);
        }
        prop_assert_eq!(left, 0);
    }
}
