//! An operator tells a village's meter to read oftener: the real binary, its broker, its
//! gateway and its meters, and the audit at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use support::{Running, binary};

fn told(folder: &Path, mqtt: &str, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.env("JIRANI__DATA_DIR", folder).env("JIRANI__MQTT__LISTEN", mqtt);
    command.args(arguments).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_reads_as_often_as_the_operator_says_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let mqtt = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let settings =
        [("JIRANI__DEMO__TRADE", "false"), ("JIRANI__DEMO__SPEED", "600"), ("JIRANI__MQTT__LISTEN", &mqtt)];
    let running = Running::start_with(folder.path(), &settings).await;
    let desk = running.operator().await;
    let homes = desk.get("/api/v1/operator/households").await;
    let home = homes.as_array().into_iter().flatten().find(|home| home["kind"] == "home");
    let meter = home.and_then(|home| home["meter_id"].as_str()).expect("a home with a meter").to_owned();
    let order = |what: &[&str]| {
        let arguments: Vec<_> =
            ["meter", "command", "--meter", &meter].into_iter().chain(what.iter().copied()).collect();
        told(folder.path(), &mqtt, &arguments)
    };

    let refused = order(&["interval", "7"]);
    assert!(!refused.status.success() && words(&refused).contains("divides 900"), "{}", words(&refused));
    let done = tokio::task::block_in_place(|| order(&["--wait", "90", "interval", "300"]));
    assert!(done.status.success(), "{}", words(&done));
    assert!(words(&done).contains("obeyed") && words(&done).contains("every 300 s"), "{}", words(&done));
    // Its clock is the village's, so it needs no other.
    let time = tokio::task::block_in_place(|| order(&["--wait", "90", "time"]));
    assert!(time.status.success() && words(&time).contains("so before"), "{}", words(&time));

    let image = folder.path().join("image");
    std::fs::write(&image, b"an image").unwrap();
    let release = folder.path().join("release");
    let (image, release) = (image.to_str().unwrap(), release.to_str().unwrap());
    let signed =
        told(folder.path(), &mqtt, &["meter", "sign-firmware", image, "--version", "2", "--out", release]);
    assert!(signed.status.success() && words(&signed).contains("8 bytes"), "{}", words(&signed));
    // No simulated meter exchanges its image, so no reading shows it.
    let unshown = tokio::task::block_in_place(|| order(&["--wait", "5", "firmware", "--release", release]));
    assert_eq!(unshown.status.code(), Some(1), "{}", words(&unshown));
    assert!(words(&unshown).contains("meter.not_shown"), "{}", words(&unshown));

    let stranger = "00".repeat(16);
    let unknown = told(folder.path(), &mqtt, &["meter", "command", "--meter", &stranger, "time"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(words(&unknown).contains("meter.unknown"), "{}", words(&unknown));
    running.finish(folder.path());
}
