//! `cargo xtask bench NAME`: measured on the binary people run and on the ELF that is
//! deployed.

mod chain;
mod forecast;
mod gateway;
mod ledger;
mod market;
mod mpesa;
mod plausibility;
mod web;

use crate::{step, up};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const STARTS: usize = 5;

/// What is tried in full before anything is measured.
#[derive(Clone, Copy)]
pub struct First {
    /// Of `chain`: three hundred rounds of a sender that is killed; of `gateway`: two hundred
    /// of a gateway and a broker.
    pub crash: bool,
    /// Of `mpesa`: the storm.
    pub storm: bool,
}

/// Runs the bench called `name`.
pub fn run(root: &Path, name: &str, as_json: bool, update: bool, first: First) -> anyhow::Result<()> {
    match name {
        "chain" => chain::run(root, as_json, first.crash),
        "forecast" => forecast::run(root, as_json),
        "gateway" => gateway::run(root, as_json, first.crash),
        "ledger" => ledger::run(root, as_json),
        "market" => market::run(root, as_json),
        "mpesa" => mpesa::run(root, as_json, first.storm),
        "pipeline" => pipeline(root, as_json),
        "plausibility" => plausibility::run(root, as_json),
        "program" => program(root, as_json, update),
        "web" => web::run(root, as_json),
        other => {
            bail!(
                "there is no bench {other}; there are: chain, forecast, gateway, ledger, market, mpesa, pipeline, plausibility, program, web"
            )
        }
    }
}

/// Marks around the table of costs in the program's README.
const COSTS: (&str, &str) = ("<!-- costs -->", "<!-- /costs -->");
/// Days of the village that measures 15-minute rows.
const DAYS: &str = "2";

/// What the program costs; `update` writes the table into its README.
fn program(root: &Path, as_json: bool, update: bool) -> anyhow::Result<()> {
    let measure = |what: &str| {
        let arguments =
            ["run", "--release", "--quiet", "-p", "jirani-energy-tests", "--example", "costs", "--", what];
        step::output(step::cargo().current_dir(root).args(arguments))
            .with_context(|| format!("cannot measure {what}"))
    };
    let table = measure("table")?;
    eprintln!("{}", table.trim_end());
    if update {
        let path = root.join("programs/energy/README.md");
        let text = std::fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(COSTS.0).context("the README has no mark where costs begin")?;
        let (_, after) = rest.split_once(COSTS.1).context("the README has no mark where costs end")?;
        std::fs::write(&path, format!("{before}{}\n{}\n{}{after}", COSTS.0, table.trim_end(), COSTS.1))?;
    }
    let mut figures: Value = serde_json::from_str(measure("figures")?.trim())?;
    let binary = up::build_binary(root)?;
    let village = village(&binary, "80", DAYS)?;
    figures["lamports_per_kwh_15min"] = json!(lamports_per_kwh(&village));
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>32} {value}");
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// Runs a village and gives its report.
fn village(binary: &Path, households: &str, days: &str) -> anyhow::Result<Value> {
    let report = std::env::temp_dir().join(format!("jirani-village-{}.json", std::process::id()));
    step::run(
        &format!("{households} households, {days} days, 15 minutes"),
        Command::new(binary)
            .args(["village", "run", "--households", households, "--days", days, "--seed", "1", "--report"])
            .arg(&report)
            .stdout(Stdio::null()),
    )?;
    let value = serde_json::from_slice(&std::fs::read(&report)?)?;
    std::fs::remove_file(&report)?;
    Ok(value)
}

fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

fn lamports_per_kwh(report: &Value) -> u64 {
    number(report, "/chain/fees_lamports") / (number(report, "/energy/exported_wh") / 1000).max(1)
}

fn pipeline(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let binary = up::build_binary(root)?;
    let month = village(&binary, "80", "30")?;
    let mut starts = (0..STARTS).map(|_| ready_ms(&binary)).collect::<anyhow::Result<Vec<u64>>>()?;
    starts.sort_unstable();

    let figures = json!({
        "month80_wall_s": month["wall_s"],
        "month80_peak_rss_bytes": number(&month, "/peak_rss_bytes"),
        "month80_trades_settled": number(&month, "/trades/settled"),
        "up_ready_ms": starts[STARTS / 2],
        "lamports_per_kwh_15min": lamports_per_kwh(&month),
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
