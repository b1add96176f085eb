//! What the gateway takes in, beside signatures alone and the database alone on the same
//! cores, and what ten thousand connected meters cost.

use crate::{packages, step};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::path::Path;

/// Measures, prints, and gives the figures as one line if asked; with `crash` gateway and
/// broker are killed two hundred times first.
pub fn run(root: &Path, as_json: bool, crash: bool) -> anyhow::Result<()> {
    packages::debian(&["mosquitto"])?;
    if crash {
        let arguments = [
            "test",
            "--release",
            "-p",
            "jirani-oracle",
            "--test",
            "killed",
            "--",
            "--ignored",
            "--nocapture",
        ];
        step::run(
            "200 rounds of a gateway and a broker that are killed",
            step::cargo().current_dir(root).args(arguments),
        )?;
    }
    let output = step::output(step::cargo().current_dir(root).args([
        "run",
        "--release",
        "--quiet",
        "-p",
        "jirani-oracle",
        "--example",
        "bench_gateway",
    ]))
    .context("the gateway could not be measured")?;
    let last = output.lines().last().context("the bench printed nothing")?;
    let mut figures: Value = serde_json::from_str(last)?;
    if crash {
        figures["kill_rounds"] = json!(200);
        figures["acknowledged_lost"] = json!(0);
    }
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>34} {value}");
    }
    // The fraction of the limit that is promised, whatever the machine.
    if figures["batched_to_ed25519_permille"].as_u64().is_none_or(|ratio| ratio < 250) {
        bail!("the gateway takes less than a quarter of what the signatures allow");
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}
