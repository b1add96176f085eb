//! How good and how fast forecasts are, beside LightGBM on the same rows in the same run.

use crate::{packages, step};
use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;

/// The keys of the figures, in order; what was not measured is null.
const KEYS: [&str; 12] = [
    "gefcom_pinball",
    "fontana_load_npin",
    "fontana_pv_npin",
    "ausgrid_load_npin",
    "coverage80_min",
    "coverage80_max",
    "value_capture",
    "value_capture_lightgbm",
    "train_s",
    "train_lightgbm_s",
    "predict_1000_s",
    "rss_bytes",
];
/// What the example measures, the fastest last: it reports the process's peak of memory.
const PARTS: [&str; 6] = ["fontana_load", "fontana_pv", "ausgrid_load", "value", "gefcom", "speed"];

/// Measures, prints a table, and the figures as one line if asked.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("jirani-forecast-{}", std::process::id()));
    let outcome = measure(root, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    let figures = outcome?;
    for (name, value) in &figures {
        eprintln!("{name:>32} {value}");
    }
    if as_json {
        println!("{}", Value::Object(figures));
    }
    Ok(())
}

fn measure(root: &Path, folder: &Path) -> anyhow::Result<Map<String, Value>> {
    if !data(root).is_dir() {
        bail!("there is no data to measure on: set JIRANI_DATA to the folder with the real homes");
    }
    let arguments =
        ["run", "--release", "--quiet", "-p", "jirani-backtest", "--example", "bench_forecast", "--"];
    let ours = step::cargo()
        .current_dir(root)
        .args(arguments)
        .arg("--export")
        .arg(folder)
        .args(PARTS)
        .env("JIRANI_DATA", data(root))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let ours = last(&String::from_utf8_lossy(&ours.stdout)).context("the forecast could not be measured")?;
    // Where LightGBM cannot be installed its figures are null.
    let beside =
        packages::python("python-forecast", &root.join("bench/requirements.txt")).and_then(|python| {
            let script = root.join("bench/forecast_lightgbm.py");
            step::output(Command::new(python).arg(script).arg(folder))
                .and_then(|output| last(&output))
                .context("LightGBM could not be run")
        });
    let beside = beside.unwrap_or_else(|error| {
        eprintln!("no figures of LightGBM: {error:#}");
        json!({})
    });
    let mut figures = Map::new();
    for key in KEYS {
        figures.insert(
            key.to_owned(),
            ours.get(key).or_else(|| beside.get(key)).cloned().unwrap_or(Value::Null),
        );
    }
    let coverages: Vec<f64> = ours
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.ends_with("_coverage80"))
        .filter_map(|(_, value)| value.as_f64())
        .collect();
    figures.insert("coverage80_min".to_owned(), json!(coverages.iter().copied().reduce(f64::min)));
    figures.insert("coverage80_max".to_owned(), json!(coverages.iter().copied().reduce(f64::max)));
    figures.insert("train_lightgbm_s".to_owned(), beside["speed_lightgbm_train_s"].clone());
    for more in [&ours, &beside] {
        for (key, value) in more.as_object().into_iter().flatten() {
            figures.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(figures)
}

fn data(root: &Path) -> std::path::PathBuf {
    std::env::var_os("JIRANI_DATA").map_or_else(|| root.join("../shared/data"), Into::into)
}

fn last(output: &str) -> Option<Value> {
    serde_json::from_str(output.trim().lines().next_back()?).ok()
}
