//! Measures the program: `costs table` prints the table of the program's README,
//! `costs figures` one line of JSON.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use jirani_energy_tests::{costs, elf_path};

fn main() {
    if std::env::args().nth(1).as_deref() == Some("table") {
        println!("| instruction | compute units | bytes | signatures |\n|---|---|---|---|");
        for cost in costs::table() {
            println!("| {} | {} | {} | {} |", cost.what, cost.units, cost.bytes, cost.signatures);
        }
        return;
    }
    let bounds = costs::bounds();
    let units = costs::settle_units(1000);
    let elf = std::fs::metadata(elf_path()).map_or(0, |elf| elf.len());
    // 28 households, 5 kWh each.
    let daily = bounds.lamports_28_rows.div_ceil(28 * 5);
    println!(
        "{{\"attest_rows_per_tx\":{},\"attest_rows_per_tx_three_oracles\":{},\"attest_cu_per_row\":{},\"settle_cu_p50\":{},\"settle_cu_p99\":{},\"settles_per_tx\":{},\"settles_per_v0_tx\":{},\"lamports_per_kwh_daily\":{daily},\"elf_bytes\":{elf}}}",
        bounds.rows_one_oracle,
        bounds.rows_three_oracles,
        bounds.units_per_row,
        units[units.len() / 2],
        units[units.len() * 99 / 100],
        bounds.settles_v1,
        bounds.settles_v0,
    );
}
