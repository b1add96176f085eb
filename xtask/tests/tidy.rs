//! The rules of the code base that a compiler does not know: which part may depend
//! on which, how long files may be, and what may stand where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom up. A crate may depend on its own layer and those below;
/// only adapters may depend on each other, and a service never on a service but
/// for the interface that stands above them.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "units",
            "meter",
            "readings",
            "devices",
            "ledger",
            "market",
            "booster",
            "forecast",
            "backtest",
            "energy-interface",
            "reconciliation",
            "plausibility",
        ],
    ),
    (
        "adapters",
        &[
            "clock",
            "durable",
            "store",
            "store-sqlite",
            "store-postgres",
            "chain",
            "localnet",
            "daraja",
            "daraja-sandbox",
            "inbox",
            "broker",
            "evidence",
            "weather",
            "notify",
        ],
    ),
    ("services", &["oracle", "bridge", "settlement", "advisor", "statement", "village"]),
    ("interface", &["api"]),
    ("apps", &["jirani"]),
];

/// What a domain crate must never know of.
const IMPURE: &[&str] = &["tokio", "sqlx", "axum", "reqwest", "rumqttc", "rmqtt", "rand", "time", "chrono"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, crates)| crates.contains(&name))
}

/// Folder name of every crate with the names it depends on outside of tests.
fn crates() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.push(root().join("programs/energy-interface"));
    for folder in folders {
        let manifest: toml::Table =
            fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().expect("a manifest");
        let mut names: Vec<String> = manifest
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .map(|table| table.keys().cloned().collect())
            .unwrap_or_default();
        names.sort();
        found.insert(folder.file_name().unwrap().to_string_lossy().into_owned(), names);
    }
    found
}

#[test]
fn dependencies_point_downwards_only() {
    for (name, dependencies) in crates() {
        let own = layer(&name).unwrap_or_else(|| panic!("{name} stands in no layer: add it to LAYERS"));
        for dependency in dependencies.iter().filter_map(|name| name.strip_prefix("jirani-")) {
            let theirs = layer(dependency).unwrap_or_else(|| panic!("{dependency} stands in no layer"));
            assert!(
                theirs <= own,
                "{name} ({}) depends on {dependency} ({})",
                LAYERS[own].0,
                LAYERS[theirs].0
            );
            if LAYERS[own].0 == "services" {
                assert_ne!(theirs, own, "the service {name} depends on the service {dependency}");
            }
        }
    }
}

#[test]
fn services_see_adapters_only_through_traits() {
    for (name, dependencies) in crates() {
        if !matches!(LAYERS[layer(&name).unwrap()].0, "services" | "interface") {
            continue;
        }
        for embedded in [
            "jirani-store-sqlite",
            "jirani-store-postgres",
            "jirani-localnet",
            "jirani-daraja-sandbox",
            "jirani-broker",
        ] {
            assert!(!dependencies.iter().any(|d| d == embedded), "{name} depends on {embedded}");
        }
    }
}

#[test]
fn the_domain_knows_no_outside_world() {
    for (name, dependencies) in crates() {
        if LAYERS[layer(&name).unwrap()].0 != "domain" {
            continue;
        }
        for impure in IMPURE {
            assert!(!dependencies.iter().any(|d| d == impure), "{name} depends on {impure}");
        }
    }
}

/// Every source file of ours, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in ["crates", "programs", "xtask", "web/src", "web/e2e"] {
        collect(&root().join(folder), &mut files);
    }
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_owned(), text)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | "dist") {
                collect(&path, files);
            }
        } else if [".rs", ".ts", ".tsx"].iter().any(|end| name.ends_with(end)) && !name.contains(".gen.") {
            files.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    let path = path.to_string_lossy();
    ["/tests/", "/examples/", "/e2e/", ".test.ts", "/suite", "energy-tests"]
        .iter()
        .any(|mark| path.contains(mark))
}

/// Lines before the file's own tests.
fn length(text: &str) -> usize {
    text.split("#[cfg(test)]").next().unwrap_or("").lines().count()
}

#[test]
fn files_stay_small() {
    let mut lengths: Vec<usize> = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let lines = length(text);
        assert!(lines <= 800, "{} has {lines} lines: split it", path.display());
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 150, "the median file has {median} lines");
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    for (path, text) in sources() {
        // A file with a single item says it in that item's own words.
        let said = text.contains("//!") || text.contains("///");
        assert!(said || path.extension().is_none_or(|end| end != "rs"), "{} says nothing", path.display());
    }
}

#[test]
fn only_the_binary_reads_clock_randomness_and_environment() {
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let name = path.to_string_lossy();
        if !name.starts_with("crates/") || name.starts_with("crates/jirani/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for word in ["SystemTime::now", "Utc::now", "thread_rng", "rand::rng(", "OsRng", "env::var"] {
            assert!(!code.contains(word), "{name} uses {word}");
        }
    }
}

#[test]
fn no_float_holds_energy_or_money() {
    let exact = ["units", "ledger", "market", "settlement", "store", "store-sqlite", "daraja", "chain"];
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let name = path.to_string_lossy();
        let ours = exact.iter().any(|krate| name.starts_with(&format!("crates/{krate}/src")))
            || name.starts_with("programs/");
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        if ours {
            for (number, line) in code.lines().enumerate() {
                let float = line
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| matches!(word, "f32" | "f64"));
                assert!(!float, "{name}:{}: a float", number + 1);
            }
        }
    }
}
