//! What the ledger takes in on both databases, beside what the bare databases take.

use crate::{packages, step};
use anyhow::Context as _;
use serde_json::Value;
use std::path::Path;

/// Measures, prints a table with ratios, and the figures as one line if asked.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    packages::debian(&["postgresql"])?;
    let output = step::output(step::cargo().current_dir(root).args([
        "run",
        "--release",
        "--quiet",
        "-p",
        "jirani-store-postgres",
        "--example",
        "ledger",
    ]))
    .context("the ledger could not be measured")?;
    let figures: Value = serde_json::from_str(output.trim())?;
    eprintln!("{:>10} {:>7} {:>14} {:>14} {:>6}", "database", "batch", "transfers/s", "bare rows/s", "ratio");
    for engine in ["sqlite", "postgres"] {
        for size in [1_000, 100] {
            let figure = |name: &str| figures[format!("{engine}{name}_{size}")].as_u64().unwrap_or_default();
            let (ours, bare) = (figure("_tps"), figure("_raw_tps"));
            eprintln!("{engine:>10} {size:>7} {ours:>14} {bare:>14} {:>5}%", 100 * ours / bare.max(1));
        }
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}
