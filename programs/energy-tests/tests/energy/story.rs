//! How most stories begin.

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::client::FillAccounts;
use jirani_energy_tests::{Landed, Refusal, World};

/// Household 1 has 5 kWh in its vault, household 2 nothing.
pub fn seller_and_buyer() -> World {
    let mut world = World::new();
    world.enrol([1, 2]);
    world.wait(900);
    world.attest(&[(1, 5000, 0), (2, 0, 0)]);
    world
}

/// Offer 1 of household 1: 2 kWh at 15 shillings.
pub fn with_offer() -> World {
    let mut world = seller_and_buyer();
    let offer = world.new_offer(1, 1, 2000, 1500);
    world.post(&offer).expect("posted");
    world
}

/// Order 1 of household 2 holds 500 Wh of that offer.
pub fn with_order() -> World {
    let mut world = with_offer();
    world.place(2, 1, &[fill(1, 500)]).expect("placed");
    world
}

/// A fill of an offer of household 1 at 15 shillings.
pub fn fill(offer_id: u64, energy_wh: u32) -> FillAccounts {
    FillAccounts { seller_id: 1, offer_id, energy_wh, price: 1500 }
}

/// Requires a refusal of the program with that error.
#[track_caller]
pub fn refused(result: Result<Landed, Box<Refusal>>, expected: EnergyError) {
    match result {
        Ok(_) => panic!("landed instead of {expected}"),
        Err(refusal) => assert_eq!(refusal.ours, Some(expected), "{refusal:?}"),
    }
}
