//! Nobody keeps others from buying, selling or being refunded, and nobody gains by it.

use crate::story::{fill, refused, refuses, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::client::Section;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::Caps;
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::{World, audit};
use solana_signer::Signer;

fn with_caps(caps: Caps) -> World {
    let mut world = with_offer();
    world.configure(&Section::Caps(caps)).unwrap();
    world
}

fn release(world: &mut World, order: u64, wh: u32, reason: ReleaseReason) {
    let attestor = world.keys.attestor.insecure_clone();
    world.release_as(&attestor, 2, order, &[fill(1, wh)], reason).expect("released");
}

#[test]
fn open_orders_hold_only_so_much_energy() {
    let mut world = with_caps(Caps { held_wh: 1000, ..Caps::default() });
    refused(world.place(2, 1, &[fill(1, 1001)]), E::HeldEnergy);
    world.place(2, 1, &[fill(1, 600)]).unwrap();
    refused(world.place(2, 2, &[fill(1, 401)]), E::HeldEnergy);
    world.place(2, 2, &[fill(1, 400)]).unwrap();
    assert_eq!(world.household(2).held_wh, 1000);
    refused(world.place(2, 3, &[fill(1, 1)]), E::HeldEnergy);
    audit(&world);
    let now = world.now();
    world.settle(2, 1, &[fill(1, 600)], &Proof::receipt([9; 32]), now).unwrap();
    assert_eq!(world.household(2).held_wh, 400, "what is paid is held no more");
    release(&mut world, 2, 400, ReleaseReason::PaymentRefused);
    assert_eq!(world.household(2).held_wh, 0);
    world.place(2, 3, &[fill(1, 1000)]).unwrap();
    audit(&world);
}

#[test]
fn the_limit_of_held_energy_is_each_buyers_own() {
    let mut world = with_caps(Caps { held_wh: 1000, ..Caps::default() });
    world.enrol([3]);
    world.place(2, 1, &[fill(1, 1000)]).unwrap();
    world.place(3, 1, &[fill(1, 1000)]).unwrap();
    audit(&world);
}

#[test]
fn who_leaves_orders_unpaid_orders_again_the_next_day() {
    let mut world = with_caps(Caps { unpaid_orders: 2, ..Caps::default() });
    for (order, reason) in [(1, ReleaseReason::PaymentRefused), (2, ReleaseReason::PaidShort)] {
        world.place(2, order, &[fill(1, 1)]).unwrap();
        release(&mut world, order, 1, reason);
    }
    assert_eq!(world.household(2).unpaid_orders, 2);
    refused(world.place(2, 3, &[fill(1, 1)]), E::UnpaidOrders);
    world.wait(86_400 - world.now().rem_euclid(86_400) - 1);
    let offer = world.new_offer(1, 2, 100, 1500);
    world.post(&offer).unwrap();
    refused(world.place(2, 3, &[fill(2, 1)]), E::UnpaidOrders);
    world.wait(1);
    world.place(2, 3, &[fill(2, 1)]).unwrap();
    world.wait(-1);
    refused(world.place(2, 4, &[fill(2, 1)]), E::UnpaidOrders);
    audit(&world);
}

#[test]
fn a_paid_order_is_not_unpaid() {
    let mut world = with_caps(Caps { unpaid_orders: 1, ..Caps::default() });
    for order in 1..=3_u8 {
        world.place(2, u64::from(order), &[fill(1, 1)]).unwrap();
        let now = world.now();
        world.settle(2, u64::from(order), &[fill(1, 1)], &Proof::receipt([order; 32]), now).unwrap();
    }
    assert_eq!(world.household(2).unpaid_orders, 0);
    audit(&world);
}

#[test]
fn a_release_for_a_pause_by_the_attestor_is_nobodys_fault() {
    let mut world = with_caps(Caps { unpaid_orders: 1, ..Caps::default() });
    let admin = world.keys.admin.insecure_clone();
    world.place(2, 1, &[fill(1, 1)]).unwrap();
    world.pause_as(&admin, true).unwrap();
    release(&mut world, 1, 1, ReleaseReason::Paused);
    world.pause_as(&admin, false).unwrap();
    assert_eq!(world.household(2).unpaid_orders, 0);
    world.place(2, 2, &[fill(1, 1)]).unwrap();
    audit(&world);
}

#[test]
fn anyones_release_after_the_deadline_counts_and_gives_no_other_reason() {
    let mut world = with_caps(Caps { unpaid_orders: 1, ..Caps::default() });
    let stranger = world.keys.stranger.insecure_clone();
    world.place(2, 1, &[fill(1, 1)]).unwrap();
    world.wait(421);
    for reason in [ReleaseReason::Paused, ReleaseReason::PaidShort, ReleaseReason::PaymentRefused] {
        refused(world.release_as(&stranger, 2, 1, &[fill(1, 1)], reason), E::InvalidReason);
    }
    let attestor = world.keys.attestor.insecure_clone();
    let pause = world.release_as(&attestor, 2, 1, &[fill(1, 1)], ReleaseReason::Paused);
    refused(pause, E::InvalidReason);
    world.release_as(&stranger, 2, 1, &[fill(1, 1)], ReleaseReason::PaymentTimeout).unwrap();
    assert_eq!(world.household(2).unpaid_orders, 1);
    refused(world.place(2, 2, &[fill(1, 1)]), E::UnpaidOrders);
    audit(&world);
}

#[test]
fn limits_that_forbid_all_trade_are_refused() {
    let mut world = World::new();
    let admin = world.keys.admin.insecure_clone();
    for bad in [
        Caps { held_wh: 0, ..Caps::default() },
        Caps { unpaid_orders: 0, ..Caps::default() },
        Caps { reserved: 1, ..Caps::default() },
    ] {
        let configure = world.program.configure(admin.pubkey(), &Section::Caps(bad));
        refuses(&mut world, &configure, &[&admin], E::InvalidCaps);
    }
}

#[test]
fn a_rent_payer_that_became_a_program_stops_no_release() {
    let mut world = with_order();
    let payer = world.keys.payer.pubkey();
    let attestor = world.keys.attestor.insecure_clone();
    become_a_program(&mut world, payer);
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused).unwrap();
    audit(&world);
}

#[test]
fn a_rent_payer_that_became_a_program_stops_no_settlement() {
    let mut world = with_order();
    let rent_payer = world.keys.payer.pubkey();
    become_a_program(&mut world, rent_payer);
    let (stranger, attestor) = (world.keys.stranger.insecure_clone(), world.keys.attestor.insecure_clone());
    let (fills, proof, now) = ([fill(1, 500)], Proof::receipt([9; 32]), world.now());
    let settle =
        world.program.settle(stranger.pubkey(), attestor.pubkey(), 2, 1, &fills, &proof, now, rent_payer);
    world.send(&[settle], &[&stranger, &attestor]).unwrap();
    assert_eq!(world.vault(2), 500);
    audit(&world);
}

/// Deploys a program at a key's address, as whoever has the key can.
fn become_a_program(world: &mut World, address: solana_address::Address) {
    let elf = std::fs::read(jirani_energy_tests::elf_path()).unwrap();
    world.svm.add_program(address, &elf).unwrap();
}

#[test]
fn a_rent_payer_that_was_emptied_stops_no_refund() {
    let mut world = with_order();
    let payer = world.keys.payer.pubkey();
    let attestor = world.keys.attestor.insecure_clone();
    world.svm.set_account(payer, solana_account::Account::default()).unwrap();
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused).unwrap();
    world.cancel(1, 1).unwrap();
    assert!(world.lamports(&payer) > 0);
    audit(&world);
}

#[test]
fn an_offer_that_expired_still_settles_its_orders() {
    let mut world = seller_and_buyer();
    let mut offer = world.new_offer(1, 1, 2000, 1500);
    offer.expires_at = world.now() + 60;
    world.post(&offer).unwrap();
    world.place(2, 1, &[fill(1, 500)]).unwrap();
    world.wait(60);
    let stranger = world.keys.stranger.insecure_clone();
    refused(world.place(2, 2, &[fill(1, 1)]), E::OfferExpired);
    // A stranger returns the rest in the same second; what the order holds stays.
    world.cancel_as(&stranger, 1, 1).unwrap();
    let now = world.now();
    world.settle(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), now).unwrap();
    world.cancel_as(&stranger, 1, 1).unwrap();
    assert_eq!((world.vault(1), world.vault(2)), (4500, 500));
    audit(&world);
}

#[test]
fn a_rent_payer_that_became_a_program_stops_no_return() {
    let mut world = with_offer();
    let rent_payer = world.keys.payer.pubkey();
    become_a_program(&mut world, rent_payer);
    let before = world.lamports(&rent_payer);
    let rent: u64 = [200, 170].iter().map(|len| world.svm.minimum_balance_for_rent_exemption(*len)).sum();
    world.cancel(1, 1).unwrap();
    assert_eq!((world.vault(1), world.lamports(&rent_payer)), (5000, before + rent));
    audit(&world);
}

#[test]
fn a_rent_payer_that_became_a_program_stops_no_closing() {
    let mut world = seller_and_buyer();
    let rent_payer = world.keys.payer.pubkey();
    let admin = world.keys.admin.insecure_clone();
    become_a_program(&mut world, rent_payer);
    let close = world.program.close_household(admin.pubkey(), 2, rent_payer);
    world.send(&[close], &[&admin]).unwrap();
    audit(&world);
}
