//! What was metered becomes tokens, once.

use crate::story::{refused, seller_and_buyer};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{Attestation, AttestationRow, Enrolment, Section};
use jirani_energy_interface::event::{AttestedRow, RowStatus};
use jirani_energy_interface::state::{Evidence, OracleSet};
use jirani_energy_tests::{Landed, Refusal, START, World, audit, key};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn status(row: &AttestedRow) -> RowStatus {
    RowStatus::from_byte(row.status).expect("a known status")
}

fn send(world: &mut World, attest: Instruction) -> Result<Landed, Box<Refusal>> {
    let oracle = world.keys.oracle.insecure_clone();
    world.send(&[attest], &[&oracle])
}

#[test]
fn export_is_minted_import_is_burned_and_what_is_missing_is_owed() {
    let mut world = World::new();
    world.enrol([1, 2, 3]);
    world.wait(900);
    world.attest(&[(1, 1000, 0), (2, 300, 100), (3, 0, 250)]);
    assert_eq!([1, 2, 3].map(|id| world.vault(id)), [1000, 200, 0]);
    assert_eq!(world.household(3).shortfall_wh, 250);
    assert_eq!(world.supply(), 1200);
    audit(&world);

    world.wait(900);
    let landed = world.attest(&[(1, 1000, 400), (2, 300, 500), (3, 100, 260)]);
    assert_eq!([1, 2, 3].map(|id| world.vault(id)), [600, 0, 0]);
    assert_eq!([1, 2, 3].map(|id| world.household(id).shortfall_wh), [0, 200, 160]);
    let third = landed.rows()[2];
    assert_eq!((third.minted_wh, third.burned_wh, third.shortfall_wh), (100, 100, 160));
    audit(&world);
}

#[test]
fn a_repeated_or_older_attestation_changes_nothing() {
    let mut world = seller_and_buyer();
    let before = world.household(1);
    let again = world.attest(&[(1, 5000, 0)]);
    assert_eq!(status(&again.rows()[0]), RowStatus::Stale);
    let other_figures = world.attest(&[(1, 6000, 0)]);
    assert_eq!(status(&other_figures.rows()[0]), RowStatus::Stale);
    let older = world.attestation(START + 450, &[(1, 4000, 0)]);
    assert_eq!(status(&send(&mut world, older).unwrap().rows()[0]), RowStatus::Stale);
    assert_eq!(world.household(1), before);
    audit(&world);
}

#[test]
fn a_household_counts_once_in_a_batch() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let landed = world.attest(&[(1, 5100, 0), (1, 5200, 0)]);
    assert_eq!(landed.rows().iter().map(status).collect::<Vec<_>>(), [RowStatus::Applied, RowStatus::Stale]);
    assert_eq!(world.vault(1), 5100);
    audit(&world);
}

#[test]
fn a_falling_register_is_skipped() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let landed = world.attest(&[(1, 4999, 10), (2, 10, 0)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::Lowered);
    assert_eq!(status(&landed.rows()[1]), RowStatus::Applied, "its batch goes on");
    assert_eq!(world.household(1).import_wh, 0, "the row is refused whole");
    audit(&world);
}

#[test]
fn a_row_over_its_rating_is_refused_whole_and_days_offline_are_caught_up() {
    let mut world = World::new();
    let small = Enrolment { export_rating_w: 1000, import_rating_w: 500, ..World::enrolment(1) };
    world.enrol_as(&small).unwrap();
    world.enrol([2]);
    // The buckets start with a day at the rating: 24 kWh and 12 kWh; then 250 Wh a slot.
    world.wait(900);
    let landed = world.attest(&[(1, 24_251, 0), (2, 5, 0)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::ExportOverBucket);
    assert_eq!(status(&landed.rows()[1]), RowStatus::Applied);
    assert_eq!(world.household(1).minted_wh, 0);
    world.wait(900);
    let landed = world.attest(&[(1, 24_500, 12_251)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::ImportOverBucket);
    world.wait(900);
    let landed = world.attest(&[(1, 24_750, 12_375)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::Applied, "exactly what three slots allow");
    world.wait(900);
    assert_eq!(status(&world.attest(&[(1, 25_001, 12_375)]).rows()[0]), RowStatus::ExportOverBucket);

    // A month offline fills ten days at most.
    world.wait(30 * 86_400);
    let landed = world.attest(&[(1, 24_750 + 240_001, 12_375)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::ExportOverBucket);
    world.wait(900);
    let landed = world.attest(&[(1, 24_750 + 240_000, 12_375)]);
    assert_eq!(status(&landed.rows()[0]), RowStatus::Applied);
    audit(&world);
}

#[test]
fn no_register_can_be_so_large_that_it_wraps() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let landed = world.attest(&[(1, u64::MAX, 0), (2, 0, u64::MAX)]);
    assert_eq!(
        landed.rows().iter().map(status).collect::<Vec<_>>(),
        [RowStatus::ExportOverBucket, RowStatus::ImportOverBucket]
    );
    audit(&world);
}

#[test]
fn tokens_of_a_stranger_meet_the_shortfall_first() {
    let mut world = seller_and_buyer();
    world.wait(900);
    world.attest(&[(2, 0, 300)]);
    assert_eq!(world.household(2).shortfall_wh, 300);
    let vault = |world: &World, id| world.program.vault(&world.program.household(id));
    let (from, to) = (vault(&world, 1), vault(&world, 2));
    world.move_tokens(&from, &to, 500);
    world.wait(900);
    let landed = world.attest(&[(2, 0, 310)]);
    assert_eq!(landed.rows()[0].burned_wh, 310);
    assert_eq!((world.household(2).shortfall_wh, world.vault(2)), (0, 190));
    audit(&world);
}

#[test]
fn rows_of_another_epoch_feeder_or_vault_are_skipped() {
    let mut world = seller_and_buyer();
    world.enrol_as(&Enrolment { feeder: 2, ..World::enrolment(3) }).unwrap();
    world.wait(900);
    let oracle = world.keys.oracle.pubkey();
    let row = |household_id, meter_epoch| AttestationRow {
        household_id,
        meter_epoch,
        export_wh: 5100,
        import_wh: 0,
    };
    let rows = [row(1, 2), row(3, 1), row(9, 1), row(2, 1)];
    let mut attest = world.program.attest(&Attestation {
        feeder: 1,
        slot_end: world.now(),
        evidence_root: [1; 32],
        oracle_version: 1,
        oracles: &[oracle],
        rows: &rows,
    });
    // Household 2 with the vault of household 1.
    let vaults = attest.accounts.len() - 1;
    attest.accounts[vaults].pubkey = world.program.vault(&world.program.household(1));
    let landed = send(&mut world, attest).unwrap();
    assert_eq!(
        landed.rows().iter().map(status).collect::<Vec<_>>(),
        [RowStatus::WrongEpoch, RowStatus::WrongFeeder, RowStatus::NotHousehold, RowStatus::WrongVault]
    );
    assert_eq!(world.supply(), 5000);
    audit(&world);
}

#[test]
fn accounts_that_only_look_like_households_are_skipped() {
    let mut world = crate::story::with_offer();
    world.wait(900);
    let mut attest = world.attestation(world.now(), &[(1, 5100, 0), (2, 10, 0)]);
    let offer = world.program.offer(&world.program.household(1), 1);
    let rows = attest.accounts.len() - 4;
    attest.accounts[rows].pubkey = offer;
    attest.accounts[rows + 2].is_writable = false;
    let landed = send(&mut world, attest).unwrap();
    assert!(landed.rows().iter().all(|row| status(row) == RowStatus::NotHousehold));
    audit(&world);
}

#[test]
fn only_oracles_of_the_current_set_attest_and_enough_of_them() {
    let mut world = seller_and_buyer();
    let (admin, fees) = (world.keys.admin.insecure_clone(), world.keys.stranger.insecure_clone());
    let oracles = [key(40), key(41), key(42)];
    let mut set = OracleSet::single(oracles[0].pubkey().to_bytes());
    set.members[1] = oracles[1].pubkey().to_bytes();
    set.members[2] = oracles[2].pubkey().to_bytes();
    (set.count, set.threshold) = (3, 2);
    let rotate = world.program.configure(admin.pubkey(), &Section::Oracles(set));
    world.send(&[rotate], &[&admin]).unwrap();
    world.wait(900);

    let row = AttestationRow { household_id: 1, meter_epoch: 1, export_wh: 5001, import_wh: 0 };
    let attest = |world: &World, version, signers: &[&Keypair]| {
        let keys: Vec<_> = signers.iter().copied().map(Signer::pubkey).collect();
        world.program.attest(&Attestation {
            feeder: 1,
            slot_end: world.now(),
            evidence_root: [1; 32],
            oracle_version: version,
            oracles: &keys,
            rows: &[row],
        })
    };
    let removed = world.keys.oracle.insecure_clone();
    for (version, signers, error) in [
        (1, vec![&oracles[0], &oracles[1]], E::OracleVersion),
        (2, vec![&oracles[0]], E::OracleThreshold),
        (2, vec![], E::OracleThreshold),
        (2, vec![&oracles[0], &oracles[0]], E::OracleTwice),
        (2, vec![&oracles[0], &removed], E::NotOracle),
        (2, vec![&oracles[0], &fees], E::NotOracle),
    ] {
        let instruction = attest(&world, version, &signers);
        refused(world.send(&[instruction], &signers), error);
    }
    let mut unsigned = attest(&world, 2, &[&oracles[0], &oracles[1]]);
    unsigned.accounts[6].is_signer = false;
    refused(world.send(&[unsigned], &[&oracles[0]]), E::MissingSigner);
    let good = attest(&world, 2, &[&oracles[2], &oracles[0]]);
    world.send(&[good], &[&oracles[2], &oracles[0]]).unwrap();
    assert_eq!(world.vault(1), 5001);
    audit(&world);
}

#[test]
fn a_slot_must_have_ended() {
    let mut world = seller_and_buyer();
    let early = world.attestation(world.now() + 61, &[(1, 5001, 0)]);
    refused(send(&mut world, early), E::SlotInFuture);
    let skewed = world.attestation(world.now() + 60, &[(1, 5001, 0)]);
    send(&mut world, skewed).unwrap();
}

#[test]
fn an_attestation_has_one_to_twenty_eight_rows() {
    let mut world = seller_and_buyer();
    let none = world.attestation(world.now(), &[]);
    refused(send(&mut world, none), E::RowCount);
    let mut too_many = world.attestation(world.now(), &[(1, 5001, 0)]);
    too_many.data[1] = 29;
    too_many.data.resize(48 + 29 * 24, 0);
    refused(send(&mut world, too_many), E::RowCount);
    let mut lying = world.attestation(world.now(), &[(1, 5001, 0)]);
    lying.data[1] = 2;
    refused(send(&mut world, lying), E::RowCount);
}

#[test]
fn the_evidence_of_a_slot_is_kept_once() {
    let mut world = seller_and_buyer();
    world.wait(900);
    world.attest(&[(1, 5001, 0)]);
    world.attest(&[(2, 1, 0)]);
    let evidence: Evidence = world.record(&world.program.evidence(1)).unwrap();
    assert_eq!(evidence.written, 2, "one per slot, whatever its number of transactions");
    let newest = evidence.entries[usize::from(evidence.newest)];
    assert_eq!((newest.slot_end, newest.root), (START + 1800, [7; 32]));
}

#[test]
fn nobody_can_write_an_event_but_the_program() {
    let mut world = seller_and_buyer();
    let stranger = world.keys.stranger.insecure_clone();
    for accounts in [
        vec![],
        vec![solana_instruction::AccountMeta::new_readonly(world.program.config, false)],
        vec![solana_instruction::AccountMeta::new_readonly(stranger.pubkey(), true)],
    ] {
        let forged = Instruction { program_id: world.program.id, accounts, data: vec![228; 80] };
        let signs = forged.accounts.iter().any(|meta| meta.is_signer);
        let signers: &[&Keypair] = if signs { &[&stranger] } else { &[] };
        let result = world.send(&[forged], signers);
        let ours = result.expect_err("an event was forged").ours;
        assert!(matches!(ours, Some(E::ForgedEvent | E::WrongOwner)), "{ours:?}");
    }
}
