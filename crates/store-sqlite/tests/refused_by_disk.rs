//! A file that is full, locked or read-only: nothing is answered that is not kept, the
//! store says that it cannot be written, and goes on by itself when it can be again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

use jirani_store::suite::samples::{deposit, reading};
use jirani_store::verify::verify_ledger;
use jirani_store::{Change, Store as _, StoreError};
use jirani_store_sqlite::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};

/// A store with one deposit.
async fn store() -> (tempfile::TempDir, PathBuf, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jirani.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(vec![Change::Post(deposit("first", 1, 5))]).await.unwrap();
    store.writable().await.unwrap();
    (folder, path, store)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Unavailable { what }) => what,
        other => panic!("expected store.unavailable, got {other:?}"),
    }
}

#[tokio::test]
async fn a_full_file_keeps_what_it_has_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jirani.db");
    // A limit in the file system would need root; SQLite's own ends the same way.
    let store = SqliteStore::open_limited(&path, 120).await.unwrap();
    let mut kept = 0_u64;
    // Until not even one more fits.
    for size in [50, 1] {
        let what = loop {
            let deposits = (0..size).map(|number| deposit(&format!("{kept}/{number}"), 1, 5));
            match store.commit(deposits.map(Change::Post).collect()).await {
                Ok(_) => kept += size,
                other => break unavailable(other),
            }
            assert!(kept < 100_000, "the file was never full");
        };
        assert!(what.contains("full"), "{what}");
    }
    assert!(kept > 0);
    assert!(unavailable(store.writable().await).contains("full"));
    // Neighbours of one transaction that met the end of the file are refused with it.
    let both = tokio::join!(
        store.append_readings((0..4_000).map(|seq| reading(1, 1, seq)).collect(), vec![]),
        store.commit(vec![Change::Post(deposit("late", 1, 5))]),
    );
    unavailable(both.0);
    drop(both.1);
    let rows = verify_ledger(&store).await.unwrap().rows;
    assert!((kept..=kept + 1).contains(&rows), "{kept} kept, {rows} found");
    store.close().await;
    // With room again, it goes on.
    let store = SqliteStore::open(&path).await.unwrap();
    store.writable().await.unwrap();
    store.commit(vec![Change::Post(deposit("room", 1, 5))]).await.unwrap();
    assert_eq!(verify_ledger(&store).await.unwrap().rows, rows + 1);
}

#[tokio::test]
async fn a_file_that_another_program_holds_is_waited_for_and_then_refused() {
    let (_folder, path, store) = store().await;
    let mut other = raw(&path).await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let what = unavailable(store.commit(vec![Change::Post(deposit("second", 1, 5))]).await);
    assert!(what.contains("locked"), "{what}");
    assert_eq!(store.journal_after(0, 10).await.unwrap().len(), 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.commit(vec![Change::Post(deposit("second", 1, 5))]).await.unwrap();
    store.writable().await.unwrap();
    assert_eq!(verify_ledger(&store).await.unwrap().rows, 2);
}

#[tokio::test]
async fn a_store_opened_for_reading_is_not_writable() {
    let (_folder, path, _store) = store().await;
    let reader = SqliteStore::open_read_only(&path).unwrap();
    unavailable(reader.writable().await);
}

#[tokio::test]
async fn a_file_that_lost_a_table_answers_with_an_error_and_keeps_the_rest() {
    let (_folder, path, store) = store().await;
    let mut other = raw(&path).await;
    sqlx::raw_sql("DROP TABLE quarantine").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let row = jirani_store::suite::samples::quarantined(1);
    unavailable(store.append_readings(vec![reading(1, 1, 1)], vec![row]).await);
    assert!(store.count_readings().await.is_err());
    store.commit(vec![Change::Post(deposit("second", 1, 5))]).await.unwrap();
    assert_eq!(verify_ledger(&store).await.unwrap().rows, 2);
}
