//! Another meter takes over: totals stay, nothing is counted twice, no bucket grows.

use crate::story::{event, refuses, refuses_account, seller_and_buyer};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{Attestation, AttestationRow, Replacement};
use jirani_energy_interface::event::{AttestedRow, EventKind, RowStatus};
use jirani_energy_tests::{World, audit};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The meter that household 1 has, at its attested registers.
fn present(world: &World) -> Replacement {
    let household = world.household(1);
    Replacement {
        household_id: 1,
        meter_key: household.meter_key,
        meter_epoch: household.meter_epoch,
        export_rating_w: household.export_rating_w,
        import_rating_w: household.import_rating_w,
        initial_export_wh: household.meter_export_wh,
        initial_import_wh: household.meter_import_wh,
    }
}

#[track_caller]
fn replaces(world: &mut World, replacement: &Replacement) {
    let admin = world.keys.admin.insecure_clone();
    let replace = world.program.replace_meter(admin.pubkey(), replacement);
    let landed = world.send(&[replace], &[&admin]).expect("replaced");
    let replaced = event(&landed, EventKind::MeterReplaced);
    assert_eq!((replaced.household_id, replaced.number), (1, u64::from(replacement.meter_epoch)));
    assert_eq!(replaced.subject, replacement.meter_key);
}

#[track_caller]
fn invalid(world: &mut World, replacement: &Replacement) {
    let admin = world.keys.admin.insecure_clone();
    let replace = world.program.replace_meter(admin.pubkey(), replacement);
    refuses(world, &replace, &[&admin], E::InvalidMeter);
}

/// Attests household 1 now, registers of that epoch.
fn attest(world: &mut World, meter_epoch: u32, export_wh: u64, import_wh: u64) -> AttestedRow {
    let oracle = world.keys.oracle.insecure_clone();
    let attest = world.program.attest(&Attestation {
        feeder: 1,
        slot_end: world.now(),
        evidence_root: [7; 32],
        oracle_version: 1,
        oracles: &[oracle.pubkey()],
        rows: &[AttestationRow { household_id: 1, meter_epoch, export_wh, import_wh }],
    });
    world.send(&[attest], &[&oracle]).expect("attested").rows()[0]
}

#[test]
fn the_same_meter_and_epoch_go_on_only_at_the_attested_registers() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    invalid(&mut world, &Replacement { initial_export_wh: 4999, ..present });
    invalid(&mut world, &Replacement { initial_export_wh: 5001, ..present });
    invalid(&mut world, &Replacement { initial_import_wh: 1, ..present });
    invalid(&mut world, &Replacement { meter_epoch: 0, initial_export_wh: 0, ..present });
    invalid(&mut world, &Replacement { meter_epoch: 0, ..present });
    replaces(&mut world, &Replacement { export_rating_w: 3000, ..present });
    assert_eq!(world.household(1).export_rating_w, 3000);
    audit(&world);
}

#[test]
fn a_meter_needs_a_rating() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    invalid(&mut world, &Replacement { export_rating_w: 0, import_rating_w: 0, ..present });
    replaces(&mut world, &Replacement { export_rating_w: 0, ..present });
    audit(&world);
}

#[test]
fn only_the_admin_replaces_a_meter() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    for other in
        [&world.keys.oracle, &world.keys.custodian, &world.keys.stranger].map(Keypair::insecure_clone)
    {
        let replace = world.program.replace_meter(other.pubkey(), &present);
        refuses(&mut world, &replace, &[&other], E::NotAdmin);
    }
    let admin = world.keys.admin.insecure_clone();
    let mut unsigned = world.program.replace_meter(admin.pubkey(), &present);
    unsigned.accounts[0].is_signer = false;
    refuses_account(&mut world, &unsigned, &[], E::MissingSigner, "admin");
}

#[test]
fn a_reset_meter_goes_on_in_a_later_epoch_and_its_totals_fold_in() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    replaces(&mut world, &Replacement { meter_epoch: 2, initial_export_wh: 0, ..present });
    let household = world.household(1);
    assert_eq!((household.export_wh, household.meter_export_wh, household.minted_wh), (5000, 0, 5000));
    world.wait(900);
    assert_eq!(attest(&mut world, 1, 5100, 0).status, RowStatus::WrongEpoch as u8, "the old epoch is over");
    assert_eq!(attest(&mut world, 2, 300, 100).status, RowStatus::Applied as u8);
    let household = world.household(1);
    assert_eq!((household.export_wh, household.import_wh, household.minted_wh), (5300, 100, 5300));
    assert_eq!(world.vault(1), 5200);
    audit(&world);
}

#[test]
fn another_meters_past_counts_nothing() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    let other = Replacement {
        meter_key: [0x77; 32],
        meter_epoch: 5,
        initial_export_wh: 9_000_000,
        initial_import_wh: 8_000_000,
        ..present
    };
    replaces(&mut world, &other);
    assert_eq!(world.supply(), 5000, "replacing mints nothing");
    world.wait(900);
    let row = attest(&mut world, 5, 9_000_010, 8_000_004);
    assert_eq!((row.status, row.minted_wh, row.burned_wh), (RowStatus::Applied as u8, 10, 4));
    audit(&world);
}

#[test]
fn slots_before_the_replacement_are_closed() {
    let mut world = seller_and_buyer();
    let slot_end = world.now() + 900;
    world.wait(1000);
    let present = present(&world);
    let other = Replacement { meter_key: [0x77; 32], meter_epoch: 2, initial_export_wh: 0, ..present };
    replaces(&mut world, &other);
    let late = world.attestation(slot_end, &[(1, 5100, 0)]);
    let oracle = world.keys.oracle.insecure_clone();
    let landed = world.send(&[late], &[&oracle]).unwrap();
    assert_eq!(
        landed.rows()[0].status,
        RowStatus::WrongEpoch as u8,
        "the old meter's last row came too late"
    );
    world.wait(900);
    assert_eq!(attest(&mut world, 1, 5110, 0).status, RowStatus::WrongEpoch as u8, "so did a later one");
    world.set_time(slot_end + 50);
    assert_eq!(world.supply(), 5000);
    audit(&world);
}

#[test]
fn another_meter_begins_a_later_epoch() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    let other = Replacement { meter_key: [0x77; 32], ..present };
    invalid(&mut world, &other);
    invalid(&mut world, &Replacement { initial_export_wh: 0, initial_import_wh: 0, ..other });
    invalid(&mut world, &Replacement { meter_epoch: 0, ..other });
    replaces(&mut world, &Replacement { meter_epoch: 2, initial_export_wh: 0, ..other });
    // Nor does the first meter come back at registers that were minted already.
    invalid(&mut world, &Replacement { initial_export_wh: 0, ..present });
    world.wait(900);
    assert_eq!(attest(&mut world, 1, 5000, 0).status, RowStatus::WrongEpoch as u8);
    assert_eq!(world.supply(), 5000);
    audit(&world);
}

#[test]
fn no_rating_is_above_a_megawatt() {
    let mut world = seller_and_buyer();
    let present = present(&world);
    invalid(&mut world, &Replacement { export_rating_w: 1_000_001, ..present });
    invalid(&mut world, &Replacement { import_rating_w: u32::MAX, ..present });
    replaces(&mut world, &Replacement { import_rating_w: 1_000_000, ..present });
    audit(&world);
}

#[test]
fn a_replacement_never_fills_a_bucket() {
    let mut world = seller_and_buyer();
    let before = world.household(1);
    let present = present(&world);
    // A hundred times the rating, many times over.
    for epoch in 2..12 {
        let larger = Replacement {
            meter_epoch: epoch,
            initial_export_wh: 0,
            export_rating_w: 1_000_000,
            import_rating_w: 1_000_000,
            ..present
        };
        replaces(&mut world, &larger);
        let household = world.household(1);
        assert_eq!(household.export_bucket_j, before.export_bucket_j);
        assert_eq!(household.import_bucket_j, before.import_bucket_j);
    }
    let most = before.export_bucket_j / 3600;
    world.wait(1);
    // One second at the new rating fills 277 Wh.
    assert_eq!(attest(&mut world, 11, most + 278, 0).status, RowStatus::ExportOverBucket as u8);
    world.wait(1);
    let smaller = Replacement { meter_epoch: 12, export_rating_w: 1, import_rating_w: 1, ..present };
    replaces(&mut world, &smaller);
    assert_eq!(world.household(1).export_bucket_j, 864_000, "cut to ten days at one watt");
    audit(&world);
}

#[test]
fn the_time_before_a_replacement_is_credited_once_at_the_old_rating() {
    let mut world = seller_and_buyer();
    let before = world.household(1);
    world.wait(3600);
    let present = present(&world);
    for _ in 0..3 {
        replaces(&mut world, &present);
    }
    assert_eq!(
        world.household(1).export_bucket_j,
        before.export_bucket_j + 10_000 * 3600,
        "one hour at 10 kW"
    );
    audit(&world);
}
