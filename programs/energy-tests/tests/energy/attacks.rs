//! Every account and every byte of every instruction, spoiled one at a time.

use crate::story::{fill, owner, seller_and_buyer, with_offer, with_order, with_owners};
use jirani_energy_interface::client::{Adjustment, Replacement, Section};
use jirani_energy_interface::instruction::{AuthorityAction, ReleaseReason};
use jirani_energy_interface::state::Caps;
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::{Attack, Refusal, TARIFF, World, key, refusals};
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Requires every attack to be refused with one of the errors that name it.
#[track_caller]
fn survives(world: &mut World, instruction: &Instruction, signers: &[Keypair], variable: usize) {
    let signers: Vec<_> = signers.iter().collect();
    all_refused(instruction, refusals(world, instruction, &signers, variable));
}

#[track_caller]
fn all_refused(instruction: &Instruction, attacks: Vec<(Attack, Option<Box<Refusal>>)>) {
    let tried = attacks.len();
    for (attack, refusal) in attacks {
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
fn accept_admin_survives() {
    let mut world = World::new();
    world.configure(&Section::PendingAdmin(key(70).pubkey())).expect("proposed");
    let accept = world.program.accept_admin(key(70).pubkey());
    survives(&mut world, &accept, &[key(70)], 3);
}

#[test]
fn hard_stop_survives() {
    let mut world = seller_and_buyer();
    let stop = world.program.hard_stop(world.keys.admin.pubkey(), true);
    let signers = keys(&[&world.keys.admin]);
    survives(&mut world, &stop, &signers, 5);
}

#[test]
fn replace_meter_survives() {
    let mut world = seller_and_buyer();
    let replacement = Replacement {
        household_id: 1,
        meter_key: [0x77; 32],
        meter_epoch: 2,
        export_rating_w: 1,
        import_rating_w: 1,
        initial_export_wh: 0,
        initial_import_wh: 0,
    };
    let replace = world.program.replace_meter(world.keys.admin.pubkey(), &replacement);
    let signers = keys(&[&world.keys.admin]);
    survives(&mut world, &replace, &signers, 4);
}

#[test]
fn change_authority_survives() {
    let mut world = with_owners();
    let next = Some(key(70).pubkey());
    let program = world.program;
    let propose = program.change_authority(owner().pubkey(), 11, AuthorityAction::Propose, next);
    survives(&mut world, &propose, &[owner()], 4);
    world.send(&[propose], &[&owner()]).expect("proposed");
    let cancel = program.change_authority(owner().pubkey(), 11, AuthorityAction::Cancel, None);
    survives(&mut world, &cancel, &[owner()], 4);
    world.wait(48 * 3600);
    let accept = program.change_authority(key(70).pubkey(), 11, AuthorityAction::Accept, None);
    survives(&mut world, &accept, &[key(70)], 4);
}

#[test]
fn close_household_survives() {
    let mut world = seller_and_buyer();
    let close = world.program.close_household(world.keys.admin.pubkey(), 2, world.keys.payer.pubkey());
    let signers = keys(&[&world.keys.admin]);
    survives(&mut world, &close, &signers, 8);
}

#[test]
fn adjust_survives() {
    let mut world = seller_and_buyer();
    let adjustment = Adjustment {
        household_id: 1,
        oracle_version: 1,
        oracles: &[world.keys.oracle.pubkey()],
        export_wh: 5,
        import_wh: 3,
        adjusted_export_wh: 0,
        adjusted_import_wh: 0,
        reason: [1; 32],
    };
    let adjust = world.program.adjust(world.keys.admin.pubkey(), &adjustment);
    let signers = keys(&[&world.keys.admin, &world.keys.oracle]);
    let signers_ref: Vec<_> = signers.iter().collect();
    for (attack, refusal) in refusals(&mut world, &adjust, &signers_ref, 7) {
        let refusal = refusal.unwrap_or_else(|| panic!("{attack:?} went through"));
        // The last account is the oracle: without it too few have signed.
        let known = (attack == Attack::Missing(7) && refusal.ours == Some(E::OracleThreshold))
            || refusal.ours.is_some_and(|ours| attack.expected().contains(&ours));
        assert!(known, "{attack:?}: {refusal:?}");
        names_the_account(&adjust, attack, &refusal);
    }
}

#[test]
fn move_energy_survives() {
    let mut world = with_owners();
    let step = world.program.move_energy(owner().pubkey(), 11, 12, 5);
    survives(&mut world, &step, &[owner()], 9);
}

/// Withdrawals are on and household 11 has 1 kWh in its owner's wallet.
fn with_wallet() -> (World, Address) {
    let mut world = with_owners();
    world.configure(&Section::Caps(Caps { withdrawal_wh: 2000, ..Caps::default() })).expect("on");
    let wallet = world.open_wallet(60, &owner().pubkey());
    let withdraw = world.program.withdraw(owner().pubkey(), 11, wallet, 1000);
    world.send(&[withdraw], &[&owner()]).expect("withdrawn");
    (world, wallet)
}

#[test]
fn withdraw_survives() {
    let (mut world, wallet) = with_wallet();
    let withdraw = world.program.withdraw(owner().pubkey(), 11, wallet, 5);
    let mut attacks = refusals(&mut world, &withdraw, &[&owner()], 8);
    // Another account of the owner's is as good a wallet.
    let own_copy = attacks.iter().position(|(attack, _)| *attack == Attack::Copy(4)).expect("tried");
    assert!(attacks.swap_remove(own_copy).1.is_none());
    all_refused(&withdraw, attacks);
}

#[test]
fn deposit_survives() {
    let (mut world, wallet) = with_wallet();
    let deposit = world.program.deposit(owner().pubkey(), 11, wallet, 5);
    let mut attacks = refusals(&mut world, &deposit, &[&owner()], 8);
    let own_copy = attacks.iter().position(|(attack, _)| *attack == Attack::Copy(4)).expect("tried");
    assert!(attacks.swap_remove(own_copy).1.is_none());
    // The token program itself says that a mint is no wallet.
    let mint = attacks.iter().position(|(attack, _)| *attack == Attack::OtherToken(4)).expect("tried");
    assert_eq!(attacks.swap_remove(mint).1.expect("refused").ours, None);
    all_refused(&deposit, attacks);
}

#[test]
fn close_markers_survives() {
    let mut world = with_order();
    let proof = Proof::receipt([9; 32]);
    let now = world.now();
    world.settle(2, 1, &[fill(1, 500)], &proof, now).expect("settled");
    world.wait(30 * 86_400);
    let close = world.program.close_markers(&[(proof, world.keys.payer.pubkey())]);
    survives(&mut world, &close, &[], 4);
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
