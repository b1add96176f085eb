//! The market stops and goes on, and nobody loses by it.

use crate::story::{fill, refused, seller_and_buyer, with_order};
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::audit;

#[test]
fn the_pause_key_can_only_stop() {
    let mut world = seller_and_buyer();
    let (pause, admin) = (world.keys.pause.insecure_clone(), world.keys.admin.insecure_clone());
    let stranger = world.keys.stranger.insecure_clone();
    refused(world.pause_as(&stranger, true), E::NotPauseKey);
    world.pause_as(&pause, true).unwrap();
    refused(world.pause_as(&pause, true), E::PauseUnchanged);
    refused(world.pause_as(&pause, false), E::NotPauseKey);
    world.pause_as(&admin, false).unwrap();
    refused(world.pause_as(&admin, false), E::PauseUnchanged);
    world.pause_as(&admin, true).unwrap();
}

#[test]
fn while_paused_nothing_is_attested_posted_ordered_or_settled() {
    let mut world = with_order();
    let pause = world.keys.pause.insecure_clone();
    world.pause_as(&pause, true).unwrap();
    world.wait(900);
    let attest = world.attestation(world.now(), &[(1, 5100, 0)]);
    let oracle = world.keys.oracle.insecure_clone();
    refused(world.send(&[attest], &[&oracle]), E::Paused);
    let offer = world.new_offer(1, 2, 100, 1500);
    refused(world.post(&offer), E::Paused);
    refused(world.place(2, 2, &[fill(1, 1)]), E::Paused);
    refused(world.settle(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now()), E::Paused);
    audit(&world);
}

#[test]
fn while_paused_offers_come_back_and_the_attestor_releases() {
    let mut world = with_order();
    let (pause, attestor) = (world.keys.pause.insecure_clone(), world.keys.attestor.insecure_clone());
    world.pause_as(&pause, true).unwrap();
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::Paused).unwrap();
    world.cancel(1, 1).unwrap();
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn deadlines_stand_still_while_paused() {
    let mut world = with_order();
    let placed = world.now();
    let (admin, stranger) = (world.keys.admin.insecure_clone(), world.keys.stranger.insecure_clone());
    let fills = [fill(1, 500)];
    world.wait(400);
    world.pause_as(&admin, true).unwrap();
    world.wait(10_000);
    let early = world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout);
    refused(early, E::OrderWindowOpen);
    world.pause_as(&admin, false).unwrap();
    world.wait(20);
    let early = world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout);
    refused(early, E::OrderWindowOpen);
    world.settle(2, 1, &fills, &Proof::receipt([9; 32]), placed + 5000).unwrap();

    // An order placed after the pause has its plain window.
    let offer = world.new_offer(1, 2, 500, 1500);
    world.post(&offer).unwrap();
    let fills = [fill(2, 500)];
    world.place(2, 2, &fills).unwrap();
    world.wait(421);
    world.release_as(&stranger, 2, 2, &fills, ReleaseReason::PaymentTimeout).unwrap();
    audit(&world);
}
