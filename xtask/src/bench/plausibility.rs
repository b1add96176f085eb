//! How often the plausibility rules cry wolf, and how many wolves they see.

use crate::step;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::Path;

/// Most false alarms per meter and month, and least share of frauds caught, in percent.
const FALSE_ALARMS_MAX: f64 = 1.0;
const CAUGHT_MIN: f64 = 90.0;

/// Measures, prints what was raised and caught, and the figures as one line if asked.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let output = step::output(step::cargo().current_dir(root).args([
        "run",
        "--release",
        "--quiet",
        "-p",
        "jirani-plausibility",
        "--example",
        "plausibility",
    ]))
    .context("the rules could not be measured")?;
    let last = output.trim().lines().next_back().context("the bench printed nothing")?;
    let figures: Value = serde_json::from_str(last)?;
    for span in ["train", "held_out", "held_out_sydney", "made_up"] {
        let Some(found) = figures.get(span) else { continue };
        let alarms = found["false_alarms_per_meter_month"].as_f64().unwrap_or(f64::MAX);
        if alarms > FALSE_ALARMS_MAX {
            bail!("{span}: {alarms} false alarms per meter and month");
        }
        let (mut trials, mut caught) = (0.0, 0.0);
        for fraud in found["frauds"].as_object().into_iter().flat_map(|frauds| frauds.values()) {
            trials += fraud["trials"].as_f64().unwrap_or(0.0);
            caught += fraud["caught"].as_f64().unwrap_or(0.0);
        }
        if trials > 0.0 && 100.0 * caught / trials < CAUGHT_MIN {
            bail!("{span}: {caught} of {trials} frauds were caught");
        }
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}
