//! `cargo xtask bench chain`: what the embedded chain carries, how long an intent takes to
//! the index, and the village month.

use super::{number, village};
use crate::{step, up};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::path::Path;

/// Transactions of history behind a page of signatures and behind the memory's figure.
const HISTORY: &str = "1000000";

/// Measures; `crash` kills the sending process three hundred times first.
pub fn run(root: &Path, as_json: bool, crash: bool) -> anyhow::Result<()> {
    if crash {
        let arguments =
            ["test", "--release", "-p", "jirani-chain", "--test", "crash", "--", "--ignored", "--nocapture"];
        step::run(
            "300 rounds of a sending process that is killed",
            step::cargo().current_dir(root).args(arguments),
        )?;
    }
    let sender = example(root, "jirani-chain", "bench_chain", &[])?;
    let history = example(root, "jirani-localnet", "load", &["--json", "--only-pages", HISTORY])?;
    let binary = up::build_binary(root)?;
    let month = village(&binary, "80", "30")?;
    let mut figures = json!({
        "attest_rows_per_s": sender["attest_rows_per_s"],
        "finality_p50_ms": sender["finality_p50_ms"],
        "finality_p99_ms": sender["finality_p99_ms"],
        "finality_realistic_p50_ms": sender["finality_realistic_p50_ms"],
        "sigs_page_ms": history["sigs_page_ms"],
        "sigs_page_sparse_ms": history["sigs_page_sparse_ms"],
        "month80_wall_s": month["wall_s"],
        "month80_peak_rss_bytes": number(&month, "/peak_rss_bytes"),
        "month80_trades_settled": number(&month, "/trades/settled"),
        "rss_bytes": history["rss_bytes"],
    });
    // What else the sender tells: until the outcome, and without listening.
    for name in ["outcome_p50_ms", "outcome_p99_ms", "finality_realistic_polled_p50_ms"] {
        figures[name] = sender[name].clone();
    }
    if crash {
        figures["crash_rounds"] = json!(300);
    }
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>34} {value}");
    }
    if month.pointer("/audit/ok") != Some(&Value::Bool(true)) {
        bail!("the month's audit is not clean: {}", month["audit"]);
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// Runs an example that prints its figures as one line of JSON, last.
fn example(root: &Path, package: &str, name: &str, arguments: &[&str]) -> anyhow::Result<Value> {
    let mut cargo = step::cargo();
    cargo
        .current_dir(root)
        .args(["run", "--release", "--quiet", "-p", package, "--example", name, "--"])
        .args(arguments);
    let told = step::output(&mut cargo).with_context(|| format!("the bench {name} of {package} failed"))?;
    let last = told.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("the bench {name} of {package} printed {last:?} last"))
}
