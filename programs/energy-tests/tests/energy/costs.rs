//! What each instruction costs, printed as a table; see the program's README.

use crate::story::{fill, seller_and_buyer, with_offer, with_order};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use jirani_energy_interface::event::RowStatus;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::{ATTEST_ROWS_MAX, Proof, attest_rows_that_fit};
use jirani_energy_tests::{Landed, START, World, audit, elf_path};
use solana_keypair::Keypair;

fn village(households: u32) -> World {
    let mut world = World::new();
    world.enrol(1..=households);
    world
}

/// Attests every household: `export` and `import` are added to its registers.
fn attest_all(world: &mut World, households: u32, export: u64, import: u64) -> Landed {
    let rows: Vec<_> = (1..=households)
        .map(|id| {
            let household = world.household(id);
            (id, household.meter_export_wh + export, household.meter_import_wh + import)
        })
        .collect();
    world.wait(900);
    world.attest(&rows)
}

#[test]
fn twenty_eight_rows_fit_one_transaction_with_units_to_spare() {
    assert_eq!(attest_rows_that_fit(1), ATTEST_ROWS_MAX);
    let households = u32::try_from(ATTEST_ROWS_MAX).unwrap();
    let mut world = village(households);
    let minting = attest_all(&mut world, households, 1000, 0);
    assert_eq!(minting.rows().len(), ATTEST_ROWS_MAX);
    assert!(minting.rows().iter().all(|row| row.status == RowStatus::Applied as u8));
    assert!(minting.bytes <= 4096, "{} bytes", minting.bytes);
    let burning = attest_all(&mut world, households, 0, 100);
    audit(&world);
    for landed in [minting, burning] {
        assert!(landed.units < 140_000, "{} units, a tenth of what a transaction may use", landed.units);
    }
}

#[test]
fn costs() {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["instruction", "compute units", "bytes", "signatures"]);
    let mut line = |what: &str, landed: &Landed| {
        let signatures = landed.fee / 5000;
        table.add_row([what, &landed.units.to_string(), &landed.bytes.to_string(), &signatures.to_string()]);
    };

    let mut world = World::bare();
    let initialise = world.initialise(&world.initial_config());
    let (payer, upgrade) = (world.keys.payer.insecure_clone(), world.keys.upgrade.insecure_clone());
    line("initialise", &world.send(&[initialise], &[&payer, &upgrade]).unwrap());
    line("enrol (first of a feeder)", &world.enrol_as(&World::enrolment(1)).unwrap());
    line("enrol", &world.enrol_as(&World::enrolment(2)).unwrap());

    let mut world = seller_and_buyer();
    let offer = world.new_offer(1, 1, 2000, 1500);
    line("post offer", &world.post(&offer).unwrap());
    line("cancel offer", &world.cancel(1, 1).unwrap());
    let mut world = with_offer();
    line("place order, 1 fill", &world.place(2, 1, &[fill(1, 500)]).unwrap());
    line(
        "settle, 1 fill",
        &world.settle(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), START + 900).unwrap(),
    );
    let mut world = with_order();
    let attestor = world.keys.attestor.insecure_clone();
    let released = world.release_as(&attestor, 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused).unwrap();
    line("release, 1 fill", &released);

    let mut world = with_offer();
    for id in 2..=4 {
        let offer = world.new_offer(1, id, 500, 1500);
        world.post(&offer).unwrap();
    }
    let fills = [1, 2, 3, 4].map(|id| fill(id, 100));
    line("place order, 4 fills", &world.place(2, 1, &fills).unwrap());
    world.attest(&[(2, 0, 0)]);
    line("settle, 4 fills", &world.settle(2, 1, &fills, &Proof::receipt([9; 32]), START + 900).unwrap());
    let now = world.now();
    let place = world.order(2, 2, &fills);
    let settle = world.settlement(2, 2, &fills, &Proof::transfer([9; 32]), now);
    let keys = [&world.keys.payer, &world.keys.custodian, &world.keys.attestor].map(Keypair::insecure_clone);
    line(
        "place and settle, 4 fills",
        &world.send(&[place, settle], &[&keys[0], &keys[1], &keys[2]]).unwrap(),
    );
    let pause = world.keys.pause.insecure_clone();
    line("pause", &world.pause_as(&pause, true).unwrap());

    let mut world = village(28);
    let one = attest_all(&mut world, 1, 1000, 0);
    line("attest, 1 row that mints", &one);
    let mint = attest_all(&mut world, 28, 1000, 0);
    line("attest, 28 rows that mint", &mint);
    let burn = attest_all(&mut world, 28, 0, 100);
    line("attest, 28 rows that burn", &burn);
    line("attest, 28 rows that move nothing", &attest_all(&mut world, 28, 0, 0));
    let marginal = |all: &Landed| (all.units - one.units) / 27;
    let elf = std::fs::metadata(elf_path()).unwrap().len();
    println!("{table}");
    println!(
        "marginal units per row: {} minting, {} burning; ELF {elf} bytes",
        marginal(&mint),
        marginal(&burn)
    );
    assert!(marginal(&mint) <= 3000 && marginal(&burn) <= 3000, "the bound per row that moves energy");
}

#[test]
fn settling_one_fill_stays_cheap_over_many_proofs() {
    let mut world = seller_and_buyer();
    let mut units: Vec<u64> = (1..=200_u64)
        .map(|id| {
            let offer = world.new_offer(1, id, 1, 1500);
            world.post(&offer).unwrap();
            world.place(2, id, &[fill(id, 1)]).unwrap();
            let mut hash = [0xa5; 32];
            hash[..8].copy_from_slice(&id.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            let now = world.now();
            let landed = world.settle(2, id, &[fill(id, 1)], &Proof::receipt(hash), now).unwrap();
            world.cancel(1, id).unwrap();
            landed.units
        })
        .collect();
    units.sort_unstable();
    assert!(units[197] <= 15_000, "p99 is {}", units[197]);
    audit(&world);
}
