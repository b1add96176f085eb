//! A feature phone on the real binary: the door, the text messages, the money, and what
//! must never be written anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use support::Running;

const SECRET: &str = "a-segment-that-only-we-know";
const PIN: &str = "925813";

/// A phone, and how long its screens took.
struct Phone<'a> {
    running: &'a Running,
    http: reqwest::Client,
    household: u64,
    number: String,
    slowest_ms: std::cell::Cell<u128>,
}

impl Phone<'_> {
    async fn says(&self, session: &str, text: &str) -> String {
        let begin = Instant::now();
        let form = format!(
            "sessionId={session}&serviceCode=%2A384%2A1%23&networkCode=63902&phoneNumber=%2B{}&text={}",
            self.number,
            text.replace('*', "%2A")
        );
        let door = format!("{}/ussd/{SECRET}", self.running.dashboard);
        let answer = self
            .http
            .post(door)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let screen = answer.text().await.unwrap();
        self.slowest_ms.set(self.slowest_ms.get().max(begin.elapsed().as_millis()));
        screen
    }

    /// The six digits of the newest text message.
    async fn code(&self) -> String {
        let url = format!("{}/api/v1/demo/handsets/{}", self.running.dashboard, self.household);
        let phone: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let text = phone["messages"][0]["text"].as_str().expect("a message").to_owned();
        text.chars().filter(char::is_ascii_digit).collect()
    }
}

/// Whether bytes say it by itself, not within a longer number or a fraction of a second.
fn says(bytes: &[u8], what: &str) -> bool {
    let what = what.as_bytes();
    bytes.windows(what.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + what.len());
        let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_digit() && *byte != b'.');
        window == what && apart(before) && apart(after)
    })
}

fn holds(folder: &Path, what: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { holds(&path, what) } else { says(&std::fs::read(&path).unwrap_or_default(), what) }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_phone_sets_its_pin_buys_and_leaves_no_secret_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("jirani.log");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" up 2>\"$1\"", env!("CARGO_BIN_EXE_jirani")]).arg(&log);
    command.env("JIRANI_LOG", "debug");
    let data = folder.path().join("data");
    let settings =
        [("JIRANI__DEMO__TRADE", "false"), ("JIRANI__DEMO__SPEED", "600"), ("JIRANI__USSD__SECRET", SECRET)];
    let running = Running::start_by(command, &data, &settings).await;
    running.until_ready("ready").await;
    let homes = running.homes().await;
    let (seller, _) = *homes.iter().max_by_key(|(_, pv_w)| *pv_w).expect("homes");
    let (buyer, _) = *homes.iter().find(|(id, _)| *id != seller).expect("two homes");
    let selling = running.household(seller).await;
    let has = |home: &Value| home["vault_wh"].as_u64() >= Some(600);
    selling.until("energy to sell", "/api/v1/me/home", has).await;
    let lot = json!({"energy_wh": 600, "price_cents_per_kwh": 2_500, "expires_in_s": 86_400});
    selling.done("/api/v1/me/offers", "lot", &lot).await;

    // The village numbers its homes' phones by their ids.
    let number = (254_700_000_000 + buyer).to_string();
    let http = reqwest::Client::new();
    let phone =
        Phone { running: &running, http, household: buyer, number, slowest_ms: std::cell::Cell::new(0) };
    assert!(phone.says("a", "").await.starts_with("CON Jirani"));
    assert!(phone.says("a", "2").await.starts_with("END We send you a code"));
    let code = phone.code().await;
    assert_eq!(code.len(), 6);
    assert!(phone.says("b", &format!("{code}*{PIN}*{PIN}")).await.starts_with("END Your PIN is set"));
    assert!(phone.says("c", &format!("{PIN}*1")).await.starts_with("END Money: KSh"));
    let quoted = phone.says("d", &format!("{PIN}*2*1*0.1")).await;
    assert!(quoted.starts_with("CON 0.100 kWh for KSh"), "{quoted}");
    let prompted = phone.says("d", &format!("{PIN}*2*1*0.1*1")).await;
    assert!(prompted.starts_with("END M-Pesa will ask on this phone"), "{prompted}");
    let again = phone.says("d", &format!("{PIN}*2*1*0.1*1")).await;
    assert_eq!(again, prompted);
    let buying = running.household(buyer).await;
    let placed = |orders: &Value| orders.as_array().is_some_and(|orders| orders.len() == 1);
    buying.until("one order", "/api/v1/me/orders", placed).await;
    println!("slowest screen: {} ms", phone.slowest_ms.get());
    running.finish(&data);

    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains("INFO") || told.contains("DEBUG"), "the log was looked at");
    for secret in [PIN, code.as_str(), SECRET, &format!("{PIN}*2")] {
        assert!(!says(told.as_bytes(), secret), "the log holds a secret");
        assert!(secret == SECRET || !holds(&data, secret), "the data folder holds a secret");
    }
}
