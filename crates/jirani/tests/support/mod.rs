//! A running `jirani` and what a person does with it, over HTTP only. Every story
//! ends with [`Running::finish`]: the binary's own audit, on the stopped system.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

pub mod cluster;

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest any single thing may take on a slow machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The binary under test.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jirani"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JIRANI__") {
            command.env_remove(name);
        }
    }
    command.current_dir(std::env::temp_dir());
    command
}

/// A started `jirani up`.
pub struct Running {
    child: Child,
    /// Base of the API.
    pub dashboard: String,
    /// Base of the emulator.
    pub phones: String,
    /// The chain's JSON-RPC.
    pub rpc: String,
    http: reqwest::Client,
}

impl Running {
    /// Starts `jirani up` on `folder` with free ports; meters run, nobody trades by itself.
    pub async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[("JIRANI__DEMO__TRADE", "false"), ("JIRANI__DEMO__SPEED", "600")]).await
    }

    /// Starts with these settings besides.
    pub async fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = binary();
        command.arg("up");
        Self::start_by(command, folder, settings).await
    }

    /// Starts by `command`, which ends in `jirani up`.
    pub async fn start_by(mut command: Command, folder: &Path, settings: &[(&str, &str)]) -> Self {
        command
            .env("JIRANI__DATA_DIR", folder)
            .env("JIRANI__HTTP__LISTEN", "127.0.0.1:0")
            .env("JIRANI__MQTT__LISTEN", "127.0.0.1:0")
            .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
            .env("JIRANI__MPESA__LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("jirani starts");
        let stdout = child.stdout.take().expect("standard output");
        let addresses = tokio::task::spawn_blocking(move || {
            let mut found = (None, None, None);
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let address = line.split_whitespace().nth(1).map(str::to_owned);
                match line.split_whitespace().next() {
                    Some("Dashboard") => found.0 = address,
                    Some("Phones") => found.1 = address,
                    Some("Chain") => found.2 = line.split_whitespace().nth(2).map(str::to_owned),
                    Some("Ready") => break,
                    _ => {}
                }
            }
            found
        })
        .await
        .unwrap();
        let (Some(dashboard), Some(phones), Some(rpc)) = addresses else {
            let _ = child.kill();
            panic!("jirani up printed no addresses");
        };
        let http = reqwest::Client::builder().timeout(Duration::from_secs(40)).build().unwrap();
        Self { child, dashboard, phones, rpc, http }
    }

    /// A household signed in by the demo's door.
    pub async fn household(&self, id: u64) -> Person<'_> {
        self.session(json!({ "household_id": id })).await
    }

    /// The operator.
    pub async fn operator(&self) -> Person<'_> {
        self.session(json!({ "operator": true })).await
    }

    async fn session(&self, body: Value) -> Person<'_> {
        let answer = self
            .http
            .post(format!("{}/api/v1/demo/session", self.dashboard))
            .json(&body)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let session: Value = answer.json().await.unwrap();
        Person { running: self, token: session["token"].as_str().unwrap().to_owned() }
    }

    /// Homes of the village: (id, rated power of the panels).
    pub async fn homes(&self) -> Vec<(u64, u64)> {
        let list: Value = self
            .http
            .get(format!("{}/api/v1/demo/households", self.dashboard))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        list.as_array()
            .unwrap()
            .iter()
            .filter(|household| household["kind"] == "home")
            .map(|household| (household["id"].as_u64().unwrap(), household["pv_rated_w"].as_u64().unwrap()))
            .collect()
    }

    /// What `/ready` says of the chain: its state, or the code of the refusal; and its sentence.
    pub async fn ready(&self) -> (String, String) {
        let Ok(answer) = self.http.get(format!("{}/ready", self.dashboard)).send().await else {
            return ("silent".to_owned(), String::new());
        };
        let body: Value = answer.json().await.unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match body["chain"]["state"].as_str() {
            Some(state) => (state.to_owned(), text(&body["chain"]["sentence"])),
            None => (text(&body["code"]), text(&body["detail"])),
        }
    }

    /// Waits until `/ready` says this; its sentence.
    pub async fn until_ready(&self, wanted: &str) -> String {
        let begin = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        loop {
            looks.tick().await;
            let (state, sentence) = self.ready().await;
            if state == wanted {
                return sentence;
            }
            assert!(begin.elapsed() < PATIENCE, "/ready says {state} ({sentence}), not {wanted}");
        }
    }

    /// Asks the emulator: its own doors for tests, never Daraja's.
    pub async fn sandbox(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.phones);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls one of our own callback doors as anybody could; the status.
    pub async fn knock(&self, path: &str, body: &Value) -> u16 {
        self.http.post(format!("{}{path}", self.dashboard)).json(body).send().await.unwrap().status().as_u16()
    }

    /// The process's number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing gets to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C: everything stops in order.
    pub fn interrupt(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "Ctrl-C ended with {status}");
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "Ctrl-C did not end it");
            std::thread::yield_now();
        }
    }

    /// Stops in order, then every invariant must hold.
    pub fn finish(self, folder: &Path) -> Value {
        self.interrupt();
        audit(folder)
    }
}

impl Drop for Running {
    /// A test that fails leaves no village behind: one would hold the test's output open for ever.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `jirani audit` on a stopped system: nothing may be violated.
pub fn audit(folder: &Path) -> Value {
    let output = binary()
        .args(["audit", "--json"])
        .env("JIRANI__DATA_DIR", folder)
        .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "the audit ended with {}: {text} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_str(text.lines().last().unwrap_or("")).expect("the audit's JSON");
    assert_eq!(report["ok"], true, "{report}");
    for name in ["E1", "E2", "E3", "M1", "M2", "M3", "S1", "S2", "R1", "P1"] {
        assert_eq!(report["invariants"][name], "holds", "{name}: {report}");
    }
    report
}

/// Somebody signed in.
pub struct Person<'a> {
    running: &'a Running,
    token: String,
}

impl Person<'_> {
    /// GET; panics with the server's words when refused.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.running.http.get(format!("{}{path}", self.running.dashboard));
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// POST under an idempotency key; status and body.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.running.http.post(format!("{}{path}", self.running.dashboard));
        let answer =
            request.bearer_auth(&self.token).header("Idempotency-Key", key).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// POST that must be done.
    pub async fn done(&self, path: &str, key: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, key, body).await;
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    /// Asks again until `right` says so.
    pub async fn until(&self, what: &str, path: &str, right: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            let answer = self.get(path).await;
            if right(&answer) {
                return answer;
            }
            assert!(begin.elapsed() < PATIENCE, "{what} did not come: {answer}");
        }
    }

    /// Waits until an order stands in one of `states`.
    pub async fn order_in(&self, id: u64, states: &[&str]) -> Value {
        self.until(&format!("order {id} in {states:?}"), &format!("/api/v1/me/orders/{id}"), |order| {
            states.iter().any(|state| order["state"] == *state)
        })
        .await
    }
}
