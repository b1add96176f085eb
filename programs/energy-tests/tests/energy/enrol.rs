//! Households come in.

use crate::story::refused;
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::Enrolment;
use jirani_energy_interface::state::{Evidence, Record, flags};
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_tests::{START, World, audit, key};
use solana_account::Account;
use solana_signer::Signer;

#[test]
fn a_household_gets_its_record_a_vault_and_its_feeders_evidence() {
    let mut world = World::new();
    world.enrol([1, 2]);
    let household = world.household(1);
    assert_eq!((household.id, household.feeder, household.flags), (1, 1, flags::CUSTODIAL));
    assert_eq!((household.enrolled_at, household.last_slot_end), (START, START));
    let address = world.program.household(1);
    assert_eq!(household.vault, world.program.vault(&address).to_bytes());
    let vault = world.svm.get_account(&household.vault.into()).unwrap();
    assert_eq!(vault.data.len(), TOKEN_ACCOUNT_LEN);
    assert_eq!(vault.data[32..64], world.program.config.to_bytes(), "Config owns the vault");
    let evidence: Evidence = world.record(&world.program.evidence(1)).unwrap();
    assert_eq!((evidence.feeder, evidence.written), (1, 0));
    audit(&world);
}

#[test]
fn a_household_is_enrolled_once_by_the_admin_alone() {
    let mut world = World::new();
    world.enrol([1]);
    refused(world.enrol_as(&World::enrolment(1)), E::AlreadyExists);
    let (payer, stranger) = (world.keys.payer.insecure_clone(), world.keys.stranger.insecure_clone());
    let theft = world.program.enrol(payer.pubkey(), stranger.pubkey(), &World::enrolment(2));
    refused(world.send(&[theft], &[&payer, &stranger]), E::NotAdmin);
}

#[test]
fn an_enrolment_needs_a_rating_and_somebody_who_signs() {
    let mut world = World::new();
    let good = World::enrolment(1);
    refused(
        world.enrol_as(&Enrolment { export_rating_w: 0, import_rating_w: 0, ..good }),
        E::InvalidHousehold,
    );
    let nobody = solana_address::Address::new_from_array([0; 32]);
    refused(world.enrol_as(&Enrolment { authority: Some(nobody), ..good }), E::InvalidHousehold);
    for (export_rating_w, import_rating_w) in [(1_000_001, 1), (1, u32::MAX)] {
        let absurd = Enrolment { export_rating_w, import_rating_w, ..good };
        refused(world.enrol_as(&absurd), E::InvalidHousehold);
    }
    refused(world.enrol_as(&Enrolment { household_id: 0, ..good }), E::InvalidHousehold);
    world.enrol_as(&Enrolment { authority: Some(key(30).pubkey()), ..good }).unwrap();
    assert_eq!(world.household(1).flags, 0);
}

#[test]
fn lamports_sent_ahead_stop_no_enrolment() {
    let mut world = World::new();
    let household = world.program.household(1);
    for address in [household, world.program.vault(&household), world.program.evidence(1)] {
        world.svm.set_account(address, Account { lamports: 5_000_000_000, ..Account::default() }).unwrap();
    }
    world.enrol([1]);
    assert!(Evidence::is(&world.svm.get_account(&world.program.evidence(1)).unwrap().data));
    audit(&world);
}

#[test]
fn a_meters_past_mints_nothing() {
    let mut world = World::new();
    let used = Enrolment { initial_export_wh: 9_000_000, initial_import_wh: 400, ..World::enrolment(1) };
    world.enrol_as(&used).unwrap();
    world.wait(900);
    let landed = world.attest(&[(1, 9_000_100, 440)]);
    assert_eq!(landed.rows()[0].minted_wh, 100);
    assert_eq!((world.household(1).export_wh, world.household(1).import_wh), (100, 40));
    assert_eq!(world.vault(1), 60);
    audit(&world);
}
