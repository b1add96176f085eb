//! The store on PostgreSQL 15 and newer: for sites whose roles run as processes of
//! their own, and for those that keep a database anyway.
//!
//! Promises: those of [`jirani_store::Store`], and that an answered write is on the
//! server's disk (`synchronous_commit`, `fsync` and `full_page_writes` are looked at
//! on opening). Any number of processes may open it: each writes in groups ([`write`]),
//! one transaction at a time whatever the process, and nobody waits for ever
//! (statements, locks and idle transactions end by themselves). Rules that protect
//! money stand in the schema as well as in code: transfers, readings and callbacks
//! cannot be changed, balances cannot be overdrawn. Passwords are never printed.
//! Stands beside `store-sqlite`, file by file, below the services.

mod archive;
#[cfg(feature = "cluster")]
pub mod cluster;
mod columns;
mod fault;
mod index;
mod open;
mod read;
mod store;
mod write;

use jirani_store::StoreError;
use jirani_store::numbers::Numbers;
pub use open::Address;
use sqlx::postgres::PgPool;
use write::Writer;

/// A database, open.
pub struct PostgresStore {
    readers: PgPool,
    /// None when opened for reading only.
    writer: Option<Writer>,
    numbers: Numbers,
}

impl PostgresStore {
    /// Opens the database at `address` for reading and writing, and brings its schema up
    /// to date. The database must exist. `store.unavailable` when the server cannot be
    /// reached or would not keep what it acknowledges; another program's database is
    /// `store.damaged`.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let opened = open::open(address).await?;
        let writer = Writer::start(address.clone(), opened.writer);
        Ok(Self { readers: opened.readers, writer: Some(writer), numbers: Numbers::default() })
    }

    /// Opens the database for reading: for audits and exports. Every write is refused
    /// with `store.unavailable`.
    pub async fn open_read_only(address: &Address) -> Result<Self, StoreError> {
        let readers = open::open_read_only(address).await?;
        Ok(Self { readers, writer: None, numbers: Numbers::default() })
    }

    /// Waits until everything handed in is durable, then closes the connections. Later
    /// writes are refused with `store.unavailable`.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    /// Transactions committed since the start. Fewer than writes: those that wait
    /// together share one, and its fsync.
    pub fn transactions(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::transactions)
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::Unavailable {
            what: "the store was opened for reading only".to_owned(),
        })
    }
}
