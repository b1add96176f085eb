//! From callback to settled tokens, and how many prompts the emulator takes on.

use crate::step;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::Path;

/// Measures, prints, and gives the figures as one line if asked; with `storm` first
/// everything that can go wrong does, in full.
pub fn run(root: &Path, as_json: bool, storm: bool) -> anyhow::Result<()> {
    let mut figures = json!({});
    if storm {
        let arguments =
            ["test", "--release", "-p", "jirani-settlement", "--test", "killed_storm", "--", "--full"];
        step::run(
            "10,000 trades and 5,000 payouts in a storm",
            step::cargo().current_dir(root).args(arguments),
        )?;
        figures["storm_trades"] = json!(10_000);
        figures["storm_payouts"] = json!(5_000);
    }
    for (package, example, arguments) in [
        ("jirani-settlement", "callback_to_settled", [].as_slice()),
        ("jirani-daraja-sandbox", "rate", ["--", "--json"].as_slice()),
    ] {
        let mut cargo = step::cargo();
        cargo.current_dir(root).args(["run", "--release", "--quiet", "-p", package, "--example", example]);
        let output = step::output(cargo.args(arguments))
            .with_context(|| format!("{example} could not be measured"))?;
        let line = output.lines().last().with_context(|| format!("{example} said nothing"))?;
        let Value::Object(measured) = serde_json::from_str(line)? else { continue };
        for (name, value) in measured {
            eprintln!("{name:>32} {value}");
            figures[name] = value;
        }
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}
