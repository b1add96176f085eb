//! The role and the site's puller, over HTTP, on a real file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

use async_trait::async_trait;
use jirani_inbox::wire::{Acknowledged, Batch};
use jirani_inbox::{
    Gate, HookRefusal, InboxRole, InboxRoleConfig, InboxStartError, Puller, PullerConfig, Receive,
    RunningInbox, Sources,
};
use jirani_store::{CallbackKind, NewCallback};
use jirani_units::{Clock, Timestamp};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "fedcba9876543210fedcba9876543210";

/// A clock that a test moves.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Role {
    running: RunningInbox,
    gate: Arc<Gate>,
    clock: Arc<TestClock>,
    http: Client,
    folder: PathBuf,
}

impl Role {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, Gate::open(), 1 << 20).await
    }

    async fn start_with(folder: &Path, gate: Gate, bytes_max: u64) -> Self {
        let (gate, clock) = (Arc::new(gate), Arc::new(TestClock::default()));
        let running = InboxRole::start(config(folder, gate.clone(), bytes_max), clock.clone(), "inbox-1");
        let running = running.await.unwrap();
        Self { running, gate, clock, http: Client::new(), folder: folder.to_owned() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.http.post(self.url(path)).header("Businessshortcode", "174379").body(body).send().await.unwrap()
    }

    async fn callback(&self, number: usize) {
        let body = json!({"number": number}).to_string();
        let answer = self.post(&format!("/hooks/stk/{SECRET}"), body).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>().await.unwrap()["ResultCode"], 0);
    }

    async fn site(&self, path: &str) -> Response {
        self.http.get(self.url(path)).bearer_auth(TOKEN).send().await.unwrap()
    }

    async fn waiting(&self) -> Batch {
        self.site("/inbox/v1/callbacks").await.json().await.unwrap()
    }

    fn puller(&self) -> Puller {
        let config = PullerConfig {
            url: self.url(""),
            token: TOKEN.to_owned().into(),
            position: self.folder.join("position"),
        };
        Puller::new(config, self.clock.clone()).unwrap()
    }
}

fn config(folder: &Path, gate: Arc<Gate>, bytes_max: u64) -> InboxRoleConfig {
    InboxRoleConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        file: folder.join("inbox.db"),
        token: TOKEN.to_owned().into(),
        gate,
        bytes_max,
        keep_s: 3_600,
        alarm_after_s: 60,
        connections: 64,
    }
}

/// A site that stores in memory, and can be told to fail.
struct Site {
    stored: Mutex<Vec<NewCallback>>,
    count: watch::Sender<usize>,
    fails_after: Option<usize>,
}

impl Site {
    fn new(fails_after: Option<usize>) -> Arc<Self> {
        Arc::new(Self { stored: Mutex::default(), count: watch::channel(0).0, fails_after })
    }

    async fn has(&self, count: usize) {
        self.count.subscribe().wait_for(|have| *have >= count).await.unwrap();
    }

    fn numbers(&self) -> Vec<usize> {
        let stored = self.stored.lock().unwrap();
        stored
            .iter()
            .map(|callback| {
                serde_json::from_slice::<Value>(&callback.body).unwrap()["number"].as_u64().unwrap()
            })
            .map(|number| usize::try_from(number).unwrap())
            .collect()
    }
}

#[async_trait]
impl Receive for Site {
    async fn receive(&self, callback: NewCallback) -> Result<(), String> {
        let count = {
            let mut stored = self.stored.lock().unwrap();
            if self.fails_after == Some(stored.len()) {
                drop(stored);
                // Told once, so that a waiting test sees it.
                self.count.send_modify(|count| *count = usize::MAX);
                return Err("the disk is full".to_owned());
            }
            stored.push(callback);
            stored.len()
        };
        self.count.send_replace(count);
        Ok(())
    }
}

#[tokio::test]
async fn what_came_is_handed_over_as_it_came_and_then_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    let raw = [0xff, 0x00, b'{'];
    assert_eq!(role.post(&format!("/hooks/b2c/{SECRET}/timeout"), raw.to_vec()).await.status(), 200);
    role.clock.0.store(5_000_000, Ordering::Relaxed);
    let site = Site::new(None);
    let cancel = CancellationToken::new();
    let pulling = tokio::spawn(role.puller().run(site.clone(), cancel.clone()));
    site.has(1).await;
    let stored = site.stored.lock().unwrap()[0].clone();
    assert_eq!((stored.kind, stored.secret.as_str()), (CallbackKind::B2cTimeout, SECRET));
    assert_eq!(stored.body, raw);
    assert_eq!(stored.source, "127.0.0.1");
    assert_eq!(stored.received_at, Timestamp(0), "when it came, not when it was fetched");
    while !role.waiting().await.callbacks.is_empty() {
        tokio::task::yield_now().await;
    }
    // The next one is fetched without delay by the poll that waits.
    role.callback(1).await;
    site.has(2).await;
    cancel.cancel();
    pulling.await.unwrap();
    role.running.stop().await;
}

#[tokio::test]
async fn a_restart_of_the_role_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    for number in 0..200 {
        role.callback(number).await;
    }
    let name = role.waiting().await.inbox;
    role.running.stop().await;
    let role = Role::start(folder.path()).await;
    assert_eq!(role.waiting().await.inbox, name, "the same file under the same name");
    let site = Site::new(None);
    let pulling = tokio::spawn(role.puller().run(site.clone(), CancellationToken::new()));
    site.has(200).await;
    let numbers: HashSet<usize> = site.numbers().into_iter().collect();
    assert_eq!(numbers.len(), 200);
    pulling.abort();
}

#[tokio::test]
async fn a_site_that_could_not_store_gets_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    for number in 0..5 {
        role.callback(number).await;
    }
    let failing = Site::new(Some(3));
    let pulling = tokio::spawn(role.puller().run(failing.clone(), CancellationToken::new()));
    failing.has(usize::MAX).await;
    pulling.abort();
    let _ = pulling.await;
    assert_eq!(role.waiting().await.callbacks.len(), 5, "nothing acknowledged that is not durable");
    let site = Site::new(None);
    let pulling = tokio::spawn(role.puller().run(site.clone(), CancellationToken::new()));
    site.has(5).await;
    assert_eq!(site.numbers(), [0, 1, 2, 3, 4]);
    pulling.abort();
}

#[tokio::test]
async fn a_site_that_stored_but_did_not_acknowledge_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    for number in 0..3 {
        role.callback(number).await;
    }
    // Position written, acknowledgement lost.
    let position = json!({"inbox": "inbox-1", "through": 2});
    std::fs::write(folder.path().join("position"), position.to_string()).unwrap();
    let site = Site::new(None);
    let pulling = tokio::spawn(role.puller().run(site.clone(), CancellationToken::new()));
    site.has(1).await;
    assert_eq!(site.numbers(), [2]);
    while !role.waiting().await.callbacks.is_empty() {
        tokio::task::yield_now().await;
    }
    pulling.abort();
}

#[tokio::test]
async fn numbers_of_another_inbox_mean_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    role.callback(0).await;
    let position = json!({"inbox": "lost-file", "through": 900});
    std::fs::write(folder.path().join("position"), position.to_string()).unwrap();
    let site = Site::new(None);
    let pulling = tokio::spawn(role.puller().run(site.clone(), CancellationToken::new()));
    site.has(1).await;
    pulling.abort();
    let _ = pulling.await;
    role.callback(1).await;
    for (inbox, through) in [("lost-file", 1), ("inbox-1", 900)] {
        let told = Acknowledged { inbox: inbox.to_owned(), through };
        let answer = role.http.post(role.url("/inbox/v1/acknowledged")).bearer_auth(TOKEN).json(&told);
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::CONFLICT, "{told:?}");
    }
    assert!(!role.waiting().await.callbacks.is_empty());
}

#[tokio::test]
async fn nobody_reads_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    role.callback(0).await;
    for path in ["/inbox/v1/callbacks", "/metrics"] {
        for token in ["", "wrong", &TOKEN[1..], &format!("{TOKEN}0")] {
            let answer = role.http.get(role.url(path)).bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {token}");
        }
    }
    let short = InboxRoleConfig {
        token: "short".to_owned().into(),
        ..config(&folder.path().join("other"), Arc::new(Gate::open()), 1)
    };
    let started = InboxRole::start(short, Arc::new(TestClock::default()), "x").await;
    assert!(matches!(started, Err(InboxStartError::Token)));
}

#[tokio::test]
async fn strangers_long_bodies_and_other_paths_are_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(Sources::only(&["196.201.212.69"], &["127.0.0.1"]).unwrap(), None);
    let role = Role::start_with(folder.path(), gate, 1 << 20).await;
    let send = |source: &'static str, path: &'static str, size: usize| {
        let request = role.http.post(role.url(path)).header("X-Forwarded-For", source).body("x".repeat(size));
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(send("196.201.212.69", "/hooks/stk/abc", 10).await, 200);
    assert_eq!(send("203.0.113.9", "/hooks/stk/abc", 10).await, 403);
    assert_eq!(send("196.201.212.69, 203.0.113.9", "/hooks/stk/abc", 10).await, 403);
    assert_eq!(send("196.201.212.69", "/hooks/stk/abc", 64 * 1024 + 1).await, 413);
    assert_eq!(send("196.201.212.69", "/hooks/other/abc", 10).await, 404);
    assert_eq!(send("196.201.212.69", "/hooks/c2b/abc/validation", 10).await, 200);
    assert_eq!(role.waiting().await.callbacks.len(), 1, "one was kept; a validation is only answered");
    for (refusal, count) in
        [(HookRefusal::ForeignSource, 2), (HookRefusal::TooLong, 1), (HookRefusal::NoSuchDoor, 1)]
    {
        assert_eq!(role.gate.count(refusal), count, "{refusal:?}");
    }
    let metrics = role.site("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("jirani_hooks_refused_total{reason=\"foreign_source\"} 2"), "{metrics}");
    assert!(metrics.contains("jirani_inbox_waiting 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_full_inbox_says_no_instead_of_forgetting() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start_with(folder.path(), Gate::open(), 4_000).await;
    let path = format!("/hooks/stk/{SECRET}");
    assert_eq!(role.post(&path, "x".repeat(3_400)).await.status(), 200);
    assert_eq!(role.site("/ready").await.status(), 503, "an alarm before it is full");
    assert_eq!(role.post(&path, "x".repeat(1_000)).await.status(), 503);
    assert_eq!(role.gate.count(HookRefusal::NotStored), 1);
    assert_eq!(role.waiting().await.callbacks.len(), 1);
    let told = Acknowledged { inbox: "inbox-1".to_owned(), through: 1 };
    let answer = role.http.post(role.url("/inbox/v1/acknowledged")).bearer_auth(TOKEN).json(&told);
    assert_eq!(answer.send().await.unwrap().status(), 200);
    assert_eq!(role.post(&path, "x".repeat(1_000)).await.status(), 200, "there is room again");
    assert_eq!(role.waiting().await.callbacks[0].seq, 2, "no number comes twice");
}

#[tokio::test]
async fn the_alarm_sounds_when_nobody_fetches() {
    let folder = tempfile::tempdir().unwrap();
    let role = Role::start(folder.path()).await;
    assert_eq!(role.site("/ready").await.status(), 200);
    role.callback(0).await;
    role.clock.0.store(61_000_000, Ordering::Relaxed);
    let answer = role.site("/ready").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "inbox.not_fetched");
}
