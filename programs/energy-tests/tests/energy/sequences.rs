//! Instructions after each other in one transaction see what the earlier ones did, and
//! a clock that stands or goes back changes no rule.

use crate::story::{fill, refused, refuses, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::client::{Attestation, AttestationRow, Section};
use jirani_energy_interface::event::RowStatus;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::{CappedKey, OracleSet};
use jirani_energy_interface::{EnergyError as E, Proof, attest_rows_that_fit};
use jirani_energy_tests::{World, audit, key};
use solana_keypair::Keypair;
use solana_signer::Signer;

#[test]
fn two_settlements_in_one_transaction_burn_a_shortfall_once() {
    let mut world = with_order();
    world.place(2, 2, &[fill(1, 300)]).unwrap();
    world.wait(60);
    world.attest(&[(2, 0, 600)]);
    let now = world.now();
    let settles = [
        world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([1; 32]), now),
        world.settlement(2, 2, &[fill(1, 300)], &Proof::receipt([2; 32]), now),
    ];
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let landed = world.send(&settles, &[&payer, &attestor]).unwrap();
    assert_eq!(landed.events.iter().map(|event| event.event.burned_wh).collect::<Vec<_>>(), [500, 100]);
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (200, 0));
    audit(&world);
}

#[test]
fn a_settlement_after_an_attestation_in_one_transaction_sees_the_new_shortfall() {
    let mut world = with_order();
    world.wait(60);
    let now = world.now();
    let attest = world.attestation(now, &[(2, 0, 200)]);
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([1; 32]), now);
    let keys = [&world.keys.payer, &world.keys.attestor, &world.keys.oracle].map(Keypair::insecure_clone);
    world.send(&[attest, settle], &[&keys[0], &keys[1], &keys[2]]).unwrap();
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (300, 0));
    audit(&world);
}

#[test]
fn the_whole_vault_is_offered_only_once_in_a_transaction() {
    let mut world = seller_and_buyer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let posts = [1, 2].map(|id| {
        let offer = world.new_offer(1, id, 5000, 1500);
        world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer)
    });
    refused(world.send(&posts, &[&payer, &custodian]), E::VaultTooSmall);
    audit(&world);
}

#[test]
fn an_order_is_not_settled_and_released_in_one_transaction() {
    let mut world = with_order();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let fills = [fill(1, 500)];
    let settle = world.settlement(2, 1, &fills, &Proof::receipt([1; 32]), world.now());
    let reason = ReleaseReason::PaymentRefused;
    let release = world.program.release(attestor.pubkey(), 2, 1, &fills, reason, payer.pubkey());
    refused(world.send(&[settle.clone(), release.clone()], &[&payer, &attestor]), E::WrongOwner);
    refused(world.send(&[release, settle], &[&payer, &attestor]), E::WrongOwner);
    audit(&world);
}

#[test]
fn an_attestation_of_more_than_one_call_counts_every_row() {
    let mut world = World::new();
    world.enrol(1..=20);
    world.wait(900);
    // Mints, burns and nothing, mixed over both calls to Token-2022.
    let rows: Vec<_> = (1..=20).map(|id| (id, u64::from(id % 3) * 100, u64::from(id % 4) * 50)).collect();
    world.attest(&rows);
    for (id, export, import) in rows {
        let household = world.household(id);
        assert_eq!(world.vault(id), export.saturating_sub(import), "household {id}");
        assert_eq!(household.shortfall_wh, import.saturating_sub(export), "household {id}");
    }
    audit(&world);
}

/// As many rows as fit with that many oracles, in one transaction; gives their number.
fn full_batch(oracles: u8) -> u32 {
    let mut world = World::new();
    let keys: Vec<_> = (0..oracles).map(|number| key(40 + number)).collect();
    let mut set = OracleSet::single(keys[0].pubkey().to_bytes());
    for (member, key) in set.members.iter_mut().zip(&keys) {
        *member = key.pubkey().to_bytes();
    }
    (set.count, set.threshold) = (oracles, oracles);
    world.configure(&Section::Oracles(set)).unwrap();
    let fit = u32::try_from(attest_rows_that_fit(keys.len())).unwrap();
    world.enrol(1..=fit);
    world.wait(900);
    let rows: Vec<_> = (1..=fit)
        .map(|household_id| AttestationRow { household_id, meter_epoch: 1, export_wh: 1000, import_wh: 0 })
        .collect();
    let oracles: Vec<_> = keys.iter().map(Signer::pubkey).collect();
    let attest = world.program.attest(&Attestation {
        feeder: 1,
        slot_end: world.now(),
        evidence_root: [7; 32],
        oracle_version: 2,
        oracles: &oracles,
        rows: &rows,
    });
    let landed = world.send(&[attest], &keys.iter().collect::<Vec<_>>()).unwrap();
    assert!(landed.rows().iter().all(|row| row.status == RowStatus::Applied as u8));
    assert!(landed.bytes <= 4096, "{} bytes", landed.bytes);
    assert!(landed.units < 140_000, "{} units, a tenth of what a transaction may use", landed.units);
    assert_eq!(world.supply(), u64::from(fit) * 1000);
    audit(&world);
    fit
}

#[test]
fn twenty_eight_rows_fit_a_transaction_that_one_oracle_signs() {
    assert_eq!(full_batch(1), 28);
}

#[test]
fn twenty_six_rows_fit_a_transaction_that_three_oracles_sign() {
    assert!(full_batch(3) >= 26);
}

#[test]
fn an_oracle_removed_before_its_signature_lands_counts_no_more() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let (old, admin) = (world.keys.oracle.insecure_clone(), world.keys.admin.insecure_clone());
    let attest = world.attestation(world.now(), &[(1, 5100, 0)]);
    let rotate = world
        .program
        .configure(admin.pubkey(), &Section::Oracles(OracleSet::single(key(40).pubkey().to_bytes())));
    refused(world.send(&[rotate.clone(), attest.clone()], &[&admin, &old]), E::OracleVersion);
    // The same members again are another version all the same.
    let same = OracleSet::single(old.pubkey().to_bytes());
    world.configure(&Section::Oracles(same)).unwrap();
    refuses(&mut world, &attest, &[&old], E::OracleVersion);
    audit(&world);
}

#[test]
fn a_clock_that_goes_back_frees_nothing_and_counts_nothing_twice() {
    let mut world = with_offer();
    let custodian = world.keys.custodian.pubkey().to_bytes();
    world.configure(&Section::Custodian(CappedKey::new(custodian, 3000, u64::MAX))).unwrap();
    world.wait(86_400);
    let offer = world.new_offer(1, 2, 3000, 1500);
    world.post(&offer).unwrap();
    world.wait(-86_400);
    world.place(2, 1, &[fill(2, 1)]).expect_err("the later day's cap is used up");
    let before = world.household(1);
    let again = world.attest(&[(1, 5000, 0), (2, 0, 0)]);
    assert!(again.rows().iter().all(|row| row.status == RowStatus::Stale as u8));
    assert_eq!(world.household(1), before);
    world.wait(-2 * 86_400);
    let earlier = world.attest(&[(1, 5500, 0)]);
    assert_eq!(earlier.rows()[0].status, RowStatus::Stale as u8);
    audit(&world);
}

#[test]
fn times_at_the_ends_of_the_calendar_wrap_nowhere() {
    let mut world = with_order();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let (oracle, attestor) = (world.keys.oracle.insecure_clone(), world.keys.attestor.insecure_clone());
    let late = world.attestation(i64::MAX, &[(1, 5100, 0)]);
    refuses(&mut world, &late, &[&oracle], E::SlotInFuture);
    for early in [i64::MIN, -1, 0] {
        let attest = world.attestation(early, &[(1, 5100, 0)]);
        let landed = world.send(&[attest], &[&oracle]).unwrap();
        assert_eq!(landed.rows()[0].status, RowStatus::Stale as u8);
    }
    for expires_at in [i64::MAX, i64::MIN] {
        let mut offer = world.new_offer(1, 2, 100, 1500);
        offer.expires_at = expires_at;
        let post = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer);
        refuses(&mut world, &post, &[&payer, &custodian], E::InvalidExpiry);
    }
    for paid_at in [i64::MAX, i64::MIN] {
        let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([1; 32]), paid_at);
        refuses(&mut world, &settle, &[&payer, &attestor], E::PaidAtOutsideWindow);
    }
    audit(&world);
}

#[test]
fn amounts_at_the_ends_of_their_range_wrap_nowhere() {
    let mut world = with_offer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    // What the custodian moved today and the largest number together leave 64 bits.
    for (energy_wh, expected) in
        [(3001, E::VaultTooSmall), (u64::MAX - 2000, E::VaultTooSmall), (u64::MAX, E::DailyCap)]
    {
        let offer = world.new_offer(1, 2, energy_wh, 1500);
        let post = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer);
        refuses(&mut world, &post, &[&payer, &custodian], expected);
    }
    let place = world.order(2, 1, &[fill(1, u32::MAX)]);
    refuses(&mut world, &place, &[&payer, &custodian], E::OfferTooSmall);
    let mut dear = fill(1, 500);
    dear.price = u32::MAX;
    let place = world.order(2, 1, &[dear]);
    refuses(&mut world, &place, &[&payer, &custodian], E::PriceChanged);
    // Nobody uses up all numbers by taking the last one; a long step is a step.
    let last = world.new_offer(1, u64::MAX, 100, 1500);
    refused(world.post(&last), E::IdUsed);
    refused(world.place(2, u64::MAX, &[fill(1, 1)]), E::IdUsed);
    let far = world.new_offer(1, (1 << 32) + 1, 100, 1500);
    world.post(&far).unwrap();
    world.place(2, 1 << 32, &[fill((1 << 32) + 1, 1)]).unwrap();
    audit(&world);
}

#[test]
fn an_offer_is_sold_to_its_last_watt_hour() {
    let mut world = with_offer();
    for (order, wh) in [(1, 1999), (2, 1)] {
        world.place(2, order, &[fill(1, wh)]).unwrap();
        let now = world.now();
        let proof = Proof::receipt([u8::try_from(order).unwrap(); 32]);
        world.settle(2, order, &[fill(1, wh)], &proof, now).unwrap();
    }
    assert_eq!(world.offer(1, 1).unwrap().owed_wh(), 0);
    refused(world.place(2, 3, &[fill(1, 1)]), E::OfferTooSmall);
    let stranger = world.keys.stranger.insecure_clone();
    world.cancel_as(&stranger, 1, 1).unwrap();
    assert_eq!((world.vault(1), world.vault(2)), (3000, 2000));
    audit(&world);
}
