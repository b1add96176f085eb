//! A server that goes away in the middle of work: nothing that was answered is lost,
//! nothing that was not is claimed, and work goes on when it is back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod support;

use jirani_ledger::Posting;
use jirani_store::suite::samples::deposit;
use jirani_store::verify::verify_ledger;
use jirani_store::{Change, Store as _, StoreError};
use jirani_store_postgres::PostgresStore;
use jirani_store_postgres::cluster::Cluster;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

const TASKS: u32 = 6;

/// Writes until told to stop; gives the names of the deposits that were answered. What
/// was not is tried again under the same name, as every caller does.
async fn write(
    store: Arc<PostgresStore>,
    task: u32,
    kept: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Vec<String> {
    let mut answered = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let name = format!("{task}/{number}");
        match store.commit(vec![Change::Post(deposit(&name, task % 3, 7))]).await {
            Ok(_) => {
                kept.fetch_add(1, Ordering::Relaxed);
                answered.push(name);
                number += 1;
            }
            Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    answered
}

/// Waits until `more` deposits were kept after now.
async fn until(kept: &AtomicUsize, more: usize) {
    let wanted = kept.load(Ordering::Relaxed) + more;
    while kept.load(Ordering::Relaxed) < wanted {
        tokio::task::yield_now().await;
    }
}

struct Writers {
    tasks: JoinSet<Vec<String>>,
    kept: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

fn start(store: &Arc<PostgresStore>) -> Writers {
    let (kept, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let tasks = (0..TASKS).map(|task| write(store.clone(), task, kept.clone(), stop.clone())).collect();
    Writers { tasks, kept, stop }
}

/// Stops the writers; every deposit that was answered is there, once.
async fn finish(writers: Writers, store: &PostgresStore) {
    writers.stop.store(true, Ordering::Relaxed);
    let answered: Vec<String> = writers.tasks.join_all().await.into_iter().flatten().collect();
    for name in &answered {
        let household = name.split('/').next().unwrap().parse::<u32>().unwrap() % 3;
        let again = store.commit(vec![Change::Post(deposit(name, household, 7))]).await.unwrap();
        assert_eq!(again.postings, [Posting::AlreadyApplied], "{name}");
    }
    // At most one deposit of each task was in the air when it stopped.
    let rows = verify_ledger(store).await.unwrap().rows;
    let answered = answered.len() as u64;
    assert!((answered..=answered + u64::from(TASKS)).contains(&rows), "{answered} answered, {rows} kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_loses_nothing_that_was_answered() {
    let mut cluster = Cluster::start(&std::env::temp_dir(), &[]).unwrap();
    let name = cluster.database().await.unwrap();
    let store = Arc::new(PostgresStore::open(&cluster.address(&name).unwrap()).await.unwrap());
    let writers = start(&store);
    for more in [1, 60, 20] {
        until(&writers.kept, more).await;
        let cluster = &mut cluster;
        tokio::task::block_in_place(|| cluster.crash()).unwrap();
        // It says so while it is away.
        let refused = store.writable().await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        tokio::task::block_in_place(|| cluster.restart()).unwrap();
    }
    until(&writers.kept, 20).await;
    finish(writers, &store).await;
    store.writable().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_ended_by_its_administrator_is_replaced() {
    let name = support::cluster().database().await.unwrap();
    let store = Arc::new(PostgresStore::open(&support::cluster().address(&name).unwrap()).await.unwrap());
    let writers = start(&store);
    let mut administrator = PgConnection::connect(&support::cluster().url(&name)).await.unwrap();
    for _ in 0..10 {
        until(&writers.kept, 5).await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(&mut administrator)
        .await
        .unwrap();
    }
    until(&writers.kept, 5).await;
    finish(writers, &store).await;
}

#[tokio::test]
async fn a_database_that_may_only_be_read_says_so() {
    let name = support::cluster().database().await.unwrap();
    let address = support::cluster().address(&name).unwrap();
    let mut administrator = PgConnection::connect(&support::cluster().url("postgres")).await.unwrap();
    let store = PostgresStore::open(&address).await.unwrap();
    store.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap();
    let set = |value: &str| {
        format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = {value};
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(set("on"))).execute(&mut administrator).await.unwrap();
    let refused = store.commit(vec![Change::Post(deposit("b", 1, 5))]).await.unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
    assert!(store.writable().await.is_err());
    sqlx::raw_sql(sqlx::AssertSqlSafe(set("off"))).execute(&mut administrator).await.unwrap();
    store.commit(vec![Change::Post(deposit("b", 1, 5))]).await.unwrap();
    store.writable().await.unwrap();
    assert_eq!(verify_ledger(&store).await.unwrap().rows, 2);
}

/// Somebody else holds the writer's row and goes to sleep.
#[tokio::test]
async fn nobody_waits_for_ever_for_a_writer_that_hangs() {
    let name = support::cluster().database().await.unwrap();
    let store = PostgresStore::open(&support::cluster().address(&name).unwrap()).await.unwrap();
    let mut other = PgConnection::connect(&support::cluster().url(&name)).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE writer SET generation = generation + 1").execute(&mut other).await.unwrap();
    let refused = store.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap_err();
    assert!(refused.to_string().contains("busy for too long"), "{refused}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap();
}
