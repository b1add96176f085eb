//! Why the index does not go on. It stays as it is, and is tried again.

use crate::error::ChainError;
use jirani_store::StoreError;

/// The index could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The node's list does not go on from where the index stands.
    #[error("chain.index_behind: {0}; the node has fallen behind or is another one, and is asked again")]
    Behind(String),
    /// The node has forgotten the beginning.
    #[error(
        "chain.index_incomplete: the node's history begins after the program's; use a node that keeps all of it"
    )]
    Incomplete,
    /// The program reported something this version does not know.
    #[error("chain.index_unknown_event: transaction {0} holds an event of a newer program; update jirani")]
    UnknownEvent(String),
    /// The node does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The index could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}
