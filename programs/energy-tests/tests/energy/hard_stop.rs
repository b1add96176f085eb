//! The mint itself stops, and what waits for it goes on when it is released.

use crate::story::{
    event, fill, owner, refused, refuses, refuses_account, refuses_elsewhere, with_order, with_owners,
};
use jirani_energy_interface::client::{Adjustment, Section};
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::instruction::{AuthorityAction, ReleaseReason};
use jirani_energy_interface::state::{Caps, PauseLevel};
use jirani_energy_interface::{EnergyError as E, Proof, programs};
use jirani_energy_tests::{World, audit, key};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A transfer between wallets that the program has no part in.
fn plain_transfer(world: &World, from: solana_address::Address, to: solana_address::Address) -> Instruction {
    let accounts = vec![
        AccountMeta::new(from, false),
        AccountMeta::new_readonly(world.program.mint, false),
        AccountMeta::new(to, false),
        AccountMeta::new_readonly(owner().pubkey(), true),
    ];
    let data = [&[12][..], &10_u64.to_le_bytes(), &[3]].concat();
    Instruction { program_id: programs::TOKEN_2022, accounts, data }
}

/// Household 11 has a wallet with 1 kWh, withdrawals are on, and it sells 2 kWh.
fn with_wallet() -> (World, solana_address::Address) {
    let mut world = with_owners();
    world.configure(&Section::Caps(Caps { withdrawal_wh: 10_000, ..Caps::default() })).unwrap();
    let wallet = world.open_wallet(60, &owner().pubkey());
    let withdraw = world.program.withdraw(owner().pubkey(), 11, wallet, 1000);
    world.send(&[withdraw], &[&owner()]).unwrap();
    let offer = world.new_offer(11, 1, 2000, 1500);
    let payer = world.keys.payer.insecure_clone();
    let post = world.program.post_offer(payer.pubkey(), owner().pubkey(), &offer);
    world.send(&[post], &[&payer, &owner()]).unwrap();
    (world, wallet)
}

#[test]
fn a_hard_stop_stops_the_mint_itself_wallets_included() {
    let (mut world, wallet) = with_wallet();
    let other = world.open_wallet(61, &key(99).pubkey());
    let stopped = event(&world.hard_stop(true).unwrap(), EventKind::HardStopChanged);
    assert_eq!((stopped.detail, world.config().paused), (1, PauseLevel::Hard as u8));
    assert_eq!(world.config().paused_since, world.now());
    let transfer = plain_transfer(&world, wallet, other);
    refuses_elsewhere(&mut world, &transfer, &[&owner()], "paused");

    let lifted = event(&world.hard_stop(false).unwrap(), EventKind::HardStopChanged);
    assert_eq!((lifted.detail, world.config().paused), (0, PauseLevel::Soft as u8), "the soft pause stays");
    world.send(&[transfer], &[&owner()]).unwrap();
    assert_eq!(world.tokens(&other), 10);
    audit(&world);
}

#[test]
fn only_the_admin_stops_the_mint_and_says_which_state() {
    let mut world = World::new();
    for other in [&world.keys.pause, &world.keys.stranger, &world.keys.attestor].map(Keypair::insecure_clone)
    {
        let stop = world.program.hard_stop(other.pubkey(), true);
        refuses(&mut world, &stop, &[&other], E::NotAdmin);
    }
    let admin = world.keys.admin.insecure_clone();
    let lift = world.program.hard_stop(admin.pubkey(), false);
    refuses(&mut world, &lift, &[&admin], E::PauseUnchanged);
    let mut unknown = world.program.hard_stop(admin.pubkey(), true);
    unknown.data[1] = 2;
    refuses(&mut world, &unknown, &[&admin], E::InvalidData);
    world.hard_stop(true).unwrap();
    let again = world.program.hard_stop(admin.pubkey(), true);
    refuses(&mut world, &again, &[&admin], E::PauseUnchanged);
    let mut unsigned = world.program.hard_stop(admin.pubkey(), false);
    unsigned.accounts[0].is_signer = false;
    refuses_account(&mut world, &unsigned, &[], E::MissingSigner, "admin");
    audit(&world);
}

#[test]
fn a_hard_stop_is_lifted_before_the_market_resumes() {
    let mut world = World::new();
    let (admin, pause) = (world.keys.admin.insecure_clone(), world.keys.pause.insecure_clone());
    world.hard_stop(true).unwrap();
    refused(world.pause_as(&admin, false), E::HardStopped);
    refused(world.pause_as(&admin, true), E::HardStopped);
    refused(world.pause_as(&pause, true), E::HardStopped);
    refused(world.pause_as(&pause, false), E::NotPauseKey);
    world.hard_stop(false).unwrap();
    world.pause_as(&admin, false).unwrap();
    assert_eq!((world.config().paused, world.config().paused_since), (PauseLevel::Running as u8, 0));
    audit(&world);
}

#[test]
fn under_a_hard_stop_nothing_that_moves_energy_works() {
    let (mut world, wallet) = with_wallet();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    world.hard_stop(true).unwrap();
    world.wait(900);
    let attest = world.attestation(world.now(), &[(11, 5100, 0)]);
    refuses(&mut world, &attest, &[&oracle], E::Paused);
    let adjustment = Adjustment {
        household_id: 11,
        oracle_version: 1,
        oracles: &[oracle.pubkey()],
        export_wh: 1,
        import_wh: 0,
        adjusted_export_wh: 0,
        adjusted_import_wh: 0,
        reason: [1; 32],
    };
    let adjust = world.program.adjust(admin.pubkey(), &adjustment);
    refuses(&mut world, &adjust, &[&admin, &oracle], E::Paused);
    let offer = world.new_offer(11, 2, 100, 1500);
    let post = world.program.post_offer(payer.pubkey(), owner().pubkey(), &offer);
    refuses(&mut world, &post, &[&payer, &owner()], E::Paused);
    world.enrol([2]);
    let mut bought = fill(1, 100);
    bought.seller_id = 11;
    let place = world.order(2, 1, &[bought]);
    refuses(&mut world, &place, &[&payer, &custodian], E::Paused);
    let step = world.program.move_energy(owner().pubkey(), 11, 12, 1);
    refuses(&mut world, &step, &[&owner()], E::Paused);
    let withdraw = world.program.withdraw(owner().pubkey(), 11, wallet, 1);
    refuses(&mut world, &withdraw, &[&owner()], E::Paused);
    let deposit = world.program.deposit(owner().pubkey(), 11, wallet, 1);
    refuses_elsewhere(&mut world, &deposit, &[&owner()], "paused");
    audit(&world);
}

#[test]
fn under_a_hard_stop_orders_are_released_and_offers_return_when_it_is_lifted() {
    let mut world = with_order();
    let (attestor, custodian) = (world.keys.attestor.insecure_clone(), world.keys.custodian.insecure_clone());
    let payer = world.keys.payer.insecure_clone();
    world.hard_stop(true).unwrap();
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    refuses(&mut world, &settle, &[&payer, &attestor], E::Paused);
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::Paused).unwrap();
    assert_eq!(world.household(2).unpaid_orders, 0, "a stop is not the buyer's fault");
    let cancel = world.program.cancel_offer(custodian.pubkey(), 1, 1, payer.pubkey());
    refuses_elsewhere(&mut world, &cancel, &[&custodian], "paused");
    audit(&world);
    world.hard_stop(false).unwrap();
    world.send(&[cancel], &[&custodian]).unwrap();
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn under_a_hard_stop_authorities_change_and_households_come_and_go() {
    let mut world = with_owners();
    world.enrol([2]);
    world.hard_stop(true).unwrap();
    let next = key(70).pubkey();
    let propose = world.program.change_authority(owner().pubkey(), 11, AuthorityAction::Propose, Some(next));
    world.send(&[propose], &[&owner()]).unwrap();
    world.enrol([3]);
    let admin = world.keys.admin.insecure_clone();
    let close = world.program.close_household(admin.pubkey(), 2, world.keys.payer.pubkey());
    world.send(&[close], &[&admin]).unwrap();
    audit(&world);
}

#[test]
fn deadlines_stand_still_through_soft_pause_hard_stop_and_back() {
    let mut world = with_order();
    let placed = world.now();
    let fills = [fill(1, 500)];
    let (admin, stranger) = (world.keys.admin.insecure_clone(), world.keys.stranger.insecure_clone());
    world.wait(400);
    world.pause_as(&admin, true).unwrap();
    world.wait(1000);
    world.hard_stop(true).unwrap();
    assert_eq!(world.config().paused_since, placed + 400, "the pause goes on");
    world.wait(1000);
    refused(world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout), E::OrderWindowOpen);
    world.hard_stop(false).unwrap();
    world.wait(1000);
    world.pause_as(&admin, false).unwrap();
    assert_eq!(world.config().paused_total_s, 3000, "counted once");
    world.wait(20);
    refused(world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout), E::OrderWindowOpen);
    world.settle(2, 1, &fills, &Proof::receipt([9; 32]), world.now()).unwrap();
    audit(&world);
}

#[test]
fn a_hard_stop_from_running_freezes_deadlines_too() {
    let mut world = with_order();
    let stranger = world.keys.stranger.insecure_clone();
    let admin = world.keys.admin.insecure_clone();
    let fills = [fill(1, 500)];
    world.wait(420);
    world.hard_stop(true).unwrap();
    world.wait(10_000);
    world.hard_stop(false).unwrap();
    world.pause_as(&admin, false).unwrap();
    refused(world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout), E::OrderWindowOpen);
    world.wait(1);
    world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout).unwrap();
    audit(&world);
}

#[test]
fn the_mint_that_is_stopped_is_our_own() {
    let mut world = with_owners();
    let admin = world.keys.admin.insecure_clone();
    let mut other = world.program.hard_stop(admin.pubkey(), true);
    other.accounts[2].pubkey = world.vault_of(11);
    refuses(&mut world, &other, &[&admin], E::WrongMint);
}
