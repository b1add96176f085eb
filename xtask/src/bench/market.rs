//! How fast a slot's call is cleared, beside a plain Python one, and how far from the
//! optimum it ever is.

use crate::step;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::Path;

/// Measures, prints a table, and the figures as one line if asked.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let output = step::output(step::cargo().current_dir(root).args([
        "run",
        "--release",
        "--quiet",
        "-p",
        "jirani-market",
        "--example",
        "bench_market",
    ]))
    .context("the market could not be measured")?;
    let last = output.trim().lines().next_back().context("the bench printed nothing")?;
    let figures: Value = serde_json::from_str(last)?;
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>28} {value}");
    }
    for ratio in ["welfare_ratio_min", "volume_ratio_min"] {
        if figures[ratio].as_f64() != Some(1.0) {
            bail!("{ratio} is {}: a call is not at the optimum", figures[ratio]);
        }
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}
