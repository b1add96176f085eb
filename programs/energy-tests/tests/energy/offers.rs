//! Energy goes up for sale and comes back.

use crate::story::{fill, refused, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{Enrolment, NewOffer};
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::OfferState;
use jirani_energy_tests::{World, audit, key};
use solana_signer::Signer;

#[test]
fn an_offer_moves_energy_from_vault_to_escrow() {
    let world = with_offer();
    let offer = world.offer(1, 1).unwrap();
    assert_eq!((offer.energy_wh, offer.price, offer.seller_id), (2000, 1500, 1));
    assert_eq!(world.tokens(&offer.escrow.into()), 2000);
    assert_eq!(world.vault(1), 3000);
    audit(&world);
}

#[test]
fn an_offer_must_be_possible_and_within_the_tariff() {
    let mut world = seller_and_buyer();
    let good = world.new_offer(1, 1, 2000, 1500);
    let now = world.now();
    for (bad, error) in [
        (NewOffer { price: 999, ..good }, E::PriceOutOfBounds),
        (NewOffer { price: 2501, ..good }, E::PriceOutOfBounds),
        (NewOffer { energy_wh: 0, ..good }, E::ZeroEnergy),
        (NewOffer { energy_wh: 5001, ..good }, E::VaultTooSmall),
        (NewOffer { expires_at: now, ..good }, E::InvalidExpiry),
        (NewOffer { expires_at: now + 31 * 86_400 + 1, ..good }, E::InvalidExpiry),
        (NewOffer { offer_id: 0, ..good }, E::IdUsed),
    ] {
        refused(world.post(&bad), error);
    }
    for (id, price) in [(1, 1000), (2, 2500)] {
        world.post(&NewOffer { offer_id: id, price, ..good }).unwrap();
    }
    audit(&world);
}

#[test]
fn a_household_that_owes_energy_may_not_sell() {
    let mut world = seller_and_buyer();
    world.wait(900);
    world.attest(&[(2, 0, 1)]);
    let (from, to) =
        (world.program.vault(&world.program.household(1)), world.program.vault(&world.program.household(2)));
    world.move_tokens(&from, &to, 100);
    let offer = world.new_offer(2, 1, 50, 1500);
    refused(world.post(&offer), E::ShortfallOpen);
}

#[test]
fn an_offers_number_is_used_once_even_after_it_is_gone() {
    let mut world = with_offer();
    world.cancel(1, 1).unwrap();
    assert!(world.offer(1, 1).is_none());
    let again = world.new_offer(1, 1, 2000, 1500);
    refused(world.post(&again), E::IdUsed);
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn who_signs_for_whom() {
    let mut world = World::new();
    let owner = key(50);
    world.enrol([1]);
    world.enrol_as(&Enrolment { authority: Some(owner.pubkey()), ..World::enrolment(2) }).unwrap();
    world.wait(900);
    world.attest(&[(1, 1000, 0), (2, 1000, 0)]);
    let offer = world.new_offer(2, 1, 500, 1500);
    refused(world.post(&offer), E::NotAuthority);
    let payer = world.keys.payer.insecure_clone();
    let own = world.program.post_offer(payer.pubkey(), owner.pubkey(), &offer);
    world.send(&[own], &[&payer, &owner]).unwrap();
    let theft = world.program.post_offer(payer.pubkey(), owner.pubkey(), &world.new_offer(1, 1, 500, 1500));
    refused(world.send(&[theft], &[&payer, &owner]), E::NotAuthority);
    refused(world.cancel(2, 1), E::OfferNotReturnable);
    world.cancel_as(&owner, 2, 1).unwrap();
    audit(&world);
}

#[test]
fn a_cancelled_offer_returns_everything_and_its_rent() {
    let mut world = with_offer();
    let payer = world.keys.payer.pubkey();
    let before = world.svm.get_balance(&payer).unwrap();
    let landed = world.cancel(1, 1).unwrap();
    assert_eq!(landed.events[0].event.energy_wh, 2000);
    assert_eq!(world.vault(1), 5000);
    let rent = [200, 170].map(|len| world.svm.minimum_balance_for_rent_exemption(len)).iter().sum::<u64>();
    assert_eq!(world.svm.get_balance(&payer).unwrap(), before + rent);
    audit(&world);
}

#[test]
fn a_stranger_returns_an_offer_only_after_it_expired_and_gains_nothing() {
    let mut world = with_offer();
    let stranger = world.keys.stranger.insecure_clone();
    refused(world.cancel_as(&stranger, 1, 1), E::OfferNotReturnable);
    world.wait(3600);
    let before = world.svm.get_balance(&stranger.pubkey()).unwrap();
    world.cancel_as(&stranger, 1, 1).unwrap();
    assert_eq!(world.svm.get_balance(&stranger.pubkey()).unwrap(), before);
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn rent_goes_to_nobody_but_who_paid_it() {
    let mut world = with_offer();
    let stranger = world.keys.stranger.insecure_clone();
    let custodian = world.keys.custodian.insecure_clone();
    let theft = world.program.cancel_offer(custodian.pubkey(), 1, 1, stranger.pubkey());
    refused(world.send(&[theft], &[&custodian]), E::WrongAddress);
}

#[test]
fn what_an_order_holds_stays_until_the_order_ends() {
    let mut world = with_order();
    world.cancel(1, 1).unwrap();
    let offer = world.offer(1, 1).unwrap();
    assert_eq!((offer.state, offer.returned_wh, offer.reserved_wh), (OfferState::Closing as u8, 1500, 500));
    assert_eq!((world.vault(1), world.tokens(&offer.escrow.into())), (4500, 500));
    audit(&world);
    refused(world.place(2, 2, &[fill(1, 1)]), E::OfferClosing);

    let attestor = world.keys.attestor.insecure_clone();
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused).unwrap();
    let stranger = world.keys.stranger.insecure_clone();
    world.cancel_as(&stranger, 1, 1).unwrap();
    assert!(world.offer(1, 1).is_none());
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn anyone_may_return_the_offers_of_a_household_that_owes_energy() {
    let mut world = with_offer();
    world.wait(900);
    world.attest(&[(1, 5000, 3700)]);
    assert_eq!((world.vault(1), world.household(1).shortfall_wh), (0, 700));
    let stranger = world.keys.stranger.insecure_clone();
    let landed = world.cancel_as(&stranger, 1, 1).unwrap();
    assert_eq!((landed.events[0].event.energy_wh, landed.events[0].event.burned_wh), (2000, 700));
    assert_eq!((world.vault(1), world.household(1).shortfall_wh), (1300, 0));
    audit(&world);
}

#[test]
fn tokens_sent_to_an_escrow_come_back_with_it() {
    let mut world = with_offer();
    let offer = world.offer(1, 1).unwrap();
    let vault = world.program.vault(&world.program.household(1));
    world.move_tokens(&vault, &offer.escrow.into(), 250);
    audit(&world);
    world.cancel(1, 1).unwrap();
    assert_eq!(world.vault(1), 5000);
    audit(&world);
}

#[test]
fn a_household_has_a_limited_number_of_offers() {
    let mut world = seller_and_buyer();
    for id in 1..=64 {
        let offer = world.new_offer(1, id, 1, 1500);
        world.post(&offer).unwrap();
    }
    let offer = world.new_offer(1, 65, 1, 1500);
    refused(world.post(&offer), E::TooManyOpen);
    audit(&world);
}

#[test]
fn lamports_sent_ahead_stop_no_offer() {
    let mut world = seller_and_buyer();
    let offer = world.program.offer(&world.program.household(1), 1);
    for address in [offer, world.program.escrow(&offer)] {
        let dust = solana_account::Account { lamports: 7, ..Default::default() };
        world.svm.set_account(address, dust).unwrap();
    }
    let new = world.new_offer(1, 1, 2000, 1500);
    world.post(&new).unwrap();
    audit(&world);
}
