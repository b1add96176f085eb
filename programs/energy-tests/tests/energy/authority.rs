//! A household's key changes slowly, so that whoever holds it sees it coming.

use crate::story::{event, neighbour, owner, refuses, refuses_account, with_owners};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::Section;
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::instruction::AuthorityAction::{Accept, Cancel, Propose};
use jirani_energy_interface::instruction::{AuthorityAction, ChangeAuthorityData};
use jirani_energy_interface::state::{Limits, flags};
use jirani_energy_tests::{Landed, World, audit, key};
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const DELAY: i64 = 48 * 3600;

fn change(
    world: &World,
    signer: &Keypair,
    household: u32,
    action: AuthorityAction,
    next: Option<Address>,
) -> Instruction {
    world.program.change_authority(signer.pubkey(), household, action, next)
}

#[track_caller]
fn lands(
    world: &mut World,
    signer: &Keypair,
    household: u32,
    action: AuthorityAction,
    next: Option<Address>,
) -> Landed {
    let instruction = change(world, signer, household, action, next);
    world.send(&[instruction], &[signer]).expect("lands")
}

#[track_caller]
fn fails(world: &mut World, signer: &Keypair, household: u32, action: AuthorityAction, expected: E) {
    let instruction = change(world, signer, household, action, Some(signer.pubkey()));
    refuses(world, &instruction, &[signer], expected);
}

/// Whether `signer` may post an offer of the household.
fn acts_for(world: &World, signer: &Keypair, household: u32) -> bool {
    let payer = world.keys.payer.insecure_clone();
    let offer = world.new_offer(household, 9, 1, 1500);
    let post = world.program.post_offer(payer.pubkey(), signer.pubkey(), &offer);
    world.simulate(&[post], &[&payer, signer]).is_ok()
}

#[test]
fn a_new_key_takes_over_after_the_delay_and_not_a_second_before() {
    let mut world = with_owners();
    let next = key(70);
    let proposed =
        event(&lands(&mut world, &owner(), 11, Propose, Some(next.pubkey())), EventKind::AuthorityChanged);
    assert_eq!((proposed.detail, proposed.household_id), (Propose as u8, 11));
    assert_eq!(proposed.subject, next.pubkey().to_bytes());
    assert_eq!(world.household(11).pending_authority_at, world.now() + DELAY);
    assert!(acts_for(&world, &owner(), 11) && !acts_for(&world, &next, 11), "nothing has changed yet");
    world.wait(DELAY - 1);
    fails(&mut world, &next, 11, Accept, E::AuthorityDelay);
    world.wait(1);
    let accepted = event(&lands(&mut world, &next, 11, Accept, None), EventKind::AuthorityChanged);
    assert_eq!((accepted.detail, accepted.subject), (Accept as u8, next.pubkey().to_bytes()));
    let household = world.household(11);
    assert_eq!((household.authority, household.pending_authority_at), (next.pubkey().to_bytes(), 0));
    assert!(acts_for(&world, &next, 11) && !acts_for(&world, &owner(), 11));
    fails(&mut world, &next, 11, Accept, E::NoAuthorityChange);
    audit(&world);
}

#[test]
fn a_proposal_that_nobody_took_up_runs_out_after_a_month() {
    let mut world = with_owners();
    lands(&mut world, &owner(), 11, Propose, Some(key(70).pubkey()));
    world.wait(DELAY + 30 * 86_400 + 1);
    fails(&mut world, &key(70), 11, Accept, E::NoAuthorityChange);
    world.wait(-1);
    lands(&mut world, &key(70), 11, Accept, None);
    audit(&world);
}

#[test]
fn only_the_proposed_key_accepts() {
    let mut world = with_owners();
    lands(&mut world, &owner(), 11, Propose, Some(key(70).pubkey()));
    world.wait(DELAY);
    let admin = world.keys.admin.insecure_clone();
    for wrong in [&owner(), &neighbour(), &admin] {
        fails(&mut world, wrong, 11, Accept, E::NotPendingAuthority);
    }
    lands(&mut world, &key(70), 11, Accept, None);
    audit(&world);
}

#[test]
fn strangers_and_the_custodian_propose_nothing() {
    let mut world = with_owners();
    world.enrol([2]);
    let (custodian, stranger) = (world.keys.custodian.insecure_clone(), world.keys.stranger.insecure_clone());
    for wrong in [&neighbour(), &custodian, &stranger] {
        fails(&mut world, wrong, 11, Propose, E::NotAuthority);
    }
    for wrong in [&custodian, &stranger] {
        fails(&mut world, wrong, 2, Propose, E::NotAuthority);
    }
}

#[test]
fn the_authority_and_the_admin_take_a_proposal_back() {
    for by_admin in [false, true] {
        let mut world = with_owners();
        let next = key(70);
        lands(&mut world, &owner(), 11, Propose, Some(next.pubkey()));
        for wrong in [&next, &neighbour(), &world.keys.custodian.insecure_clone()] {
            fails(&mut world, wrong, 11, Cancel, E::NotAuthority);
        }
        let canceller = if by_admin { world.keys.admin.insecure_clone() } else { owner() };
        let cancelled = event(&lands(&mut world, &canceller, 11, Cancel, None), EventKind::AuthorityChanged);
        assert_eq!((cancelled.detail, cancelled.subject), (Cancel as u8, owner().pubkey().to_bytes()));
        world.wait(DELAY);
        fails(&mut world, &next, 11, Accept, E::NoAuthorityChange);
        fails(&mut world, &canceller, 11, Cancel, E::NoAuthorityChange);
        assert!(acts_for(&world, &owner(), 11));
        audit(&world);
    }
}

#[test]
fn a_custodial_household_gets_its_own_key_and_gives_it_back() {
    let mut world = with_owners();
    world.enrol([2]);
    world.wait(900);
    world.attest(&[(2, 100, 0)]);
    let (admin, custodian) = (world.keys.admin.insecure_clone(), world.keys.custodian.insecure_clone());
    let own = key(70);
    lands(&mut world, &admin, 2, Propose, Some(own.pubkey()));
    // The custodian of a custodial household may take it back.
    lands(&mut world, &custodian, 2, Cancel, None);
    lands(&mut world, &admin, 2, Propose, Some(own.pubkey()));
    world.wait(DELAY);
    lands(&mut world, &own, 2, Accept, None);
    assert_eq!(world.household(2).flags, 0);
    assert!(acts_for(&world, &own, 2) && !acts_for(&world, &custodian, 2));

    lands(&mut world, &own, 2, Propose, None);
    world.wait(DELAY);
    for wrong in [&own, &custodian] {
        fails(&mut world, wrong, 2, Accept, E::NotPendingAuthority);
    }
    lands(&mut world, &admin, 2, Accept, None);
    let household = world.household(2);
    assert_eq!((household.flags, household.authority), (flags::CUSTODIAL, [0; 32]));
    assert!(acts_for(&world, &custodian, 2) && !acts_for(&world, &own, 2));
    audit(&world);
}

#[test]
fn the_admin_proposes_for_a_lost_key_and_the_key_found_again_says_no() {
    let mut world = with_owners();
    let (admin, next) = (world.keys.admin.insecure_clone(), key(70));
    lands(&mut world, &admin, 11, Propose, Some(next.pubkey()));
    world.wait(DELAY - 1);
    lands(&mut world, &owner(), 11, Cancel, None);
    world.wait(1);
    fails(&mut world, &next, 11, Accept, E::NoAuthorityChange);
    lands(&mut world, &admin, 11, Propose, Some(next.pubkey()));
    world.wait(DELAY);
    lands(&mut world, &next, 11, Accept, None);
    audit(&world);
}

#[test]
fn proposing_again_starts_the_delay_anew() {
    let mut world = with_owners();
    let (first, second) = (key(70), key(71));
    lands(&mut world, &owner(), 11, Propose, Some(first.pubkey()));
    world.wait(DELAY - 10);
    lands(&mut world, &owner(), 11, Propose, Some(second.pubkey()));
    world.wait(10);
    fails(&mut world, &first, 11, Accept, E::AuthorityDelay);
    fails(&mut world, &second, 11, Accept, E::AuthorityDelay);
    world.wait(DELAY - 10);
    fails(&mut world, &first, 11, Accept, E::NotPendingAuthority);
    lands(&mut world, &second, 11, Accept, None);
    audit(&world);
}

#[test]
fn the_admin_cannot_shorten_a_delay_that_runs_nor_below_a_day() {
    let mut world = with_owners();
    let admin = world.keys.admin.insecure_clone();
    lands(&mut world, &admin, 11, Propose, Some(admin.pubkey()));
    let day = Limits { authority_delay_s: 86_400, ..Limits::default() };
    world.configure(&Section::Limits(day)).unwrap();
    world.wait(86_400);
    fails(&mut world, &admin, 11, Accept, E::AuthorityDelay);
    let shorter = Limits { authority_delay_s: 86_399, ..day };
    let configure = world.program.configure(admin.pubkey(), &Section::Limits(shorter));
    refuses(&mut world, &configure, &[&admin], E::InvalidLimits);
    world.wait(DELAY - 86_400);
    lands(&mut world, &admin, 11, Accept, None);
    audit(&world);
}

#[test]
fn an_unknown_action_is_refused() {
    let mut world = with_owners();
    for action in [0, 4, 255] {
        let mut unknown = change(&world, &owner(), 11, Propose, None);
        unknown.data[1] = action;
        refuses(&mut world, &unknown, &[&owner()], E::InvalidData);
    }
    let mut short = change(&world, &owner(), 11, Propose, None);
    short.data.truncate(size_of::<ChangeAuthorityData>() - 1);
    refuses(&mut world, &short, &[&owner()], E::InvalidData);
    let mut other = change(&world, &owner(), 11, Propose, None);
    other.accounts[2].pubkey = world.program.config;
    refuses_account(&mut world, &other, &[&owner()], E::WrongType, "household");
}

#[test]
fn under_a_soft_pause_authorities_still_change() {
    let mut world = with_owners();
    let (admin, next) = (world.keys.admin.insecure_clone(), key(70));
    world.pause_as(&admin, true).unwrap();
    lands(&mut world, &owner(), 11, Propose, Some(next.pubkey()));
    lands(&mut world, &owner(), 11, Cancel, None);
    lands(&mut world, &owner(), 11, Propose, Some(next.pubkey()));
    world.wait(DELAY);
    lands(&mut world, &next, 11, Accept, None);
    audit(&world);
}
