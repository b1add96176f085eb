//! `jirani operator`: people at the desk by the binary, and the log of what was done.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_store_sqlite::SqliteStore;
use std::path::Path;

/// Exit code, what was printed, and the line that says why.
fn operator(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output =
        support::binary().arg("operator").args(arguments).env("JIRANI__DATA_DIR", folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let said = text(output.stderr);
    (output.status.code().unwrap(), text(output.stdout), said.lines().last().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_and_go_by_the_binary_and_the_log_shows_who_changed_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, why) = operator(folder.path(), &["add", "Amina", "--role", "admin"]);
    assert!(code == 2 && why.contains("operators.nothing"), "{code} {why}");
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    let file = folder.path().join("jirani.db");
    let store = SqliteStore::open(&file).await.unwrap();
    let (code, _, why) = operator(folder.path(), &["add", "Amina", "--role", "admin"]);
    assert!(code == 2 && why.contains("stop the system first"), "{code} {why}");
    store.close().await;
    drop(store);

    let (code, said, why) = operator(folder.path(), &["add", "Amina", "--role", "admin"]);
    assert_eq!(code, 0, "{why}");
    let secret = said.lines().last().unwrap().trim();
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{said}");
    let (code, _, why) = operator(folder.path(), &["add", "Amina", "--role", "finance"]);
    assert!(code == 1 && why.contains("operators.name_taken"), "{code} {why}");
    let (_, listed, _) = operator(folder.path(), &["list"]);
    let row = listed.lines().find(|line| line.contains("Amina")).unwrap();
    assert!(row.contains("admin") && row.contains("invited"), "{listed}");
    assert!(!listed.contains(secret));
    let (_, again, _) = operator(folder.path(), &["reset", "Amina"]);
    assert!(!again.contains(secret) && again.contains("Shown once"), "{again}");
    assert_eq!(operator(folder.path(), &["retire", "Amina"]).0, 0);
    let (code, _, why) = operator(folder.path(), &["reset", "Amina"]);
    assert!(code == 1 && why.contains("operators.retired"), "{code} {why}");

    let (code, verified, why) = operator(folder.path(), &["acts", "--verify"]);
    assert!(code == 0 && verified.starts_with("5 acts hold"), "{verified} {why}");
    let (_, acts, _) = operator(folder.path(), &["acts"]);
    assert!(
        acts.contains("invited Amina role=admin") && acts.contains("shell") && !acts.contains(secret),
        "{acts}"
    );
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch("DROP TRIGGER acts_stay; UPDATE acts SET act = 'nothing' WHERE number = 4")
        .unwrap();
    let (code, _, why) = operator(folder.path(), &["acts", "--verify"]);
    assert!(code == 1 && why.contains("acts.broken: act 4 "), "{code} {why}");
}
