//! What cannot start says so in one line, with exit code 2, before anything starts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use support::binary;

fn refused(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{text}");
    errors[0].to_owned()
}

#[test]
fn an_occupied_port_is_named() {
    for setting in
        ["JIRANI__HTTP__LISTEN", "JIRANI__CHAIN__LISTEN", "JIRANI__MPESA__LISTEN", "JIRANI__MQTT__LISTEN"]
    {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut command = binary();
        command.arg("up").env("JIRANI__DATA_DIR", folder.path());
        for each in ["HTTP", "CHAIN", "MPESA", "MQTT"] {
            command.env(format!("JIRANI__{each}__LISTEN"), "127.0.0.1:0");
        }
        let line = refused(command.env(setting, &address));
        assert!(line.contains(&address), "{setting}: {line}");
    }
}

#[test]
fn an_unreadable_data_folder_and_a_half_written_store_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let line = refused(binary().arg("up").env("JIRANI__DATA_DIR", &file));
    assert!(line.contains("data.unusable"), "{line}");

    let half = folder.path().join("half");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("jirani.db"), "SQLite format 3\0 and then the power went").unwrap();
    let line = refused(binary().arg("up").env("JIRANI__DATA_DIR", &half));
    assert!(line.contains("store."), "{line}");
    let line = refused(binary().arg("audit").env("JIRANI__DATA_DIR", folder.path().join("nothing")));
    assert!(line.contains("audit.nothing"), "{line}");
}

#[test]
fn a_mistyped_setting_is_refused_with_the_nearest_name() {
    let line = refused(binary().arg("check-config").env("JIRANI__HTTP__LISTENN", "127.0.0.1:1"));
    assert!(line.contains("did you mean listen?"), "{line}");
}

#[test]
fn a_wrong_file_is_refused_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(profile(folder.path())).unwrap();
    // 192 rows and the header come before the bad one.
    for (name, text, word) in [
        ("header", good.replacen("timestamp_utc", "when", 1), "timestamp_utc"),
        ("duplicate", format!("{good}2026-01-01T00:00:00Z,one,0.1,0.2\n"), "line 194"),
        ("negative", format!("{good}2026-01-03T00:00:00Z,one,-0.1,0.2\n"), "line 194"),
        ("absurd", format!("{good}2026-01-03T00:00:00Z,one,123456789,0.2\n"), "line 194"),
        ("local", format!("{good}2026-01-03T00:00:00,one,0.1,0.2\n"), "line 194"),
    ] {
        let file = folder.path().join(format!("{name}.csv"));
        std::fs::write(&file, text).unwrap();
        let line = refused(binary().args(["village", "run", "--data"]).arg(&file));
        assert!(line.contains(word), "{name}: {line}");
    }
    let line = refused(binary().args(["village", "run", "--data", "no-such.csv"]));
    assert!(line.contains("no-such.csv"), "{line}");
}

/// One home for two days at half hours, with everything a run needs.
fn profile(folder: &Path) -> std::path::PathBuf {
    let mut text = "timestamp_utc,household,pv_kwh,load_kwh\n".to_owned();
    for home in ["one", "two"] {
        for half_hour in 0..96 {
            let (day, rest) = (half_hour / 48 + 1, half_hour % 48);
            let sun = if (16..32).contains(&rest) { "0.9" } else { "0.0" };
            let pv = if home == "one" { sun } else { "0" };
            writeln!(text, "2026-01-{day:02}T{:02}:{:02}:00Z,{home},{pv},0.1501", rest / 2, rest % 2 * 30)
                .unwrap();
        }
    }
    let file = folder.join("profile.csv");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_same_seed_gives_the_same_run_and_the_books_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = profile(folder.path());
    let run = |seed: &str| -> serde_json::Value {
        let output = binary()
            .args(["village", "run", "--households", "5", "--days", "2", "--json", "--seed", seed, "--data"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (first, again, other) = (run("7"), run("7"), run("8"));
    for key in ["energy", "trades", "money", "audit"] {
        assert_eq!(first[key], again[key], "{key}");
    }
    assert_ne!(first["energy"], other["energy"], "the seed varies the homes the file does not have");
    assert_eq!(first["money"]["imbalance_cents"], 0);
    assert_eq!(first["money"]["mpesa_difference_cents"], 0);
    assert_eq!(first["energy"]["supply_wh"], first["energy"]["shortfall_wh"]);
    assert!(first["trades"]["settled"].as_u64() > Some(0), "{first}");
    for invariant in first["audit"]["invariants"].as_object().unwrap() {
        assert_eq!(invariant.1, "holds", "{invariant:?}");
    }
}

#[test]
fn homes_that_owe_lose_their_power_by_day_and_have_it_back_and_the_books_stay_whole() {
    let run = || -> serde_json::Value {
        let output = binary()
            .args(["village", "run", "--households", "6", "--days", "4", "--seed", "3", "--json"])
            .args(["--rules-permille", "0", "--limit-cents", "2000"])
            .env("JIRANI__SHORTFALL__NOTICE_HOURS", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (first, again) = (run(), run());
    for key in ["energy", "trades", "money", "relays", "audit"] {
        assert_eq!(first[key], again[key], "{key}");
    }
    let relays = &first["relays"];
    assert!(relays["opened"].as_u64() > Some(0) && relays["closed"].as_u64() > Some(0), "{first}");
    assert!(relays["opened"].as_u64() <= relays["open_ordered"].as_u64(), "{relays}");
    assert_eq!(first["money"]["mpesa_difference_cents"], 0);
    for invariant in first["audit"]["invariants"].as_object().unwrap() {
        assert_eq!(invariant.1, "holds", "{invariant:?}");
    }
}

#[test]
fn the_operator_sells_what_is_its_own_and_buys_back_what_nobody_bought() {
    let output = binary()
        .args(["village", "run", "--households", "6", "--days", "4", "--seed", "3", "--json"])
        .env("JIRANI__OPERATOR__BUYS_BACK_AFTER_DAYS", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let trades = &report["trades"];
    assert!(trades["operator_sold_wh"].as_u64() > Some(0), "{trades}");
    assert!(trades["bought_back_wh"].as_u64() > Some(0), "{trades}");
    assert_eq!(report["money"]["mpesa_difference_cents"], 0);
    for invariant in report["audit"]["invariants"].as_object().unwrap() {
        assert_eq!(invariant.1, "holds", "{invariant:?}");
    }
}

#[test]
fn help_teaches() {
    let output = binary().arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for word in ["jirani up", "village run", "audit", "JIRANI__"] {
        assert!(text.contains(word), "{word} is not in the help");
    }
}
