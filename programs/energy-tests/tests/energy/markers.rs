//! A used proof's marker stays until its proof fits no order any more.

use crate::story::{event, fill, refused, refuses, refuses_account, with_offer};
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::state::Marker;
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::{World, audit};
use solana_instruction::Instruction;
use solana_signer::Signer;

const RETENTION: i64 = 30 * 86_400;

fn proof(number: u8) -> Proof {
    Proof::receipt([number; 32])
}

/// Three orders of household 2 settled with the proofs 1, 2 and 3.
fn settled() -> World {
    let mut world = with_offer();
    for number in 1..=3 {
        world.place(2, u64::from(number), &[fill(1, 100)]).unwrap();
        let now = world.now();
        world.settle(2, u64::from(number), &[fill(1, 100)], &proof(number), now).unwrap();
    }
    world
}

fn close(world: &World, numbers: &[u8]) -> Instruction {
    let payer = world.keys.payer.pubkey();
    let markers: Vec<_> = numbers.iter().map(|number| (proof(*number), payer)).collect();
    world.program.close_markers(&markers)
}

#[test]
fn a_marker_closes_after_its_retention_and_not_a_second_before() {
    let mut world = settled();
    let close = close(&world, &[1]);
    world.wait(RETENTION - 1);
    refuses(&mut world, &close, &[], E::MarkerRetained);
    world.wait(1);
    let payer = world.keys.payer.pubkey();
    let before = world.lamports(&payer);
    // Nobody signs but for the fee.
    let closed = event(&world.send(std::slice::from_ref(&close), &[]).unwrap(), EventKind::MarkersClosed);
    assert_eq!(closed.number, 1);
    let rent = world.svm.minimum_balance_for_rent_exemption(112);
    assert_eq!(world.lamports(&payer), before + rent, "the rent goes back to who paid it");
    assert!(world.record::<Marker>(&world.program.marker(&proof(1))).is_none());
    refuses_gone(&mut world, &close);
    audit(&world);
}

#[track_caller]
fn refuses_gone(world: &mut World, close: &Instruction) {
    refused(world.send(std::slice::from_ref(close), &[]), E::WrongOwner);
}

#[test]
fn several_markers_close_at_once() {
    let mut world = settled();
    world.wait(RETENTION);
    let close = close(&world, &[1, 2, 3]);
    assert_eq!(event(&world.send(&[close], &[]).unwrap(), EventKind::MarkersClosed).number, 3);
    assert_eq!(world.closed_markers(), 3);
    audit(&world);
}

#[test]
fn one_marker_that_must_stay_keeps_all() {
    let mut world = settled();
    world.wait(86_400);
    let offer = world.new_offer(1, 2, 500, 1500);
    world.post(&offer).unwrap();
    world.place(2, 4, &[fill(2, 100)]).unwrap();
    let now = world.now();
    world.settle(2, 4, &[fill(2, 100)], &proof(4), now).unwrap();
    world.wait(RETENTION - 86_400);
    let too_many = close(&world, &[1, 2, 4, 3]);
    refuses(&mut world, &too_many, &[], E::MarkerRetained);
    let unknown = close(&world, &[1, 9]);
    refuses(&mut world, &unknown, &[], E::WrongOwner);
    let ripe = close(&world, &[1, 2, 3]);
    world.send(&[ripe], &[]).unwrap();
    audit(&world);
}

#[test]
fn a_pause_puts_the_closing_off() {
    let mut world = settled();
    let admin = world.keys.admin.insecure_clone();
    let close = close(&world, &[1]);
    world.wait(1000);
    world.pause_as(&admin, true).unwrap();
    world.wait(RETENTION);
    refuses(&mut world, &close, &[], E::MarkerRetained);
    world.pause_as(&admin, false).unwrap();
    world.wait(-1001);
    refuses(&mut world, &close, &[], E::MarkerRetained);
    world.wait(1001);
    refuses(&mut world, &close, &[], E::MarkerRetained);
    world.wait(RETENTION - 1001);
    refuses(&mut world, &close, &[], E::MarkerRetained);
    world.wait(1);
    world.send(&[close], &[]).unwrap();
    audit(&world);
}

#[test]
fn under_pauses_of_both_kinds_ripe_markers_close() {
    for hard in [false, true] {
        let mut world = settled();
        let admin = world.keys.admin.insecure_clone();
        world.wait(RETENTION);
        if hard {
            world.hard_stop(true).unwrap();
        } else {
            world.pause_as(&admin, true).unwrap();
        }
        let close = close(&world, &[1, 2, 3]);
        world.send(&[close], &[]).unwrap();
        audit(&world);
    }
}

#[test]
fn rent_goes_only_to_who_paid_it() {
    let mut world = settled();
    world.wait(RETENTION);
    let (payer, stranger) = (world.keys.payer.pubkey(), world.keys.stranger.pubkey());
    let theft = world.program.close_markers(&[(proof(1), payer), (proof(2), stranger)]);
    refuses_account(&mut world, &theft, &[], E::WrongAddress, "rent_payer");
    let mut unwritable = close(&world, &[1]);
    unwritable.accounts[3].is_writable = false;
    refuses(&mut world, &unwritable, &[], E::NotWritable);
    let mut unwritable = close(&world, &[1]);
    unwritable.accounts[2].is_writable = false;
    refuses(&mut world, &unwritable, &[], E::NotWritable);
}

#[test]
fn a_marker_closes_once_even_when_named_twice() {
    let mut world = settled();
    world.wait(RETENTION);
    let twice = close(&world, &[1, 1]);
    refuses(&mut world, &twice, &[], E::WrongOwner);
}

#[test]
fn nothing_but_a_marker_is_closed() {
    let mut world = settled();
    world.wait(RETENTION);
    let offer = world.program.offer(&world.program.household(1), 1);
    for other in [offer, world.program.household(1), world.program.config, world.program.evidence(1)] {
        let mut wrong = close(&world, &[1]);
        wrong.accounts[2].pubkey = other;
        refuses(&mut world, &wrong, &[], E::WrongType);
    }
    let mut vault = close(&world, &[1]);
    vault.accounts[2].pubkey = world.vault_of(1);
    refuses(&mut world, &vault, &[], E::WrongOwner);
    let none = close(&world, &[]);
    refuses(&mut world, &none, &[], E::AccountsMissing);
    let mut half = close(&world, &[1]);
    half.accounts.pop();
    refuses(&mut world, &half, &[], E::AccountsMissing);
}

#[test]
fn the_proof_of_a_closed_marker_fits_no_later_order() {
    let mut world = settled();
    let paid_at = world.now();
    world.wait(RETENTION);
    let close = close(&world, &[1]);
    world.send(&[close], &[]).unwrap();
    let offer = world.new_offer(1, 2, 500, 1500);
    world.post(&offer).unwrap();
    world.place(2, 4, &[fill(2, 100)]).unwrap();
    refused(world.settle(2, 4, &[fill(2, 100)], &proof(1), paid_at), E::PaidAtOutsideWindow);
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    for paid_at in [paid_at + 420, world.now() - 1] {
        let settle = world.settlement(2, 4, &[fill(2, 100)], &proof(1), paid_at);
        refuses(&mut world, &settle, &[&payer, &attestor], E::PaidAtOutsideWindow);
    }
    audit(&world);
}
