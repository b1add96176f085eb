//! Writes that wait together share a transaction, and its fsync.

use jirani_store::suite::samples::deposit;
use jirani_store::{Change, Store as _};
use jirani_store_sqlite::SqliteStore;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test(flavor = "current_thread")]
async fn two_hundred_commits_at_once_are_a_handful_of_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
    let mut commits = JoinSet::new();
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

#[tokio::test(flavor = "current_thread")]
async fn commits_one_after_another_are_a_transaction_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap();
    for number in 0..5 {
        store.commit(vec![Change::Post(deposit(&number.to_string(), 1, 1))]).await.unwrap();
    }
    assert_eq!(store.transactions(), 5);
}
