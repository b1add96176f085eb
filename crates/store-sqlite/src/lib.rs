//! The store on SQLite: the default, embedded, one file.
//!
//! Promises: those of [`jirani_store::Store`], and that an answered write survives
//! loss of power (WAL, `synchronous = FULL`, read back at the start). One process
//! writes, on one connection and thread, in groups ([`write`]); four connections read
//! ([`readers`]).
//! Rules that protect money stand in the schema as well as in code: transfers,
//! readings and callbacks cannot be changed, balances cannot be overdrawn.
//! Stands below the services, which know only the trait.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Columns`, named alone, is not general enough over its lifetime"
)]

mod archive;
mod columns;
mod fault;
mod index;
mod open;
mod read;
mod readers;
mod sql;
mod store;
mod write;

use jirani_store::StoreError;
use jirani_store::numbers::Numbers;
use readers::Readers;
use std::path::Path;
use write::Writer;

/// A database file, open.
pub struct SqliteStore {
    readers: Readers,
    /// None when opened for reading only.
    writer: Option<Writer>,
    numbers: Numbers,
}

impl SqliteStore {
    /// Opens `path` for reading and writing; makes it, or brings its schema up to
    /// date. Its folder must exist. One process at a time: a second one is refused
    /// with `store.unavailable`, as are a folder that cannot be written and a file of
    /// a newer jirani; another program's file is `store.damaged`.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open(path).await?;
        let writer = Writer::start(opened.writer, opened.lock)?;
        Ok(Self { readers: opened.readers, writer: Some(writer), numbers: Numbers::default() })
    }

    /// As [`Self::open`], for a file of at most `pages` pages of 4 KiB: what more is written
    /// is refused with `store.unavailable`, as on a full disk.
    pub async fn open_limited(path: &Path, pages: u32) -> Result<Self, StoreError> {
        let opened = open::open(path).await?;
        open::limit(&opened.writer, pages)?;
        let writer = Writer::start(opened.writer, opened.lock)?;
        Ok(Self { readers: opened.readers, writer: Some(writer), numbers: Numbers::default() })
    }

    /// Opens `path` for reading, beside the process that writes it if there is one:
    /// for audits and exports. Every write is refused with `store.unavailable`.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { readers: open::open_read_only(path)?, writer: None, numbers: Numbers::default() })
    }

    /// Waits until everything handed in is durable, then closes the file. Later
    /// writes are refused with `store.unavailable`.
    pub async fn close(&self) {
        self.readers.close();
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    /// Transactions committed since the start. Fewer than writes: those that wait
    /// together share one, and its fsync.
    pub fn transactions(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::transactions)
    }

    /// Waits until the outcomes that were answered can be read.
    async fn outcomes_written(&self) -> Result<(), StoreError> {
        match &self.writer {
            Some(writer) => writer.outcomes_written().await,
            None => Ok(()),
        }
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::Unavailable {
            what: "the store was opened for reading only".to_owned(),
        })
    }
}
