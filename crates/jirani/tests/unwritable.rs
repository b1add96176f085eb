//! A disk that takes no more bytes: nothing is acknowledged that is not kept, `/ready` says
//! so to whoever watches, and all goes on by itself when there is room again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_store::{CallbackKind, NewCallback, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::Timestamp;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use support::Running;

/// From now on no file of the process grows beyond `bytes`: writes fail (`EFBIG`), and the
/// process gets the signal that ends whoever does not expect it.
fn limit_files(running: &Running, bytes: &str) {
    let process = running.process().to_string();
    let limited =
        Command::new("prlimit").args(["--pid", &process, &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(limited.success());
}

/// Callbacks that were acknowledged, by the next one's number.
async fn kept(folder: &Path) -> u64 {
    let store = SqliteStore::open(&folder.join("jirani.db")).await.unwrap();
    let next = NewCallback {
        kind: CallbackKind::StkResult,
        secret: "next".to_owned(),
        body: Vec::new(),
        source: String::new(),
        received_at: Timestamp(0),
    };
    store.receive(next).await.unwrap() - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_acknowledges_nothing_and_ready_says_so_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start_with(folder.path(), &[("JIRANI__DEMO__ON", "false")]).await;
    running.until_ready("ready").await;
    let callback = json!({"Body": {}});
    assert_eq!(running.knock("/hooks/stk/before", &callback).await, 200);

    limit_files(&running, "1");
    let why = running.until_ready("store.unavailable").await;
    assert!(why.contains("keeps nothing"), "{why}");
    for secret in ["full-1", "full-2", "full-3"] {
        assert_eq!(running.knock(&format!("/hooks/stk/{secret}"), &callback).await, 503, "{secret}");
    }

    limit_files(&running, "unlimited");
    running.until_ready("ready").await;
    assert_eq!(running.knock("/hooks/stk/after", &callback).await, 200);
    running.kill();
    assert_eq!(kept(folder.path()).await, 2, "as many as were acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_stands_still_on_a_full_disk_and_goes_on_with_whole_books() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.until_ready("ready").await;
    let operator = running.operator().await;
    let overview = "/api/v1/operator/overview";
    let readings = |overview: &Value| overview["readings"].as_u64().unwrap_or(0);
    operator.until("readings", overview, |o| readings(o) > 0).await;

    limit_files(&running, "1");
    running.until_ready("store.unavailable").await;
    let full = operator.get(overview).await;
    assert_eq!(running.knock("/hooks/stk/full", &json!({"Body": {}})).await, 503);

    limit_files(&running, "unlimited");
    running.until_ready("ready").await;
    let more = operator.until("more readings", overview, |o| readings(o) > readings(&full) + 10).await;
    assert!(more["now"].as_str() > full["now"].as_str(), "time goes on: {more}");
    running.finish(folder.path());
}

/// A small disk of its own, taken away at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    /// Fills it to the last byte; gives back what to remove.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.0.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        for piece in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_space_left_on_the_device_is_lived_through() {
    let Some(disk) = SmallDisk::mount("64m") else {
        eprintln!(
            "SKIPPED: this process may not mount a small disk; only the limit of a file's size is tried"
        );
        return;
    };
    let folder = disk.0.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let running = Running::start_with(&folder, &[("JIRANI__DEMO__ON", "false")]).await;
    running.until_ready("ready").await;
    let ballast = disk.fill();
    // Room that the database's log has already may still take some.
    let large = json!({"Body": "x".repeat(60_000)});
    let mut acknowledged = 0;
    loop {
        match running.knock(&format!("/hooks/stk/some-{acknowledged}"), &large).await {
            200 => acknowledged += 1,
            status => break assert_eq!(status, 503),
        }
        assert!(acknowledged < 10_000, "the disk is full");
    }
    let why = running.until_ready("store.unavailable").await;
    assert!(why.contains("keeps nothing"), "{why}");

    std::fs::remove_file(ballast).unwrap();
    running.until_ready("ready").await;
    assert_eq!(running.knock("/hooks/stk/after", &large).await, 200);
    running.kill();
    assert_eq!(kept(&folder).await, acknowledged + 1, "as many as were acknowledged");
}
