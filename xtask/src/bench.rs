//! `cargo xtask bench pipeline`: the village month and the start-up time, measured
//! on the binary people run.

use crate::{step, up};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const STARTS: usize = 5;

/// Runs the bench called `name`.
pub fn run(root: &Path, name: &str, as_json: bool) -> anyhow::Result<()> {
    match name {
        "pipeline" => pipeline(root, as_json),
        other => bail!("there is no bench {other}; there is: pipeline"),
    }
}

fn pipeline(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let binary = up::build_binary(root)?;
    let report = std::env::temp_dir().join(format!("jirani-month80-{}.json", std::process::id()));
    step::run(
        "80 households, 30 days, 15 minutes",
        Command::new(&binary)
            .args(["village", "run", "--households", "80", "--days", "30", "--seed", "1", "--report"])
            .arg(&report)
            .stdout(Stdio::null()),
    )?;
    let month: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
    std::fs::remove_file(&report)?;
    let mut starts = (0..STARTS).map(|_| ready_ms(&binary)).collect::<anyhow::Result<Vec<u64>>>()?;
    starts.sort_unstable();

    let number = |path: &str| month.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let exported_kwh = (number("/energy/exported_wh") / 1000).max(1);
    let figures = json!({
        "month80_wall_s": month["wall_s"],
        "month80_peak_rss_bytes": number("/peak_rss_bytes"),
        "month80_trades_settled": number("/trades/settled"),
        "up_ready_ms": starts[STARTS / 2],
        "lamports_per_kwh_15min": number("/chain/fees_lamports") / exported_kwh,
    });
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>28} {value}");
    }
    if month.pointer("/audit/ok") != Some(&Value::Bool(true)) {
        bail!("the month's audit is not clean: {}", month["audit"]);
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// From starting `jirani up` on an empty folder to an answer of the dashboard's API.
fn ready_ms(binary: &Path) -> anyhow::Result<u64> {
    let folder = std::env::temp_dir().join(format!("jirani-start-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let begin = Instant::now();
    let mut child = Command::new(binary)
        .arg("up")
        .env("JIRANI__DATA_DIR", &folder)
        .env("JIRANI__HTTP__LISTEN", "127.0.0.1:0")
        .env("JIRANI__MQTT__LISTEN", "127.0.0.1:0")
        .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
        .env("JIRANI__MPESA__LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    // The line is printed once the dashboard's address answers.
    let mut ready = None;
    for line in lines {
        if line?.starts_with("Dashboard") {
            ready = Some(begin.elapsed());
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    let _ = std::fs::remove_dir_all(&folder);
    let elapsed = ready.context("jirani up ended before the dashboard was there")?;
    Ok(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
