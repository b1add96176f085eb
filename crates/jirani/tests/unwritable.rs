//! A disk that takes no more bytes: nothing is acknowledged that is not kept, and `/ready`
//! says so to whoever watches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_store::{CallbackKind, NewCallback, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::Timestamp;
use serde_json::json;
use std::process::Command;
use support::{Running, binary};

/// From now on no file of the process grows beyond `bytes`; the writes fail as on a full
/// disk (`EFBIG`).
fn limit_files(running: &Running, bytes: &str) {
    let process = running.process().to_string();
    let limited =
        Command::new("prlimit").args(["--pid", &process, &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(limited.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_acknowledges_nothing_and_ready_says_so_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    // The signal that comes with the limit must not end it, as none comes with a full disk.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" up"]).arg(binary().get_program());
    let running = Running::start_by(command, folder.path(), &[("JIRANI__DEMO__ON", "false")]).await;
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

    // Two were acknowledged, so two are on disk: the next one is the third.
    let store = SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap();
    let next = NewCallback {
        kind: CallbackKind::StkResult,
        secret: "next".to_owned(),
        body: Vec::new(),
        source: String::new(),
        received_at: Timestamp(0),
    };
    assert_eq!(store.receive(next).await.unwrap(), 3);
}
