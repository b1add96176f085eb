//! Errors found later are mended beside the registers, by the admin and the oracles.

use crate::story::{event, refuses, refuses_account, seller_and_buyer};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{Adjustment, Section};
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::state::{Caps, OracleSet};
use jirani_energy_tests::{Landed, World, audit, key};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;

const REASON: [u8; 32] = [3; 32];

fn adjustment(household_id: u32, export_wh: u64, import_wh: u64, oracles: &[Address]) -> Adjustment<'_> {
    Adjustment {
        household_id,
        oracle_version: 1,
        oracles,
        export_wh,
        import_wh,
        adjusted_export_wh: 0,
        adjusted_import_wh: 0,
        reason: REASON,
    }
}

#[track_caller]
fn lands(world: &mut World, household: u32, export_wh: u64, import_wh: u64) -> Landed {
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    let oracles = [oracle.pubkey()];
    let before = world.household(household);
    let adjustment = Adjustment {
        adjusted_export_wh: before.adjusted_export_wh,
        adjusted_import_wh: before.adjusted_import_wh,
        ..adjustment(household, export_wh, import_wh, &oracles)
    };
    let adjust = world.program.adjust(admin.pubkey(), &adjustment);
    world.send(&[adjust], &[&admin, &oracle]).expect("adjusted")
}

#[track_caller]
fn fails(world: &mut World, adjustment: &Adjustment, expected: E) {
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    let adjust = world.program.adjust(admin.pubkey(), adjustment);
    refuses(world, &adjust, &[&admin, &oracle], expected);
}

#[test]
fn missed_export_is_minted() {
    let mut world = seller_and_buyer();
    let adjusted = event(&lands(&mut world, 1, 700, 0), EventKind::Adjusted);
    assert_eq!((adjusted.household_id, adjusted.energy_wh, adjusted.number), (1, 700, 0));
    assert_eq!((adjusted.burned_wh, adjusted.subject), (0, REASON));
    let household = world.household(1);
    assert_eq!((household.adjusted_export_wh, household.minted_wh, household.export_wh), (700, 5700, 5000));
    assert_eq!(household.meter_export_wh, 5000, "registers are never rewritten");
    assert_eq!(world.vault(1), 5700);
    audit(&world);
}

#[test]
fn missed_import_is_burned_and_what_is_missing_is_owed() {
    let mut world = seller_and_buyer();
    lands(&mut world, 1, 0, 700);
    assert_eq!((world.vault(1), world.household(1).shortfall_wh), (4300, 0));
    let adjusted = event(&lands(&mut world, 1, 0, 5000), EventKind::Adjusted);
    assert_eq!((adjusted.number, adjusted.burned_wh), (5000, 4300));
    let household = world.household(1);
    assert_eq!((world.vault(1), household.shortfall_wh), (0, 700));
    assert_eq!((household.adjusted_import_wh, household.burned_wh), (5700, 5000));
    audit(&world);
}

#[test]
fn missed_export_meets_the_shortfall_first() {
    let mut world = seller_and_buyer();
    world.wait(900);
    world.attest(&[(2, 0, 300)]);
    lands(&mut world, 2, 200, 0);
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (0, 100));
    lands(&mut world, 2, 250, 50);
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (100, 0));
    audit(&world);
}

#[test]
fn an_adjustment_needs_energy_and_a_reason() {
    let mut world = seller_and_buyer();
    let oracles = [world.keys.oracle.pubkey()];
    let good = adjustment(1, 1, 0, &oracles);
    fails(&mut world, &Adjustment { export_wh: 0, ..good }, E::InvalidAdjustment);
    fails(&mut world, &Adjustment { reason: [0; 32], ..good }, E::InvalidAdjustment);
    fails(&mut world, &Adjustment { export_wh: u64::MAX, import_wh: 1, ..good }, E::Overflow);
}

#[test]
fn an_adjustment_sent_twice_counts_once() {
    let mut world = seller_and_buyer();
    let oracles = [world.keys.oracle.pubkey()];
    lands(&mut world, 1, 100, 0);
    fails(&mut world, &adjustment(1, 100, 0, &oracles), E::AdjustmentStale);
    lands(&mut world, 1, 0, 7);
    fails(
        &mut world,
        &Adjustment { adjusted_export_wh: 100, ..adjustment(1, 1, 0, &oracles) },
        E::AdjustmentStale,
    );
    let next = adjustment(1, 1, 0, &oracles);
    fails(&mut world, &Adjustment { adjusted_import_wh: 7, ..next }, E::AdjustmentStale);
    assert_eq!(world.household(1).adjusted_export_wh, 100);
    audit(&world);
}

#[test]
fn adjustments_of_all_households_share_a_daily_cap() {
    let mut world = seller_and_buyer();
    world.configure(&Section::Caps(Caps { adjustment_wh: 1000, ..Caps::default() })).unwrap();
    lands(&mut world, 1, 400, 0);
    lands(&mut world, 2, 200, 300);
    let oracles = [world.keys.oracle.pubkey()];
    fails(&mut world, &adjustment(1, 101, 0, &oracles), E::AdjustmentCap);
    fails(&mut world, &adjustment(2, 50, 51, &oracles), E::AdjustmentCap);
    lands(&mut world, 1, 0, 100);
    let midnight = 86_400 - world.now().rem_euclid(86_400);
    world.wait(midnight - 1);
    fails(&mut world, &adjustment(1, 1, 0, &oracles), E::AdjustmentCap);
    world.wait(1);
    lands(&mut world, 1, 1000, 0);
    // A clock that goes back frees nothing.
    world.wait(-1);
    fails(&mut world, &adjustment(1, 1, 0, &oracles), E::AdjustmentCap);
    world.configure(&Section::Caps(Caps { adjustment_wh: 0, ..Caps::default() })).unwrap();
    world.wait(86_400);
    fails(&mut world, &adjustment(1, 1, 0, &oracles), E::AdjustmentCap);
    audit(&world);
}

#[test]
fn neither_admin_nor_oracles_adjust_alone() {
    let mut world = seller_and_buyer();
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    let oracles = [oracle.pubkey()];
    let without_admin = world.program.adjust(oracle.pubkey(), &adjustment(1, 1, 0, &oracles));
    refuses(&mut world, &without_admin, &[&oracle], E::NotAdmin);
    let without_oracle = world.program.adjust(admin.pubkey(), &adjustment(1, 1, 0, &[]));
    refuses(&mut world, &without_oracle, &[&admin], E::OracleThreshold);
    let admins = [admin.pubkey()];
    let admin_as_oracle = world.program.adjust(admin.pubkey(), &adjustment(1, 1, 0, &admins));
    refuses(&mut world, &admin_as_oracle, &[&admin], E::NotOracle);
    let mut unsigned = world.program.adjust(admin.pubkey(), &adjustment(1, 1, 0, &oracles));
    unsigned.accounts[7].is_signer = false;
    refuses(&mut world, &unsigned, &[&admin], E::MissingSigner);
}

#[test]
fn an_adjustment_takes_the_threshold_of_the_current_set_each_once() {
    let mut world = seller_and_buyer();
    let admin = world.keys.admin.insecure_clone();
    let members = [key(40), key(41), key(42)];
    let mut set = OracleSet::single(members[0].pubkey().to_bytes());
    set.members[1] = members[1].pubkey().to_bytes();
    set.members[2] = members[2].pubkey().to_bytes();
    (set.count, set.threshold) = (3, 2);
    world.configure(&Section::Oracles(set)).unwrap();
    let removed = world.keys.oracle.insecure_clone();
    let cases: [(u32, Vec<&Keypair>, E); 5] = [
        (1, vec![&members[0], &members[1]], E::OracleVersion),
        (3, vec![&members[0], &members[1]], E::OracleVersion),
        (2, vec![&members[0]], E::OracleThreshold),
        (2, vec![&members[0], &members[0]], E::OracleTwice),
        (2, vec![&members[0], &removed], E::NotOracle),
    ];
    for (oracle_version, signers, expected) in cases {
        let oracles: Vec<_> = signers.iter().copied().map(Signer::pubkey).collect();
        let adjust = world
            .program
            .adjust(admin.pubkey(), &Adjustment { oracle_version, ..adjustment(1, 1, 0, &oracles) });
        let all: Vec<_> = std::iter::once(&admin).chain(signers).collect();
        refuses(&mut world, &adjust, &all, expected);
    }
    let oracles = [members[2].pubkey(), members[0].pubkey()];
    let good = Adjustment { oracle_version: 2, ..adjustment(1, 1, 0, &oracles) };
    let adjust = world.program.adjust(admin.pubkey(), &good);
    world.send(&[adjust], &[&admin, &members[2], &members[0]]).unwrap();
    audit(&world);
}

#[test]
fn under_a_soft_pause_nothing_is_adjusted() {
    let mut world = seller_and_buyer();
    let admin = world.keys.admin.insecure_clone();
    world.pause_as(&admin, true).unwrap();
    let oracles = [world.keys.oracle.pubkey()];
    fails(&mut world, &adjustment(1, 1, 0, &oracles), E::Paused);
    world.pause_as(&admin, false).unwrap();
    lands(&mut world, 1, 1, 0);
    audit(&world);
}

#[test]
fn an_adjustment_is_of_the_households_own_vault_and_our_mint() {
    let mut world = seller_and_buyer();
    let (admin, oracle) = (world.keys.admin.insecure_clone(), world.keys.oracle.insecure_clone());
    let oracles = [oracle.pubkey()];
    let good = world.program.adjust(admin.pubkey(), &adjustment(1, 1, 0, &oracles));
    let mut other_vault = good.clone();
    other_vault.accounts[4].pubkey = world.vault_of(2);
    refuses_account(&mut world, &other_vault, &[&admin, &oracle], E::WrongAddress, "vault");
    let mut other_mint = good;
    other_mint.accounts[2].pubkey = world.vault_of(2);
    refuses(&mut world, &other_mint, &[&admin, &oracle], E::WrongMint);
}
