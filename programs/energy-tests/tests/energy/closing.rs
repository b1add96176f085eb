//! A household leaves: nothing hangs on it any more, and its part of the books stays.

use crate::story::{event, fill, refuses, refuses_account, seller_and_buyer, with_order};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::Enrolment;
use jirani_energy_interface::event::{EventKind, RowStatus};
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::Household;
use jirani_energy_tests::{World, audit};
use solana_instruction::Instruction;
use solana_signer::Signer;

fn close(world: &World, household: u32) -> Instruction {
    world.program.close_household(world.keys.admin.pubkey(), household, world.keys.payer.pubkey())
}

/// Household 1 exported 5 kWh and imported it all again.
fn emptied() -> World {
    let mut world = seller_and_buyer();
    world.wait(900);
    world.attest(&[(1, 5000, 5000)]);
    world
}

#[test]
fn an_empty_household_closes_and_its_totals_fold_into_config() {
    let mut world = emptied();
    let payer = world.keys.payer.pubkey();
    let before = world.lamports(&payer);
    let rent: u64 = [384, 170].iter().map(|len| world.svm.minimum_balance_for_rent_exemption(*len)).sum();
    let (close, admin) = (close(&world, 1), world.keys.admin.insecure_clone());
    let closed = event(&world.send(&[close], &[&admin]).unwrap(), EventKind::HouseholdClosed);
    let address = world.program.household(1);
    assert_eq!((closed.household_id, closed.subject), (1, address.to_bytes()));
    let totals = world.config().closed;
    assert_eq!((totals.households, totals.export_wh, totals.import_wh), (1, 5000, 5000));
    assert_eq!((totals.minted_wh, totals.burned_wh), (5000, 5000));
    assert!(world.record::<Household>(&address).is_none());
    for gone in [address, world.program.vault(&address)] {
        assert!(world.svm.get_account(&gone).is_none_or(|left| left.lamports == 0 && left.data.is_empty()));
    }
    assert_eq!(world.lamports(&payer), before + rent, "the rent goes back to who paid it");
    audit(&world);
}

#[test]
fn a_household_with_tokens_or_a_shortfall_stays() {
    let mut world = seller_and_buyer();
    let admin = world.keys.admin.insecure_clone();
    let with_tokens = close(&world, 1);
    refuses(&mut world, &with_tokens, &[&admin], E::HouseholdNotEmpty);
    world.wait(900);
    world.attest(&[(2, 0, 1)]);
    let with_shortfall = close(&world, 2);
    refuses(&mut world, &with_shortfall, &[&admin], E::HouseholdNotEmpty);
}

#[test]
fn a_household_with_an_offer_or_an_order_stays() {
    let mut world = with_order();
    let admin = world.keys.admin.insecure_clone();
    // The seller's vault is empty, but energy lies in escrow.
    world.wait(300);
    world.attest(&[(1, 5000, 3000)]);
    let (seller, buyer) = (close(&world, 1), close(&world, 2));
    refuses(&mut world, &seller, &[&admin], E::HouseholdNotEmpty);
    refuses(&mut world, &buyer, &[&admin], E::HouseholdNotEmpty);
    let attestor = world.keys.attestor.insecure_clone();
    world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused).unwrap();
    world.send(&[buyer], &[&admin]).unwrap();
    audit(&world);
}

#[test]
fn dust_from_a_stranger_is_mended_by_an_adjustment() {
    let mut world = emptied();
    world.wait(900);
    world.attest(&[(2, 100, 0)]);
    let (from, to) = (world.vault_of(2), world.vault_of(1));
    world.move_tokens(&from, &to, 1);
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    let close = close(&world, 1);
    refuses(&mut world, &close, &[&admin], E::HouseholdNotEmpty);
    let burn = world.program.adjust(
        admin.pubkey(),
        &jirani_energy_interface::client::Adjustment {
            household_id: 1,
            oracle_version: 1,
            oracles: &[oracle.pubkey()],
            export_wh: 0,
            import_wh: 1,
            adjusted_export_wh: 0,
            adjusted_import_wh: 0,
            reason: [3; 32],
        },
    );
    world.send(&[burn, close], &[&admin, &oracle]).unwrap();
    assert_eq!(world.config().closed.adjusted_import_wh, 1);
    audit(&world);
}

#[test]
fn the_same_number_comes_back_and_mints_no_history() {
    let mut world = emptied();
    let (leave, admin) = (close(&world, 1), world.keys.admin.insecure_clone());
    world.send(&[leave], &[&admin]).unwrap();
    world.wait(900);
    let row = world.attest(&[(1, 5100, 5000)]).rows()[0];
    assert_eq!((row.status, row.household_id), (RowStatus::NotHousehold as u8, 0));
    let back = Enrolment { initial_export_wh: 5000, initial_import_wh: 5000, ..World::enrolment(1) };
    world.enrol_as(&back).unwrap();
    assert_eq!((world.supply(), world.household(1).export_wh), (0, 0));
    world.wait(900);
    assert_eq!(world.attest(&[(1, 5100, 5000)]).rows()[0].minted_wh, 100);
    audit(&world);
    world.wait(900);
    world.attest(&[(1, 5100, 5100)]);
    let leave = close(&world, 1);
    world.send(&[leave], &[&admin]).unwrap();
    assert_eq!((world.config().closed.households, world.config().closed.minted_wh), (2, 5100));
    audit(&world);
}

#[test]
fn only_the_admin_closes_and_rent_goes_only_to_who_paid_it() {
    let mut world = emptied();
    let (admin, stranger) = (world.keys.admin.insecure_clone(), world.keys.stranger.insecure_clone());
    let payer = world.keys.payer.pubkey();
    let theft = world.program.close_household(stranger.pubkey(), 1, payer);
    refuses(&mut world, &theft, &[&stranger], E::NotAdmin);
    let theft = world.program.close_household(admin.pubkey(), 1, stranger.pubkey());
    refuses_account(&mut world, &theft, &[&admin], E::WrongAddress, "rent_payer");
    let mut other_vault = close(&world, 1);
    other_vault.accounts[3].pubkey = world.vault_of(2);
    refuses_account(&mut world, &other_vault, &[&admin], E::WrongAddress, "vault");
    let mut other_mint = close(&world, 1);
    other_mint.accounts[4].pubkey = world.vault_of(2);
    refuses(&mut world, &other_mint, &[&admin], E::WrongMint);
}
