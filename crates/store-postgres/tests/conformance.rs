//! The promises of the store's trait, kept by PostgreSQL.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod support;

use async_trait::async_trait;
use jirani_store::suite::Place;
use jirani_store::{Archive as _, ChainIndex, Store};
use jirani_store_postgres::{Address, PostgresStore};
use std::sync::Arc;

/// A database of its own for each case.
struct Database(Address);

#[async_trait]
impl Place for Database {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.0).await.unwrap())
    }

    async fn open_index(&self) -> Arc<dyn ChainIndex> {
        Arc::new(PostgresStore::open(&self.0).await.unwrap())
    }
}

async fn database() -> Database {
    let database = Database(support::database().await);
    // Which engine the cases reach.
    let store = PostgresStore::open(&database.0).await.unwrap();
    let engine = store.engine().await.unwrap();
    let version = engine.strip_prefix("PostgreSQL ").and_then(|rest| rest.split('.').next());
    assert!(version.is_some_and(|version| version.parse::<u32>().unwrap() >= 15), "{engine}");
    store.close().await;
    database
}

jirani_store::conformance!(database);
