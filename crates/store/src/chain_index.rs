//! The index of the chain: every finalised transaction in which the energy program
//! reported an event, in the order of the chain.
//!
//! Promises of every implementation: what is kept is a beginning of the chain's own
//! list without a hole, since transactions and cursor move in one commit and only
//! from where the caller found them; a transaction stands under its signature, an
//! event under (signature, instruction, inner instruction), each once. The bytes are
//! the program's own: this crate knows where they came from, `crates/chain` what they
//! mean. Nothing here is the truth: it can be forgotten and made again from any node.

use crate::error::StoreError;
use async_trait::async_trait;
use jirani_units::HouseholdId;
use sha2::{Digest as _, Sha256};

/// A transaction's first signature.
pub type SignatureBytes = [u8; 64];

/// How far the chain's list is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexCursor {
    /// The newest listed transaction that is behind us, indexed or without events.
    pub signature: SignatureBytes,
    /// Its slot.
    pub slot: u64,
    /// How many transactions are indexed.
    pub transactions: u64,
}

/// A finalised transaction with its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedTransaction {
    /// 1, 2, 3, ... in the order of the chain: slot, then place in the block.
    pub sequence: u64,
    /// Its first signature.
    pub signature: SignatureBytes,
    /// Its slot.
    pub slot: u64,
    /// The chain's time, Unix seconds, if the node knows it.
    pub block_time: Option<i64>,
    /// Its events, in the order they were reported.
    pub events: Vec<IndexedEvent>,
}

/// An event of the energy program, and the instruction that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedEvent {
    /// The transaction's instruction that it happened in, from 0.
    pub instruction: u16,
    /// Its place among that instruction's inner instructions, from 0.
    pub inner: u16,
    /// The program's byte for what happened.
    pub kind: u8,
    /// The household it is about; the feeder, when rows were attested.
    pub household: u32,
    /// Number of the offer or order, if it is about one.
    pub number: u64,
    /// The program's time, Unix seconds.
    pub at: i64,
    /// The event's bytes.
    pub event: Vec<u8>,
    /// Data of the instruction that caused it.
    pub call: Vec<u8>,
    /// Accounts of that instruction, 32 bytes each; empty for attestations, whose
    /// events name every household.
    pub accounts: Vec<u8>,
}

/// Keeps and tells the index.
#[async_trait]
pub trait ChainIndex: Send + Sync {
    /// How far it goes; `None` when nothing is indexed.
    async fn index_cursor(&self) -> Result<Option<IndexCursor>, StoreError>;
    /// Keeps `transactions` and moves the cursor from `from` to `to`, durably and in
    /// one commit. A conflict, with nothing kept, when the cursor is not `from`, the
    /// sequences do not go on from it, or a signature is indexed already.
    async fn extend_index(
        &self,
        from: Option<IndexCursor>,
        transactions: Vec<IndexedTransaction>,
        to: IndexCursor,
    ) -> Result<(), StoreError>;
    /// Forgets all of it, to be made anew.
    async fn clear_index(&self) -> Result<(), StoreError>;
    /// Transactions after `sequence`, in order; at most [`crate::verbs::PAGE_MAX`].
    async fn indexed_after(&self, sequence: u64, limit: u32) -> Result<Vec<IndexedTransaction>, StoreError>;
    /// What happened to a household, newest first; attestations, which are about a
    /// feeder, are not among it. At most [`crate::verbs::PAGE_MAX`] transactions, each
    /// with these events only.
    async fn indexed_of(
        &self,
        household: HouseholdId,
        limit: u32,
    ) -> Result<Vec<IndexedTransaction>, StoreError>;
}

/// Checks what [`ChainIndex::extend_index`] is asked to keep, before anything is kept;
/// `found` is the cursor as it stands.
pub fn check_extension(
    found: Option<IndexCursor>,
    from: Option<IndexCursor>,
    transactions: &[IndexedTransaction],
    to: &IndexCursor,
) -> Result<(), StoreError> {
    let conflict = |what: &str| Err(StoreError::Conflict { what: what.to_owned() });
    if found != from {
        return conflict("the index of the chain");
    }
    let start = from.map_or(0, |cursor| cursor.transactions);
    let in_order = (start + 1..).zip(transactions).all(|(next, told)| told.sequence == next);
    let goes_on = from.is_none_or(|cursor| cursor.slot <= to.slot);
    if !in_order || !goes_on || to.transactions != start + transactions.len() as u64 {
        return conflict("the order of the chain's index");
    }
    Ok(())
}

/// SHA-256 over everything the index holds, cursor included, in order: two indices
/// with one hash are the same byte for byte. Numbers are big-endian, byte strings
/// follow their length (4 bytes).
pub async fn index_hash(index: &dyn ChainIndex) -> Result<[u8; 32], StoreError> {
    let mut hash = Sha256::new();
    let mut sequence = 0;
    loop {
        let page = index.indexed_after(sequence, crate::verbs::PAGE_MAX).await?;
        let Some(last) = page.last() else { break };
        sequence = last.sequence;
        for transaction in &page {
            hash_transaction(&mut hash, transaction);
        }
    }
    if let Some(cursor) = index.index_cursor().await? {
        hash.update(cursor.signature);
        hash.update(cursor.slot.to_be_bytes());
        hash.update(cursor.transactions.to_be_bytes());
    }
    Ok(hash.finalize().into())
}

fn hash_transaction(hash: &mut Sha256, transaction: &IndexedTransaction) {
    hash.update(transaction.sequence.to_be_bytes());
    hash.update(transaction.signature);
    hash.update(transaction.slot.to_be_bytes());
    hash.update([u8::from(transaction.block_time.is_some())]);
    hash.update(transaction.block_time.unwrap_or(0).to_be_bytes());
    hash.update((transaction.events.len() as u64).to_be_bytes());
    for event in &transaction.events {
        hash.update(event.instruction.to_be_bytes());
        hash.update(event.inner.to_be_bytes());
        hash.update([event.kind]);
        hash.update(event.household.to_be_bytes());
        hash.update(event.number.to_be_bytes());
        hash.update(event.at.to_be_bytes());
        for bytes in [&event.event, &event.call, &event.accounts] {
            // A transaction has at most 4,096 bytes.
            hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(bytes);
        }
    }
}
