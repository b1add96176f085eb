//! What may be opened, by whom, and what is said when it may not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod support;

use jirani_store::suite::samples::{deposit, reading};
use jirani_store::verify::verify_ledger;
use jirani_store::{Change, Store as _, StoreError};
use jirani_store_postgres::cluster::Cluster;
use jirani_store_postgres::{Address, PostgresStore};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

/// The one clear line of a refusal.
async fn refusal(address: &Address) -> String {
    let line = PostgresStore::open(address).await.map(|_| ()).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[tokio::test]
async fn what_is_no_address_is_refused_without_repeating_it() {
    for url in ["mysql://a:hush@h/n", "postgres://a:hush@h:notaport/n", "hush"] {
        let line = Address::new(url, None).map(|_| ()).unwrap_err().to_string();
        assert!(line.starts_with("store.unavailable: ") && !line.contains("hush"), "{line}");
    }
    let address = Address::new("postgres://amina@db.example:5433/mini", Some("hush")).unwrap();
    let shown = format!("{address} {address:?}");
    assert!(!shown.contains("hush") && shown.contains("mini at db.example:5433"), "{shown}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://jirani@localhost/mini?host={}", folder.path().display());
    let line = refusal(&Address::new(&url, Some("hush")).unwrap()).await;
    assert!(line.starts_with("store.unavailable: ") && line.contains("mini at /"), "{line}");
    assert!(!line.contains("hush"), "{line}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let line = refusal(&support::cluster().address("nowhere").unwrap()).await;
    assert!(line.contains("\"nowhere\" does not exist"), "{line}");
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let name = support::cluster().database().await.unwrap();
    let mut connection = PgConnection::connect(&support::cluster().url(&name)).await.unwrap();
    sqlx::raw_sql("CREATE TABLE songs (title TEXT)").execute(&mut connection).await.unwrap();
    let line = refusal(&support::cluster().address(&name).unwrap()).await;
    assert!(line.starts_with("store.damaged: ") && line.contains("another program"), "{line}");
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_newer_schema_is_not_guessed_at() {
    let name = support::cluster().database().await.unwrap();
    let address = support::cluster().address(&name).unwrap();
    PostgresStore::open(&address).await.unwrap().close().await;
    let mut connection = PgConnection::connect(&support::cluster().url(&name)).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let line = refusal(&address).await;
    assert!(line.starts_with("store.unavailable: ") && line.contains("schema 9999"), "{line}");
    let line = PostgresStore::open_read_only(&address).await.map(|_| ()).unwrap_err().to_string();
    assert!(line.contains("schema 9999"), "{line}");
}

#[tokio::test]
async fn a_server_that_does_not_keep_what_it_says_is_refused() {
    let careless = Cluster::start(&std::env::temp_dir(), &["-c fsync=off"]).unwrap();
    let name = careless.database().await.unwrap();
    let line = refusal(&careless.address(&name).unwrap()).await;
    assert!(line.contains("fsync is off, it must be on"), "{line}");
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let store = PostgresStore::open(&support::database().await).await.unwrap();
    store.close().await;
    let refused = store.commit(vec![Change::Post(deposit("late", 1, 1))]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
    store.close().await;
}

#[tokio::test]
async fn a_reader_sees_what_is_committed_and_writes_nothing() {
    let address = support::database().await;
    let early = PostgresStore::open_read_only(&address).await.map(|_| ()).unwrap_err();
    assert!(matches!(early, StoreError::Unavailable { .. }), "{early}");
    let writer = PostgresStore::open(&address).await.unwrap();
    let reader = PostgresStore::open_read_only(&address).await.unwrap();
    writer.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap();
    writer.append_readings(vec![reading(1, 1, 1)], vec![]).await.unwrap();
    assert_eq!(reader.journal_after(0, 10).await.unwrap().len(), 1);
    assert_eq!(reader.count_readings().await.unwrap(), (1, 0));
    let refused = reader.commit(vec![Change::Post(deposit("b", 1, 5))]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
}

/// Roles in processes of their own: each remembers balances, none is wrong about them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_take_turns_and_see_each_other() {
    let address = support::database().await;
    let stores = [
        Arc::new(PostgresStore::open(&address).await.unwrap()),
        Arc::new(PostgresStore::open(&address).await.unwrap()),
    ];
    let writers: Vec<_> = stores
        .iter()
        .enumerate()
        .map(|(writer, store)| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for number in 0..40 {
                    let name = format!("{writer}/{number}");
                    store.commit(vec![Change::Post(deposit(&name, number % 3, 7))]).await.unwrap();
                    store.append_readings(vec![reading(1, 1, u64::from(number))], vec![]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(verify_ledger(&*stores[0]).await.unwrap().rows, 80);
    // The same readings from both: each counts once.
    assert_eq!(stores[1].count_readings().await.unwrap(), (40, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn two_hundred_commits_at_once_are_a_handful_of_transactions() {
    let store = Arc::new(PostgresStore::open(&support::database().await).await.unwrap());
    let mut commits = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = Arc::clone(&store);
        commits.spawn(async move {
            store.commit(vec![Change::Post(deposit(&number.to_string(), 1, 1))]).await.unwrap();
        });
    }
    while let Some(done) = commits.join_next().await {
        done.unwrap();
    }
    assert_eq!(store.journal_after(0, 1_000).await.unwrap().len(), 200);
    assert!((1..20).contains(&store.transactions()), "{} transactions", store.transactions());
}
