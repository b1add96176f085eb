//! `jirani forecast` on a file of made-up homes: the real binary, no settings, no system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;
use support::binary;

/// Two homes over January and February, busy every other day.
fn homes(folder: &Path) -> String {
    let mut text = "timestamp_utc,household,pv_kwh,load_kwh\n".to_owned();
    for home in 0..2 {
        for hour in 0..59 * 24 {
            let (day, of_day) = (hour / 24, hour % 24);
            let (month, date) = if day < 31 { (1, day + 1) } else { (2, day - 30) };
            let load = if (day + home) % 2 == 0 { 900 } else { 150 } + (hour * 37) % 90;
            let _ = writeln!(text, "2026-{month:02}-{date:02}T{of_day:02}:00:00Z,home-{home},0,0.{load:03}");
        }
    }
    let path = folder.join("homes.csv");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn forecast(arguments: &[&str]) -> Output {
    binary().arg("forecast").args(arguments).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_file_is_judged_day_by_day_and_written_down_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (data, page) = (homes(folder.path()), folder.path().join("page.html"));
    let page_name = page.to_str().unwrap();
    let asked = ["--data", &data, "--days", "10", "--horizon", "1", "--rounds", "20"];
    let told = forecast(&[&["backtest"][..], &asked, &["--json", "--report", page_name]].concat());
    assert!(told.status.success(), "{}", words(&told));
    let figures: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let loss = |method: &str| figures["methods"][method]["all"]["normalised_pinball"].as_f64().unwrap();
    assert_eq!(figures["questions"], 2 * 10 * 24);
    assert!(loss("learned") < loss("climatology"), "{figures}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("28-day climatology"));
    let table = words(&forecast(&[&["backtest"][..], &asked].concat()));
    assert!(table.contains("same time yesterday") && table.contains("to 24 h"), "{table}");
}

#[test]
fn a_forecast_is_taken_apart_and_what_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = homes(folder.path());
    let explain = |home: &str, at: &str| {
        forecast(&["explain", "--data", &data, "--rounds", "20", "--household", home, "--at", at, "--json"])
    };
    let told = explain("home-0", "2026-02-20T18:00:00Z");
    assert!(told.status.success(), "{}", words(&told));
    let found: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let movers = found["movers"].as_array().unwrap();
    let added: f64 = movers.iter().map(|mover| mover["added_wh"].as_f64().unwrap()).sum();
    let said = found["said_wh"].as_f64().unwrap();
    let adjusted = found["adjusted_wh"].as_f64().unwrap();
    assert!((found["average_wh"].as_f64().unwrap() + added + adjusted - said).abs() < 0.5, "{found}");
    for (home, at, code) in [
        ("nobody", "2026-02-20T18:00:00Z", "forecast.household"),
        ("home-0", "2026-01-03T18:00:00Z", "backtest.too_short"),
    ] {
        let refused = explain(home, at);
        assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
        assert!(words(&refused).contains(code), "{}", words(&refused));
    }
    let missing = forecast(&["backtest", "--data", "no-such-file.csv"]);
    assert_eq!(missing.status.code(), Some(2), "{}", words(&missing));
}
