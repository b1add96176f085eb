//! What a household's first load costs, in Debian's Chromium on the binary people run, over
//! a slow network. The stories in `web/e2e` hold the bounds; this prints the figures.

use crate::{packages, step, up, web};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The median of the times is taken of so many loads.
const RUNS: &str = "5";
/// Nobody measures these yet: null, so that nobody takes them for measured.
const NOT_YET: [&str; 4] = ["accessibility", "live10min_bytes", "home_p99_ms", "sse2000_rss_bytes"];

/// Measures, prints, and gives the figures as one line if asked.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    packages::debian(&["chromium"])?;
    web::build(root)?;
    let binary = up::build_binary(root)?;
    let folder = std::env::temp_dir().join(format!("jirani-web-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut child = Command::new(binary)
        .arg("up")
        .env("JIRANI__DATA_DIR", &folder)
        .env("JIRANI__HTTP__LISTEN", "127.0.0.1:0")
        .env("JIRANI__HTTP__WEB_DIR", root.join("web/dist"))
        .env("JIRANI__MQTT__LISTEN", "127.0.0.1:0")
        .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
        .env("JIRANI__MPESA__LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child
        .stdout
        .take()
        .context("no standard output")
        .and_then(|lines| first_load(root, BufReader::new(lines)));
    child.kill()?;
    child.wait()?;
    let _ = std::fs::remove_dir_all(&folder);

    let output = output?;
    let last = output.lines().last().context("the story printed no figures")?;
    let mut figures: Value = serde_json::from_str(last)?;
    for name in NOT_YET {
        figures[name] = json!(null);
    }
    for (name, value) in figures.as_object().into_iter().flatten() {
        let value = if value.is_null() { "not measured yet".to_owned() } else { value.to_string() };
        eprintln!("{name:>28} {value}");
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// What `first-load.mjs` prints of the village whose first lines these are.
fn first_load(root: &Path, lines: impl BufRead) -> anyhow::Result<String> {
    let mut dashboard = None;
    for line in lines.lines() {
        let line = line?;
        if let Some(address) = line.strip_prefix("Dashboard") {
            dashboard = Some(address.trim().to_owned());
        }
        if line.starts_with("Ready") {
            break;
        }
    }
    let Some(dashboard) = dashboard else { bail!("jirani up ended before the dashboard was there") };
    step::output(
        Command::new("node")
            .arg("e2e/first-load.mjs")
            .current_dir(root.join("web"))
            .env("DASHBOARD", dashboard)
            .env("RUNS", RUNS)
            .env("JIRANI_CHROMIUM", "/usr/bin/chromium"),
    )
    .context("the first load misses a bound or could not be measured")
}
