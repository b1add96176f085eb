//! What can go wrong between us and the chain. The outcome is then unknown: ask
//! again with the same key.

use crate::witness::RefusedRow;

/// Not an answer of the program; see [`crate::Outcome::Refused`] for those.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The node does not answer, or not in time.
    #[error("chain.unreachable: {0}")]
    Unreachable(String),
    /// The node answers nonsense, or an account holds what it should not.
    #[error("chain.damaged: {0}")]
    Damaged(String),
    /// The work cannot be made into a transaction.
    #[error("chain.invalid_work: {0}")]
    InvalidWork(String),
    /// The chain works, but not for us yet: no lamports, no program, no Config, or
    /// other keys than ours in it. Work waits until that is mended.
    #[error("chain.not_ready: {0}")]
    NotReady(String),
    /// Nothing was sent: the witness looked and does not sign, or the chain has no record of
    /// a row's household. With `rows` the others can go without these, under another key;
    /// without, it is about all of it.
    #[error("chain.unsigned: {why}")]
    Unsigned {
        /// What it said.
        why: String,
        /// The rows that are in the way of the others.
        rows: Vec<RefusedRow>,
    },
    /// Our own record of the transaction could not be kept; nothing was sent.
    #[error(transparent)]
    Store(#[from] jirani_store::StoreError),
}
