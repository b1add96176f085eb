//! The admin's place changes hands in two steps.

use crate::story::{event, refuses, refuses_account};
use jirani_energy_interface::client::Section;
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::{EnergyError as E, programs};
use jirani_energy_tests::{TARIFF, World, audit, key};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn propose(world: &mut World, next: &Keypair) {
    world.configure(&Section::PendingAdmin(next.pubkey())).expect("proposed");
}

#[test]
fn an_admin_is_proposed_and_accepts() {
    let mut world = World::new();
    let (old, next) = (world.keys.admin.insecure_clone(), key(70));
    propose(&mut world, &next);
    assert_eq!(world.config().admin, old.pubkey().to_bytes(), "nothing has changed yet");
    assert_eq!(world.config().pending_admin, next.pubkey().to_bytes());
    let accept = world.program.accept_admin(next.pubkey());
    let changed =
        event(&world.send(std::slice::from_ref(&accept), &[&next]).unwrap(), EventKind::AdminChanged);
    assert_eq!(changed.subject, next.pubkey().to_bytes());
    assert_eq!((world.config().admin, world.config().pending_admin), (next.pubkey().to_bytes(), [0; 32]));
    refuses(&mut world, &accept, &[&next], E::NotPendingAdmin);
    audit(&world);
}

#[test]
fn a_wrong_key_locks_nobody_out() {
    let mut world = World::new();
    // Nobody has the key of this address.
    world.configure(&Section::PendingAdmin(world.program.mint)).unwrap();
    world.configure(&Section::Tariff(TARIFF)).expect("the admin is still the admin");
    propose(&mut world, &key(70));
    for wrong in [key(71), world.keys.admin.insecure_clone(), world.keys.stranger.insecure_clone()] {
        let accept = world.program.accept_admin(wrong.pubkey());
        refuses(&mut world, &accept, &[&wrong], E::NotPendingAdmin);
    }
    let mut unsigned = world.program.accept_admin(key(70).pubkey());
    unsigned.accounts[0].is_signer = false;
    refuses_account(&mut world, &unsigned, &[], E::MissingSigner, "pending_admin");
    audit(&world);
}

#[test]
fn zeroes_take_a_proposal_back() {
    let mut world = World::new();
    propose(&mut world, &key(70));
    world.configure(&Section::PendingAdmin(programs::SYSTEM)).unwrap();
    let accept = world.program.accept_admin(key(70).pubkey());
    refuses(&mut world, &accept, &[&key(70)], E::NotPendingAdmin);
    // The zero address, which nobody signs for, is not proposed by that.
    let mut nobody = world.program.accept_admin(programs::SYSTEM);
    nobody.accounts[0].is_signer = false;
    refuses_account(&mut world, &nobody, &[], E::MissingSigner, "pending_admin");
}

#[test]
fn the_old_admin_has_no_rights_afterwards() {
    let mut world = World::new();
    world.enrol([1]);
    let (old, next) = (world.keys.admin.insecure_clone(), key(70));
    let payer = world.keys.payer.insecure_clone();
    propose(&mut world, &next);
    let accept = world.program.accept_admin(next.pubkey());
    world.send(&[accept], &[&next]).unwrap();
    let program = world.program;
    let rights = [
        (program.configure(old.pubkey(), &Section::Tariff(TARIFF)), E::NotAdmin),
        (program.configure(old.pubkey(), &Section::PendingAdmin(old.pubkey())), E::NotAdmin),
        (program.hard_stop(old.pubkey(), true), E::NotAdmin),
        (program.pause(old.pubkey(), true), E::NotPauseKey),
        (program.accept_admin(old.pubkey()), E::NotPendingAdmin),
        (program.close_household(old.pubkey(), 1, payer.pubkey()), E::NotAdmin),
    ];
    for (instruction, expected) in rights {
        refuses(&mut world, &instruction, &[&old], expected);
    }
    let enrol = program.enrol(payer.pubkey(), old.pubkey(), &World::enrolment(2));
    refuses(&mut world, &enrol, &[&payer, &old], E::NotAdmin);
    let configure = program.configure(next.pubkey(), &Section::Tariff(TARIFF));
    world.send(&[configure], &[&next]).unwrap();
    audit(&world);
}

#[test]
fn only_the_admin_proposes_an_admin() {
    let mut world = World::new();
    for thief in [&world.keys.pause, &world.keys.oracle, &world.keys.stranger].map(Keypair::insecure_clone) {
        let theft = world.program.configure(thief.pubkey(), &Section::PendingAdmin(thief.pubkey()));
        refuses(&mut world, &theft, &[&thief], E::NotAdmin);
    }
}
