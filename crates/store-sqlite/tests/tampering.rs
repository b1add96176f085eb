//! Whoever goes around the code meets the schema; whoever goes around the schema is
//! found by the chain of hashes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::chain::{Alteration, Broken};
use jirani_ledger::{Account, Kind};
use jirani_store::suite::market::tariff;
use jirani_store::suite::samples::{callback, deposit, draw, order, reading};
use jirani_store::verify::{VerifyError, verify_ledger};
use jirani_store::{Change, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::HouseholdId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};

/// A database with a little of everything, closed.
async fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jirani.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let hold = draw("hold", 1, 50, Kind::Hold);
    let end = draw("end", 1, 50, Kind::Post(hold.id));
    let mut changes: Vec<Change> =
        (1..=5).map(|number| Change::Post(deposit(&number.to_string(), 1, 100))).collect();
    changes.extend([Change::Post(hold), Change::Post(end), Change::Order(order(1))]);
    changes.push(Change::Tariff(tariff(1, "first")));
    store.commit(changes).await.unwrap();
    store.append_readings(vec![reading(1, 1, 1)], vec![]).await.unwrap();
    let id = store.receive(callback(1)).await.unwrap();
    store.commit(vec![Change::InboxDone { id, outcome: "credited".into() }]).await.unwrap();
    store.receive(callback(2)).await.unwrap();
    assert_eq!(verify_ledger(&store).await.unwrap().rows, 7);
    store.close().await;
    (folder, path)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

/// What the database says to a statement.
async fn attempt(path: &Path, sql: &'static str) -> String {
    let mut connection = raw(path).await;
    let refused = sqlx::query(sql).execute(&mut connection).await;
    connection.close().await.unwrap();
    refused.map_or_else(|error| error.to_string(), |done| format!("{} rows", done.rows_affected()))
}

#[tokio::test]
async fn history_cannot_be_changed_by_sql() {
    let (_folder, path) = database().await;
    for (sql, answer) in [
        ("UPDATE transfers SET amount_cents = 1 WHERE sequence = 1", "a transfer never changes"),
        ("UPDATE transfers SET memo = memo", "a transfer never changes"),
        ("DELETE FROM transfers WHERE sequence = 7", "a transfer is never removed"),
        ("UPDATE readings SET import_wh = 0", "a stored reading never changes"),
        ("DELETE FROM readings", "a stored reading is never removed"),
        ("UPDATE callbacks SET body = x'00' WHERE id = 1", "a stored callback never changes"),
        ("UPDATE callbacks SET secret = '' WHERE id = 2", "a stored callback never changes"),
        ("UPDATE callbacks SET outcome = NULL WHERE id = 1", "a callback is dealt with once"),
        ("DELETE FROM callbacks", "a stored callback is never removed"),
        ("UPDATE fills SET price_cents_per_kwh = 1", "the fills of an order never change"),
        ("DELETE FROM fills", "the fills of an order never change"),
        ("UPDATE tariffs SET retail_cents_per_kwh = 1", "an announced tariff never changes"),
        ("DELETE FROM tariffs", "an announced tariff is never removed"),
    ] {
        let said = attempt(&path, sql).await;
        assert!(said.contains(answer), "{sql}: {said}");
    }
    assert_eq!(attempt(&path, "UPDATE callbacks SET outcome = 'seen' WHERE id = 2").await, "1 rows");
}

#[tokio::test]
async fn a_balance_cannot_be_overdrawn_by_sql() {
    let (_folder, path) = database().await;
    for sql in [
        "UPDATE balances SET debits_cents = credits_cents + 1 WHERE never_overdrawn = 1",
        "UPDATE balances SET debits_held_cents = credits_cents WHERE never_overdrawn = 1",
        "UPDATE balances SET never_overdrawn = 0",
        "UPDATE balances SET credits_held_cents = -1",
        "INSERT INTO balances VALUES ((40 << 32) + 9, 1, 0, 0, 0, 0)",
        "INSERT INTO balances VALUES ((40 << 32) + 9, 1, 0, 0, 0, 1)",
    ] {
        let said = attempt(&path, sql).await;
        assert!(said.contains("CHECK constraint failed"), "{sql}: {said}");
    }
}

#[tokio::test]
async fn the_first_altered_row_is_named() {
    let (folder, path) = database().await;
    for (sql, sequence, done) in [
        ("UPDATE transfers SET amount_cents = amount_cents + 1 WHERE sequence >= 3", 3, Alteration::History),
        ("UPDATE transfers SET memo = 'deposit 9' WHERE sequence = 2", 2, Alteration::Content),
        ("UPDATE transfers SET at_us = at_us - 1 WHERE sequence = 5", 5, Alteration::Content),
        ("UPDATE transfers SET credit = credit + 1 WHERE sequence = 1", 1, Alteration::Content),
        ("UPDATE transfers SET kind = 3 WHERE sequence = 7", 7, Alteration::History),
        ("UPDATE transfers SET hash = zeroblob(32) WHERE sequence = 4", 4, Alteration::Hash),
    ] {
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        assert!(attempt(&copy, "DROP TRIGGER transfers_stay").await.ends_with("rows"));
        assert!(attempt(&copy, sql).await.ends_with("rows"));
        let store = SqliteStore::open_read_only(&copy).unwrap();
        match verify_ledger(&store).await {
            Err(VerifyError::Chain { broken: Broken::Altered { sequence: found }, what }) => {
                assert_eq!((found, what), (sequence, Some(done)), "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_dropped_row_leaves_a_gap() {
    let (_folder, path) = database().await;
    attempt(&path, "DROP TRIGGER transfers_remain").await;
    attempt(&path, "DELETE FROM transfers WHERE sequence = 4").await;
    let store = SqliteStore::open_read_only(&path).unwrap();
    let error = verify_ledger(&store).await.unwrap_err();
    assert!(
        matches!(error, VerifyError::Chain { broken: Broken::Gap { expected: 4, found: 5 }, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_balance_that_its_rows_do_not_make_is_named() {
    let (_folder, path) = database().await;
    attempt(&path, "UPDATE balances SET credits_cents = credits_cents + 1 WHERE account = (40 << 32) + 1")
        .await;
    let store = SqliteStore::open_read_only(&path).unwrap();
    match verify_ledger(&store).await {
        Err(VerifyError::Balance { account, stored, counted }) => {
            assert_eq!(account, Account::Household(HouseholdId(1)));
            assert_eq!(stored.credits.0, counted.credits.0 + 1);
        }
        other => panic!("{other:?}"),
    }
}

/// One bit of one byte on the disk.
#[tokio::test]
async fn a_flipped_byte_in_the_file_is_found() {
    let (_folder, path) = database().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let memo = b"deposit 3";
    let place = bytes.windows(memo.len()).position(|window| window == memo).unwrap();
    bytes[place + 8] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open_read_only(&path).unwrap();
    let error = verify_ledger(&store).await.unwrap_err();
    assert!(matches!(error, VerifyError::Chain { broken: Broken::Altered { sequence: 3 }, .. }), "{error}");
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let (_folder, path) = database().await;
    attempt(&path, "DROP TRIGGER transfers_stay").await;
    attempt(&path, "UPDATE transfers SET reason = 999 WHERE sequence = 6").await;
    let store = SqliteStore::open_read_only(&path).unwrap();
    let line = verify_ledger(&store).await.unwrap_err().to_string();
    assert!(line.starts_with("store.damaged: ") && line.contains("journal row 6"), "{line}");
}
