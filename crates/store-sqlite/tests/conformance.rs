//! The promises of the store's trait, kept by SQLite.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use async_trait::async_trait;
use jirani_store::suite::Place;
use jirani_store::{ChainIndex, Store};
use jirani_store_sqlite::SqliteStore;
use std::sync::Arc;
use tempfile::TempDir;

/// A folder of its own for each case.
struct Folder(TempDir);

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0.path().join("jirani.db")).await.unwrap())
    }

    async fn open_index(&self) -> Arc<dyn ChainIndex> {
        Arc::new(SqliteStore::open(&self.0.path().join("jirani.db")).await.unwrap())
    }
}

async fn folder() -> Folder {
    let folder = Folder(tempfile::tempdir().unwrap());
    // Which engine the cases reach.
    drop(folder.open().await);
    let header = std::fs::read(folder.0.path().join("jirani.db")).unwrap();
    assert!(header.starts_with(b"SQLite format 3\0"));
    folder
}

jirani_store::conformance!(folder);
