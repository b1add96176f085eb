//! A hostile program calls ours, stands in another's place, or passes signatures on.
//! Its source is `forwarder/`; it really signs for an address of its own that is made
//! of the same seed as our Config's.

use crate::story::{fill, refuses_account, refuses_elsewhere, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::client::{Enrolment, Section};
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::state::Config;
use jirani_energy_interface::{EnergyError as E, Proof, seeds};
use jirani_energy_tests::{TARIFF, World, audit, key};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

/// Claims no signature.
const NOBODY: u8 = 255;

struct Forwarder {
    id: Address,
    signs_for: Address,
    bump: u8,
}

impl Forwarder {
    fn deploy(world: &mut World) -> Self {
        let id = key(91).pubkey();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/forwarder/forwarder.so");
        world.svm.add_program(id, &std::fs::read(path).unwrap()).unwrap();
        let (signs_for, bump) = Address::find_program_address(&[seeds::CONFIG], &id);
        Self { id, signs_for, bump }
    }

    /// The instruction as this program calls it, with a signature claimed for the account
    /// at `claimed`, which does not sign the transaction itself.
    fn forwards(&self, instruction: &Instruction, claimed: u8) -> Instruction {
        let mut accounts = vec![AccountMeta::new_readonly(instruction.program_id, false)];
        accounts.extend(instruction.accounts.iter().cloned());
        if let Some(meta) = accounts.get_mut(usize::from(claimed) + 1) {
            meta.is_signer = false;
        }
        let data = [&[self.bump, claimed][..], &instruction.data].concat();
        Instruction { program_id: self.id, accounts, data }
    }
}

fn forged_event(world: &World, config: Address) -> Instruction {
    let mut event = Event::new(EventKind::Settled, world.now());
    event.energy_wh = 1_000_000;
    Instruction {
        program_id: world.program.id,
        accounts: vec![AccountMeta::new_readonly(config, true)],
        data: bytemuck::bytes_of(&event).to_vec(),
    }
}

#[test]
fn a_program_that_forwards_honestly_is_as_good_as_the_key_itself() {
    let mut world = World::new();
    let forwarder = Forwarder::deploy(&mut world);
    let admin = world.keys.admin.insecure_clone();
    let configure = world.program.configure(admin.pubkey(), &Section::Tariff(TARIFF));
    let forwarded = forwarder.forwards(&configure, NOBODY);
    world.send(&[forwarded], &[&admin]).expect("the attack tests rest on a forwarder that works");
    audit(&world);
}

#[test]
fn no_program_writes_our_events() {
    let mut world = seller_and_buyer();
    let forwarder = Forwarder::deploy(&mut world);
    let config = world.program.config;
    // Config's signature, claimed: the runtime knows better.
    let claimed = forwarder.forwards(&forged_event(&world, config), 0);
    refuses_elsewhere(&mut world, &claimed, &[], "privilege escalated");
    // Config without a signature: we know better.
    let mut unsigned = forwarder.forwards(&forged_event(&world, config), NOBODY);
    unsigned.accounts[1].is_signer = false;
    let refusal = world.send(&[unsigned], &[]).expect_err("an event was forged");
    assert_eq!(refusal.ours, Some(E::ForgedEvent));
    // Its own signed twin of Config, which holds nothing.
    let twin = forwarder.forwards(&forged_event(&world, forwarder.signs_for), 0);
    let refusal = world.send(&[twin], &[]).expect_err("an event was forged");
    assert_eq!(refusal.ours, Some(E::WrongOwner));
}

#[test]
fn a_true_copy_of_config_that_another_program_owns_is_not_config() {
    let mut world = seller_and_buyer();
    let forwarder = Forwarder::deploy(&mut world);
    let genuine = world.svm.get_account(&world.program.config).unwrap();
    assert!(genuine.data.len() == size_of::<Config>());
    world.svm.set_account(forwarder.signs_for, Account { owner: forwarder.id, ..genuine }).unwrap();
    let twin = forwarder.forwards(&forged_event(&world, forwarder.signs_for), 0);
    let refusal = world.send(&[twin], &[]).expect_err("an event was forged");
    assert_eq!(refusal.ours, Some(E::WrongOwner));
}

#[test]
fn no_program_signs_for_our_keys() {
    let mut world = with_order();
    let forwarder = Forwarder::deploy(&mut world);
    let payer = world.keys.payer.insecure_clone();
    let program = world.program;
    let keys = [&world.keys.admin, &world.keys.oracle, &world.keys.attestor].map(Signer::pubkey);
    let [admin, _, attestor] = keys;
    let configure = program.configure(admin, &Section::Tariff(TARIFF));
    let stop = program.hard_stop(admin, true);
    let attest = world.attestation(world.now() + 60, &[(1, 5100, 0)]);
    for (instruction, claimed) in [(configure, 0), (stop, 0), (attest, 5)] {
        let forwarded = forwarder.forwards(&instruction, claimed);
        refuses_elsewhere(&mut world, &forwarded, &[], "privilege escalated");
    }
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    assert_eq!(settle.accounts[0].pubkey, attestor);
    let forwarded = forwarder.forwards(&settle, 0);
    refuses_elsewhere(&mut world, &forwarded, &[&payer], "privilege escalated");
    audit(&world);
}

#[test]
fn a_hostile_program_in_another_programs_place_is_never_called() {
    let mut world = with_order();
    let forwarder = Forwarder::deploy(&mut world);
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let custodian = world.keys.custodian.insecure_clone();
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    for (place, name) in [(9, "system_program"), (10, "token_program"), (11, "energy_program")] {
        let mut wrong = settle.clone();
        wrong.accounts[place].pubkey = forwarder.id;
        refuses_account(&mut world, &wrong, &[&payer, &attestor], E::WrongProgram, name);
    }
    let offer = world.new_offer(1, 2, 100, 1500);
    let post = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer);
    for (place, name) in [(8, "system_program"), (9, "token_program"), (10, "energy_program")] {
        let mut wrong = post.clone();
        wrong.accounts[place].pubkey = forwarder.id;
        refuses_account(&mut world, &wrong, &[&payer, &custodian], E::WrongProgram, name);
    }
    audit(&world);
}

#[test]
fn a_program_may_be_a_households_authority_and_rules_only_over_that() {
    let mut world = with_offer();
    let forwarder = Forwarder::deploy(&mut world);
    let authority = forwarder.signs_for;
    world.enrol_as(&Enrolment { authority: Some(authority), ..World::enrolment(3) }).unwrap();
    world.wait(900);
    world.attest(&[(3, 1000, 0)]);
    let payer = world.keys.payer.insecure_clone();
    let own = world.program.post_offer(payer.pubkey(), authority, &world.new_offer(3, 1, 100, 1500));
    world.send(&[forwarder.forwards(&own, 0)], &[&payer]).expect("a multisig, say, posts its offer");
    let theft = world.program.post_offer(payer.pubkey(), authority, &world.new_offer(1, 2, 100, 1500));
    let refusal = world.send(&[forwarder.forwards(&theft, 0)], &[&payer]).expect_err("another's");
    assert_eq!(refusal.ours, Some(E::NotAuthority));
    audit(&world);
}
