//! What must hold after every story, derived from the accounts alone.

use crate::world::World;
use jirani_energy_interface::state::{ClosedTotals, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{programs, token};
use std::collections::{BTreeMap, BTreeSet};

/// Checks E1, E2, S1 and every counter that must follow from other accounts.
pub fn audit(world: &World) {
    let program = &world.program;
    let mut households = BTreeMap::new();
    let mut offers = BTreeMap::new();
    let mut orders = Vec::new();
    let mut markers = Vec::new();
    for (address, account) in world.svm.get_program_accounts(&program.id) {
        let data = &account.data;
        let rent = world.svm.minimum_balance_for_rent_exemption(data.len());
        assert!(account.lamports >= rent, "{address} is below its rent");
        if let Some(household) = Household::decode(data) {
            assert_eq!(address, program.household(household.id));
            households.insert(address.to_bytes(), household);
        } else if let Some(offer) = Offer::decode(data) {
            offers.insert(address.to_bytes(), offer);
        } else if let Some(order) = Order::decode(data) {
            orders.push(order);
        } else if let Some(marker) = Marker::decode(data) {
            markers.push(marker);
        }
    }

    // E1: supply = minted - burned = sum over all accounts of the mint. Closed households
    // count on in Config.
    let closed = world.config().closed;
    let supply = world.supply();
    let held: u64 = world
        .svm
        .get_program_accounts(&programs::TOKEN_2022)
        .iter()
        .filter(|(_, account)| token::mint(&account.data) == Some(program.mint.to_bytes()))
        .filter_map(|(_, account)| token::amount(&account.data))
        .sum();
    assert_eq!(supply, held, "E1: supply is the sum of all token accounts");
    let minted: u64 = households.values().map(|household| household.minted_wh).sum();
    let burned: u64 = households.values().map(|household| household.burned_wh).sum();
    let (minted, burned) = (minted + closed.minted_wh, burned + closed.burned_wh);
    assert_eq!(supply, minted - burned, "E1: supply is minted less burned");
    let ClosedTotals { export_wh, import_wh, adjusted_export_wh, adjusted_import_wh, .. } = closed;
    assert_eq!(closed.minted_wh, export_wh + adjusted_export_wh, "E2: minted by closed households");
    assert_eq!(closed.burned_wh, import_wh + adjusted_import_wh, "E2: burned by closed households");

    // E1: an escrow holds at least what its offer owes; the offer's reservations are
    // its orders' fills.
    let mut reserved: BTreeMap<[u8; 32], u64> = BTreeMap::new();
    for fill in orders.iter().flat_map(Order::fills) {
        *reserved.entry(fill.offer).or_default() += u64::from(fill.energy_wh);
    }
    for (address, offer) in &offers {
        assert!(world.tokens(&offer.escrow.into()) >= offer.owed_wh(), "E1: escrow covers the offer");
        assert!(offer.reserved_wh <= offer.owed_wh());
        assert_eq!(offer.reserved_wh, reserved.get(address).copied().unwrap_or(0), "orders hold the reserve");
    }

    // E2, per household, and its counters.
    for (address, household) in &households {
        let Household { export_wh, import_wh, adjusted_export_wh, adjusted_import_wh, .. } = household;
        assert_eq!(household.minted_wh, export_wh + adjusted_export_wh, "E2: minted");
        assert_eq!(
            household.burned_wh + household.shortfall_wh,
            import_wh + adjusted_import_wh,
            "E2: burned"
        );
        let own_offers = offers.values().filter(|offer| offer.seller == *address).count();
        let own_orders = orders.iter().filter(|order| order.buyer == *address).count();
        let held: u64 =
            orders.iter().filter(|order| order.buyer == *address).map(|order| order.energy_wh).sum();
        assert_eq!(household.held_wh, held, "open orders hold what the household counts");
        assert_eq!(usize::from(household.open_offers), own_offers);
        assert_eq!(usize::from(household.open_orders), own_orders);
    }

    // S1: one marker per settlement that was not closed, each for another order.
    assert_eq!(markers.len() + world.closed_markers(), world.settled(), "S1: a proof for every settlement");
    let settled: BTreeSet<_> = markers.iter().map(|marker| (marker.buyer_id, marker.order_id)).collect();
    assert_eq!(settled.len(), markers.len(), "S1: an order settles once");
    assert!(orders.iter().all(|order| !settled.contains(&(order.buyer_id, order.id))), "S1: settled is gone");
}
