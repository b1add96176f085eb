//! What may be opened, by whom, and what is said when it may not.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_store::suite::samples::{deposit, reading};
use jirani_store::{Change, Store as _, StoreError};
use jirani_store_sqlite::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};

/// A file in a folder that lives as long as the test.
fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jirani.db");
    (folder, path)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// The one clear line of a refusal.
async fn refusal(path: &Path) -> String {
    let error = SqliteStore::open(path).await.map(|_| ()).unwrap_err();
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.contains(&path.display().to_string()), "{line}");
    line
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let (folder, _) = file();
    let line = refusal(&folder.path().join("nowhere/jirani.db")).await;
    assert!(line.starts_with("store.unavailable: "), "{line}");
}

#[tokio::test]
async fn a_folder_is_not_a_database() {
    let (folder, _) = file();
    let line = refusal(folder.path()).await;
    assert!(line.starts_with("store.unavailable: ") && line.contains("is a folder"), "{line}");
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() {
    let (_folder, path) = file();
    let text = "household,kwh\n".repeat(500);
    std::fs::write(&path, &text).unwrap();
    let line = refusal(&path).await;
    assert!(line.starts_with("store.damaged: ") && line.contains("not a database"), "{line}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let (_folder, path) = file();
    let mut connection = raw(&path).await;
    sqlx::query("CREATE TABLE songs (title TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let line = refusal(&path).await;
    assert!(line.starts_with("store.damaged: ") && line.contains("another program"), "{line}");
    let mut connection = raw(&path).await;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_newer_schema_is_not_guessed_at() {
    let (_folder, path) = file();
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let line = refusal(&path).await;
    assert!(line.starts_with("store.unavailable: ") && line.contains("schema 9999"), "{line}");
    let line = SqliteStore::open_read_only(&path).map(|_| ()).unwrap_err().to_string();
    assert!(line.contains("schema 9999"), "{line}");
}

#[tokio::test]
async fn a_file_with_torn_pages_is_an_error_and_no_crash() {
    let (_folder, path) = file();
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let line = refusal(&path).await;
    assert!(line.starts_with("store.damaged: "), "{line}");
}

#[tokio::test]
async fn a_second_writer_is_turned_away() {
    let (_folder, path) = file();
    let first = SqliteStore::open(&path).await.unwrap();
    let line = refusal(&path).await;
    assert!(line.starts_with("store.unavailable: ") && line.contains("another jirani"), "{line}");
    first.close().await;
    SqliteStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_dropped_store_makes_room_for_the_next() {
    let (_folder, path) = file();
    for number in 0..5 {
        let store = SqliteStore::open(&path).await.unwrap();
        store.commit(vec![Change::Post(deposit(&number.to_string(), 1, 1))]).await.unwrap();
    }
    assert_eq!(SqliteStore::open(&path).await.unwrap().journal_after(0, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.close().await;
    let refused = store.commit(vec![Change::Post(deposit("late", 1, 1))]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
    store.close().await;
}

#[tokio::test]
async fn a_reader_sees_what_is_committed_and_writes_nothing() {
    let (_folder, path) = file();
    let missing = SqliteStore::open_read_only(&path).map(|_| ()).unwrap_err();
    assert!(matches!(missing, StoreError::Unavailable { .. }), "{missing}");

    let writer = SqliteStore::open(&path).await.unwrap();
    let reader = SqliteStore::open_read_only(&path).unwrap();
    writer.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap();
    writer.append_readings(vec![reading(1, 1, 1)], vec![]).await.unwrap();
    assert_eq!(reader.journal_after(0, 10).await.unwrap().len(), 1);
    assert_eq!(reader.count_readings().await.unwrap(), (1, 0));
    let refused = reader.commit(vec![Change::Post(deposit("b", 1, 5))]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
    writer.close().await;
    reader.close().await;
    let alone = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(alone.journal_after(0, 10).await.unwrap().len(), 1);
}
