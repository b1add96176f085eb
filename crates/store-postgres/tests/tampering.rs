//! Whoever goes around the code meets the schema; whoever goes around the schema is
//! found by the chain of hashes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod support;

use jirani_ledger::chain::Broken;
use jirani_ledger::{Account, Kind};
use jirani_store::suite::market::tariff;
use jirani_store::suite::samples::{callback, deposit, draw, order, reading};
use jirani_store::verify::{VerifyError, verify_ledger};
use jirani_store::{Change, Store as _};
use jirani_store_postgres::{Address, PostgresStore};
use jirani_units::HouseholdId;
use sqlx::{Connection as _, PgConnection};

/// A database with a little of everything, closed; and its name.
async fn database() -> (Address, String) {
    let name = support::cluster().database().await.unwrap();
    let address = support::cluster().address(&name).unwrap();
    let store = PostgresStore::open(&address).await.unwrap();
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
    (address, name)
}

/// What the database says to statements by somebody else.
async fn attempt(name: &str, sql: &'static str) -> String {
    let mut connection = PgConnection::connect(&support::cluster().url(name)).await.unwrap();
    let refused = sqlx::raw_sql(sql).execute(&mut connection).await;
    connection.close().await.unwrap();
    refused.map_or_else(|error| error.to_string(), |done| format!("{} rows", done.rows_affected()))
}

#[tokio::test]
async fn history_cannot_be_changed_by_sql() {
    let (_, name) = database().await;
    for (sql, answer) in [
        ("UPDATE transfers SET amount_cents = 1 WHERE sequence = 1", "a transfer never changes"),
        ("UPDATE transfers SET memo = memo", "a transfer never changes"),
        ("DELETE FROM transfers WHERE sequence = 7", "a transfer is never removed"),
        ("TRUNCATE transfers", "a transfer is never removed"),
        ("UPDATE readings SET import_wh = 0", "a stored reading never changes"),
        ("DELETE FROM readings", "a stored reading is never removed"),
        ("TRUNCATE readings", "a stored reading is never removed"),
        ("UPDATE callbacks SET body = '' WHERE id = 1", "a stored callback never changes"),
        ("UPDATE callbacks SET secret = '' WHERE id = 2", "a stored callback never changes"),
        ("UPDATE callbacks SET outcome = NULL WHERE id = 1", "a callback is dealt with once"),
        ("DELETE FROM callbacks", "a stored callback is never removed"),
        ("TRUNCATE callbacks", "a stored callback is never removed"),
        ("UPDATE fills SET price_cents_per_kwh = 1", "the fills of an order never change"),
        ("DELETE FROM fills", "the fills of an order never change"),
        ("TRUNCATE fills", "the fills of an order never change"),
        ("UPDATE tariffs SET retail_cents_per_kwh = 1", "an announced tariff never changes"),
        ("DELETE FROM tariffs", "an announced tariff is never removed"),
        ("TRUNCATE tariffs", "an announced tariff is never removed"),
    ] {
        let said = attempt(&name, sql).await;
        assert!(said.contains(answer), "{sql}: {said}");
    }
    assert_eq!(attempt(&name, "UPDATE callbacks SET outcome = 'seen' WHERE id = 2").await, "1 rows");
}

#[tokio::test]
async fn a_balance_cannot_be_overdrawn_by_sql() {
    let (_, name) = database().await;
    for sql in [
        "UPDATE balances SET debits_cents = credits_cents + 1 WHERE never_overdrawn = 1",
        "UPDATE balances SET debits_held_cents = credits_cents WHERE never_overdrawn = 1",
        "UPDATE balances SET never_overdrawn = 0",
        "UPDATE balances SET credits_held_cents = -1",
        "INSERT INTO balances VALUES ((40::bigint << 32) + 9, 1, 0, 0, 0, 0)",
        "INSERT INTO balances VALUES ((40::bigint << 32) + 9, 1, 0, 0, 0, 1)",
    ] {
        let said = attempt(&name, sql).await;
        assert!(said.contains("violates check constraint"), "{sql}: {said}");
    }
}

#[tokio::test]
async fn the_first_altered_row_is_named() {
    for (sql, sequence) in [
        ("UPDATE transfers SET amount_cents = amount_cents + 1 WHERE sequence >= 3", 3),
        ("UPDATE transfers SET memo = 'deposit 9' WHERE sequence = 2", 2),
        ("UPDATE transfers SET at_us = at_us - 1 WHERE sequence = 5", 5),
        ("UPDATE transfers SET hash = decode(repeat('00', 32), 'hex') WHERE sequence = 4", 4),
    ] {
        let (address, name) = database().await;
        assert!(attempt(&name, "ALTER TABLE transfers DISABLE TRIGGER USER").await.ends_with("rows"));
        assert!(attempt(&name, sql).await.ends_with("rows"));
        let store = PostgresStore::open_read_only(&address).await.unwrap();
        match verify_ledger(&store).await {
            Err(VerifyError::Chain { broken: Broken::Altered { sequence: found }, .. }) => {
                assert_eq!(found, sequence, "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_dropped_row_leaves_a_gap() {
    let (address, name) = database().await;
    attempt(&name, "ALTER TABLE transfers DISABLE TRIGGER USER; DELETE FROM transfers WHERE sequence = 4")
        .await;
    let store = PostgresStore::open_read_only(&address).await.unwrap();
    let error = verify_ledger(&store).await.unwrap_err();
    let gap = matches!(error, VerifyError::Chain { broken: Broken::Gap { expected: 4, found: 5 }, .. });
    assert!(gap, "{error}");
}

#[tokio::test]
async fn a_balance_that_its_rows_do_not_make_is_named() {
    let (address, name) = database().await;
    attempt(
        &name,
        "UPDATE balances SET credits_cents = credits_cents + 1 WHERE account = (40::bigint << 32) + 1",
    )
    .await;
    let store = PostgresStore::open_read_only(&address).await.unwrap();
    match verify_ledger(&store).await {
        Err(VerifyError::Balance { account, stored, counted }) => {
            assert_eq!(account, Account::Household(HouseholdId(1)));
            assert_eq!(stored.credits.0, counted.credits.0 + 1);
        }
        other => panic!("{other:?}"),
    }
}
