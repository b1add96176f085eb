//! What must survive: one small trait per noun, and the records they keep.
//!
//! Promises of every implementation (the conformance suite checks them):
//! a write is durable when it returns; [`Store::commit`] applies all of its
//! changes or none; a record changes only from the version the caller read;
//! transfers, readings and callbacks are never altered or removed.
//! Stands between the services and a database; knows no SQL.

pub mod archive;
pub mod chain_index;
pub mod change;
pub mod error;
pub mod event;
pub mod ledger;
pub mod numbers;
pub mod record;
#[cfg(feature = "suite")]
pub mod suite;
pub mod verbs;
pub mod verify;
pub mod words;

pub use archive::{Archive, Snapshot};
pub use chain_index::{ChainIndex, IndexCursor, IndexedEvent, IndexedTransaction};
pub use change::{Change, Committed};
pub use error::StoreError;
pub use event::{Event, Events, Taker};
pub use ledger::{AccountBalance, JournalRow};
pub use record::*;
pub use verbs::Store;
