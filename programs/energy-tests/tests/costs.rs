//! What the program may cost: the README's table plus five per cent, and the bounds
//! that the operator's calculation rests on.
#![expect(clippy::expect_used, reason = "stories fail by panicking")]

use jirani_energy_tests::costs::{Cost, bounds, settle_units, table};
use jirani_energy_tests::elf_path;
use std::collections::BTreeMap;
use std::path::Path;

/// The table of the program's README.
fn committed() -> BTreeMap<String, Cost> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../energy/README.md");
    let text = std::fs::read_to_string(&path).expect("the program's README");
    let (_, rest) = text.split_once("<!-- costs -->").expect("a table of costs begins");
    let (lines, _) = rest.split_once("<!-- /costs -->").expect("a table of costs ends");
    lines
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [what, units, bytes, signatures] = cells[..] else { return None };
            let cost = Cost {
                what: what.to_owned(),
                units: units.parse().ok()?,
                bytes: bytes.parse().ok()?,
                signatures: signatures.parse().ok()?,
            };
            Some((what.to_owned(), cost))
        })
        .collect()
}

#[test]
fn no_instruction_costs_five_per_cent_more_than_its_readme_says() {
    let mut committed = committed();
    for cost in table() {
        let said = committed.remove(&cost.what).unwrap_or_else(|| {
            panic!("{} is not in the README; `cargo xtask bench program --update` writes it", cost.what)
        });
        assert!(cost.units * 100 <= said.units * 105, "{cost:?} instead of {said:?}");
        assert!(cost.bytes * 100 <= said.bytes * 105, "{cost:?} instead of {said:?}");
        assert_eq!(cost.signatures, said.signatures, "{}", cost.what);
    }
    assert!(committed.is_empty(), "the README has rows that nothing measures: {committed:?}");
}

#[test]
fn the_table_has_every_instruction() {
    use jirani_energy_interface::instruction::Tag;
    let rows = table();
    for tag in Tag::ALL.into_iter().filter(|tag| *tag != Tag::Event) {
        // CancelOffer -> "cancel"; "change authority" is measured as its two halves.
        let name = format!("{tag:?}");
        let end = name[1..].find(char::is_uppercase).map_or(name.len(), |at| at + 1);
        let word = name[..end].to_lowercase();
        let found = rows.iter().any(|cost| cost.what.starts_with(&word))
            || (tag == Tag::ChangeAuthority && rows.iter().any(|cost| cost.what == "propose authority"));
        assert!(found, "{tag:?} is not measured");
    }
}

#[test]
fn batches_are_as_large_and_as_cheap_as_the_tariff_assumes() {
    let bounds = bounds();
    assert!(bounds.rows_one_oracle >= 28 && bounds.rows_three_oracles >= 26, "{bounds:?}");
    assert!(bounds.units_per_row <= 3000, "{bounds:?}");
    assert!(bounds.settles_v1 >= 8 && bounds.settles_v0 >= 1, "{bounds:?}");
    assert!(bounds.lamports_28_rows.div_ceil(28 * 5) <= 40, "lamports per kWh of daily rows: {bounds:?}");
}

#[test]
fn settling_one_fill_is_cheap_for_a_thousand_random_proofs() {
    let units = settle_units(1000);
    assert!(units[990] <= 15_000, "p99 is {}", units[990]);
}

#[test]
fn the_program_is_small() {
    let bytes = std::fs::metadata(elf_path()).expect("the ELF").len();
    assert!(bytes <= 80_000, "{bytes} bytes");
}
