//! The table of attack classes in the program's README names tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The classes are numbered from 1 to this.
const CLASSES: u32 = 25;

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("programs/").to_owned()
}

fn collect(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// The name of every function under a test attribute.
fn tests() -> BTreeSet<String> {
    let mut sources = String::new();
    for folder in ["energy-tests/src", "energy-tests/tests", "energy-interface/src"] {
        collect(&programs().join(folder), &mut sources);
    }
    let mut found = BTreeSet::new();
    let mut under_test = false;
    for line in sources.lines().map(str::trim) {
        if line == "#[test]" {
            under_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| under_test) {
            found.extend(rest.split('(').next().map(str::to_owned));
            under_test = false;
        }
    }
    found
}

/// Each class of the table with the names in backticks of its row.
fn table() -> BTreeMap<u32, Vec<String>> {
    let readme = std::fs::read_to_string(programs().join("energy/README.md")).expect("the README");
    let section = readme.split("\n## Attacks\n").nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut classes: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in section.lines().filter_map(|line| line.strip_prefix("| ")) {
        let Ok(class) = row.split('|').next().unwrap_or_default().trim().parse() else { continue };
        classes.entry(class).or_default().extend(row.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    classes
}

#[test]
fn the_readme_names_the_tests_of_every_attack_class() {
    let (table, tests) = (table(), tests());
    assert_eq!(table.keys().copied().collect::<Vec<_>>(), (1..=CLASSES).collect::<Vec<_>>());
    for (class, names) in &table {
        assert!(*class == 13 || !names.is_empty(), "class {class} names no test");
        for name in names {
            assert!(tests.contains(name), "class {class} names {name}, which is no test");
        }
    }
}
