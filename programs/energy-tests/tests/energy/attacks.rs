//! Every account and every byte of every instruction, spoiled one at a time.

use crate::story::{fill, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::client::Section;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::{Attack, Refusal, TARIFF, World, refusals};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Requires every attack to be refused with one of the errors that name it.
#[track_caller]
fn survives(world: &mut World, instruction: &Instruction, signers: &[Keypair], variable: usize) {
    let signers: Vec<_> = signers.iter().collect();
    let mut tried = 0;
    for (attack, refusal) in refusals(world, instruction, &signers, variable) {
        tried += 1;
        let refusal = refusal.unwrap_or_else(|| panic!("{attack:?} went through"));
        let expected = attack.expected();
        let known = refusal.ours.is_some_and(|ours| expected.contains(&ours));
        assert!(known, "{attack:?} is refused with {refusal:?} instead of {expected:?}");
        names_the_account(instruction, attack, &refusal);
    }
    assert!(tried > 10, "only {tried} attacks");
}

/// Requires the refusal to name the spoiled account, unless a rule between several
/// accounts was broken.
#[track_caller]
fn names_the_account(instruction: &Instruction, attack: Attack, refusal: &Refusal) {
    let between = [E::WrongMint, E::FillMismatch, E::WrongWallet].map(Some);
    if let Some(place) = attack.named(instruction).filter(|_| !between.contains(&refusal.ours)) {
        assert_eq!(refusal.account, Some(place), "{attack:?}: {refusal:?}");
    }
}

fn keys(keys: &[&Keypair]) -> Vec<Keypair> {
    keys.iter().copied().map(Keypair::insecure_clone).collect()
}

#[test]
fn initialise_survives() {
    let mut world = World::bare();
    let initialise = world.initialise(&world.initial_config());
    let signers = keys(&[&world.keys.payer, &world.keys.upgrade]);
    survives(&mut world, &initialise, &signers, 8);
}

#[test]
fn configure_survives() {
    let mut world = World::new();
    let configure = world.program.configure(world.keys.admin.pubkey(), &Section::Tariff(TARIFF));
    let signers = keys(&[&world.keys.admin]);
    survives(&mut world, &configure, &signers, 3);
}

#[test]
fn pause_survives() {
    let mut world = World::new();
    let pause = world.program.pause(world.keys.pause.pubkey(), true);
    let signers = keys(&[&world.keys.pause]);
    let mut spoiled = pause.clone();
    spoiled.data[1] = 2;
    let refusal = world.simulate(&[spoiled], &[&signers[0]]).expect_err("no such state");
    assert_eq!(refusal.ours, Some(E::InvalidData));
    survives(&mut world, &pause, &signers, 3);
}

#[test]
fn enrol_survives() {
    let mut world = World::new();
    let enrol =
        world.program.enrol(world.keys.payer.pubkey(), world.keys.admin.pubkey(), &World::enrolment(1));
    let signers = keys(&[&world.keys.payer, &world.keys.admin]);
    survives(&mut world, &enrol, &signers, 10);
}

#[test]
fn attest_survives() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let attest = world.attestation(world.now(), &[(1, 5100, 0), (2, 0, 50)]);
    let signers = keys(&[&world.keys.oracle]);
    let signers_ref: Vec<_> = signers.iter().collect();
    for (attack, refusal) in refusals(&mut world, &attest, &signers_ref, 5) {
        match (attack, refusal) {
            (attack, None) => panic!("{attack:?} went through"),
            // Fewer accounts move the rows' places: an oracle is taken for missing.
            (Attack::Missing(_), Some(refusal)) => assert!(
                matches!(refusal.ours, Some(E::AccountsMissing | E::OracleThreshold)),
                "{attack:?}: {refusal:?}"
            ),
            (attack, Some(refusal)) => {
                let known = refusal.ours.is_some_and(|ours| attack.expected().contains(&ours));
                assert!(known, "{attack:?}: {refusal:?}");
                names_the_account(&attest, attack, &refusal);
            }
        }
    }
}

#[test]
fn post_offer_survives() {
    let mut world = seller_and_buyer();
    let offer = world.new_offer(1, 1, 2000, 1500);
    let post = world.program.post_offer(world.keys.payer.pubkey(), world.keys.custodian.pubkey(), &offer);
    let signers = keys(&[&world.keys.payer, &world.keys.custodian]);
    survives(&mut world, &post, &signers, 11);
}

#[test]
fn cancel_offer_survives() {
    let mut world = with_offer();
    let payer = world.keys.payer.pubkey();
    let cancel = world.program.cancel_offer(world.keys.custodian.pubkey(), 1, 1, payer);
    let signers = keys(&[&world.keys.custodian]);
    survives(&mut world, &cancel, &signers, 10);
}

#[test]
fn place_order_survives() {
    let mut world = with_offer();
    let place = world.order(2, 1, &[fill(1, 500)]);
    let signers = keys(&[&world.keys.payer, &world.keys.custodian]);
    survives(&mut world, &place, &signers, 8);
}

#[test]
fn settle_survives() {
    let mut world = with_order();
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    let signers = keys(&[&world.keys.payer, &world.keys.attestor]);
    survives(&mut world, &settle, &signers, 14);
}

#[test]
fn release_survives() {
    let mut world = with_order();
    let payer = world.keys.payer.pubkey();
    let release = world.program.release(
        world.keys.attestor.pubkey(),
        2,
        1,
        &[fill(1, 500)],
        ReleaseReason::PaymentRefused,
        payer,
    );
    let signers = keys(&[&world.keys.attestor]);
    survives(&mut world, &release, &signers, 7);
}

#[test]
fn an_unknown_instruction_is_named() {
    let world = World::new();
    for data in [vec![], vec![5], vec![99, 1, 2], vec![255]] {
        let unknown = Instruction { program_id: world.program.id, accounts: vec![], data };
        let refusal = world.simulate(&[unknown], &[]).expect_err("no such instruction");
        assert_eq!(refusal.ours, Some(E::UnknownInstruction));
    }
}
