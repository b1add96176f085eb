//! Energy moves between two records of one owner.

use crate::story::{event, neighbour, owner, refuses, refuses_account, with_owners};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::Enrolment;
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::instruction::AuthorityAction;
use jirani_energy_interface::state::flags;
use jirani_energy_tests::{Landed, World, audit};
use solana_signer::Signer;

#[track_caller]
fn lands(world: &mut World, from: u32, to: u32, wh: u64) -> Landed {
    let step = world.program.move_energy(owner().pubkey(), from, to, wh);
    world.send(&[step], &[&owner()]).expect("moved")
}

#[track_caller]
fn fails(world: &mut World, from: u32, to: u32, wh: u64, expected: E) {
    let step = world.program.move_energy(owner().pubkey(), from, to, wh);
    refuses(world, &step, &[&owner()], expected);
}

#[test]
fn energy_moves_between_two_records_of_one_owner() {
    let mut world = with_owners();
    let moved = event(&lands(&mut world, 11, 12, 1500), EventKind::Moved);
    assert_eq!((moved.household_id, moved.number, moved.energy_wh, moved.burned_wh), (11, 12, 1500, 0));
    assert_eq!(moved.subject, world.program.household(12).to_bytes());
    assert_eq!((world.vault(11), world.vault(12)), (3500, 1500));
    audit(&world);
}

#[test]
fn what_the_receiving_record_owes_is_burned_from_what_arrives() {
    let mut world = with_owners();
    world.wait(900);
    world.attest(&[(12, 0, 400)]);
    let moved = event(&lands(&mut world, 11, 12, 1000), EventKind::Moved);
    assert_eq!(moved.burned_wh, 400);
    assert_eq!((world.vault(12), world.household(12).shortfall_wh), (600, 0));
    audit(&world);
}

#[test]
fn what_the_giving_record_owes_is_burned_before_anything_leaves() {
    let mut world = with_owners();
    world.wait(900);
    world.attest(&[(12, 0, 400)]);
    let (from, to) = (world.vault_of(13), world.vault_of(12));
    world.move_tokens(&from, &to, 500);
    fails(&mut world, 12, 11, 101, E::VaultTooSmall);
    let moved = event(&lands(&mut world, 12, 11, 100), EventKind::Moved);
    assert_eq!(moved.burned_wh, 400);
    assert_eq!((world.vault(12), world.household(12).shortfall_wh, world.vault(11)), (0, 0, 5100));
    audit(&world);
}

#[test]
fn no_more_moves_than_there_is() {
    let mut world = with_owners();
    fails(&mut world, 11, 12, 5001, E::VaultTooSmall);
    fails(&mut world, 11, 12, u64::MAX, E::VaultTooSmall);
    fails(&mut world, 11, 12, 0, E::ZeroEnergy);
    lands(&mut world, 11, 12, 5000);
    audit(&world);
}

#[test]
fn energy_moves_to_nobody_else() {
    let mut world = with_owners();
    world.enrol([2]);
    fails(&mut world, 11, 13, 1, E::DifferentAuthority);
    fails(&mut world, 11, 2, 1, E::DifferentAuthority);
    fails(&mut world, 13, 12, 1, E::NotAuthority);
    let theft = world.program.move_energy(neighbour().pubkey(), 11, 13, 1);
    refuses(&mut world, &theft, &[&neighbour()], E::NotAuthority);
}

#[test]
fn a_custodian_moves_nothing() {
    let mut world = with_owners();
    world.enrol([2, 3]);
    let custodian = world.keys.custodian.insecure_clone();
    let step = world.program.move_energy(custodian.pubkey(), 2, 3, 1);
    refuses(&mut world, &step, &[&custodian], E::Custodial);
    // The former owner of a household that became custodial is nobody to it.
    let admin = world.keys.admin.insecure_clone();
    let give = world.program.change_authority(owner().pubkey(), 12, AuthorityAction::Propose, None);
    world.send(&[give], &[&owner()]).unwrap();
    world.wait(48 * 3600);
    let take = world.program.change_authority(admin.pubkey(), 12, AuthorityAction::Accept, None);
    world.send(&[take], &[&admin]).unwrap();
    fails(&mut world, 11, 12, 1, E::DifferentAuthority);
    fails(&mut world, 12, 11, 1, E::Custodial);
}

#[test]
fn a_key_named_in_a_custodial_record_has_no_say_in_it() {
    let mut world = with_owners();
    let (payer, admin) = (world.keys.payer.insecure_clone(), world.keys.admin.insecure_clone());
    let enrolment = Enrolment { authority: Some(owner().pubkey()), ..World::enrolment(2) };
    let mut enrol = world.program.enrol(payer.pubkey(), admin.pubkey(), &enrolment);
    enrol.data[2] = flags::CUSTODIAL;
    world.send(&[enrol], &[&payer, &admin]).unwrap();
    assert_eq!(world.household(2).authority, owner().pubkey().to_bytes());
    fails(&mut world, 11, 2, 1, E::DifferentAuthority);
    fails(&mut world, 2, 11, 1, E::Custodial);
    for action in [AuthorityAction::Propose, AuthorityAction::Cancel] {
        let change = world.program.change_authority(owner().pubkey(), 2, action, None);
        refuses(&mut world, &change, &[&owner()], E::NotAuthority);
    }
    audit(&world);
}

#[test]
fn a_record_does_not_move_to_itself() {
    let mut world = with_owners();
    fails(&mut world, 11, 11, 1, E::AccountTwice);
}

#[test]
fn the_vaults_are_the_records_own() {
    let mut world = with_owners();
    let good = world.program.move_energy(owner().pubkey(), 11, 12, 1);
    for (place, name) in [(3, "from_vault"), (5, "to_vault")] {
        let mut other = good.clone();
        other.accounts[place].pubkey = world.vault_of(13);
        refuses_account(&mut world, &other, &[&owner()], E::WrongAddress, name);
    }
    let mut both_the_same = good;
    both_the_same.accounts[5].pubkey = both_the_same.accounts[3].pubkey;
    refuses_account(&mut world, &both_the_same, &[&owner()], E::WrongAddress, "to_vault");
}

#[test]
fn under_a_soft_pause_nothing_moves() {
    let mut world = with_owners();
    let pause = world.keys.pause.insecure_clone();
    world.pause_as(&pause, true).unwrap();
    fails(&mut world, 11, 12, 1, E::Paused);
    audit(&world);
}
