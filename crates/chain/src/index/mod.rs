//! The chain's past: every event of the energy program, in the chain's own order.
//!
//! Promises: only finalised transactions are indexed; what is kept is a beginning of
//! the node's list without a hole, whatever crash or node comes between, since a
//! transaction is kept only when everything older is; made anew from nothing, the
//! index is the same byte for byte. A node that has fallen behind, or has forgotten
//! the beginning, is said to have, and nothing is kept from it.
//!
//! [`history`] is what a node tells, [`rpc`] asks it, [`walk`] goes through its list,
//! [`decode`] finds the events, [`live`] keeps the index up to date without haste.
//! Where it is kept is [`jirani_store::ChainIndex`]; [`memory`] keeps it for those who
//! audit without a database. Stands beside the sender and knows nothing of it.

pub mod accounts;
pub mod decode;
pub mod error;
pub mod history;
pub mod live;
pub mod memory;
pub mod rpc;
pub mod walk;

pub use accounts::{Holdings, OnChain};
pub use decode::Happened;
pub use error::IndexError;
pub use history::{History, Listed, Told};
pub use live::{Live, LiveConfig};
pub use memory::MemoryIndex;
pub use rpc::RpcHistory;
pub use walk::{CaughtUp, Indexer};
