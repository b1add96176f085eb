//! What a node tells of the past, in our words.

use crate::error::ChainError;
use async_trait::async_trait;
use solana_address::Address;
use solana_signature::Signature;

/// The most entries of one page: what nodes give.
pub const PAGE: usize = 1_000;

/// An entry of the list of transactions that touched the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// First signature.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// Whether it took effect.
    pub fate: Fate,
}

/// Whether a transaction took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It did.
    Done,
    /// It failed: it was charged for and changed nothing.
    Failed,
}

/// A finalised transaction that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its slot.
    pub slot: u64,
    /// The chain's time, Unix seconds.
    pub block_time: Option<i64>,
    /// Every call in the order of execution, each followed by those it made.
    pub calls: Vec<Call>,
}

/// An instruction of a transaction, or one that a program called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The transaction's instruction, from 0.
    pub instruction: u16,
    /// Place among that instruction's inner instructions; `None` for itself.
    pub inner: Option<u16>,
    /// 1 for the transaction's own, one more for each call in between.
    pub height: u32,
    /// Who is called.
    pub program: Address,
    /// With which accounts.
    pub accounts: Vec<Address>,
    /// With which data.
    pub data: Vec<u8>,
}

/// A node's memory of finalised transactions.
#[async_trait]
pub trait History: Send + Sync {
    /// Finalised transactions that touched `address`, newest first: older than
    /// `before`, newer than `until`, at most [`PAGE`]. As on a cluster, a bound that
    /// the node does not know bounds nothing.
    async fn page(
        &self,
        address: &Address,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, ChainError>;
    /// A finalised transaction; `None` when the node does not have it.
    async fn transaction(&self, signature: &Signature) -> Result<Option<Told>, ChainError>;
}
