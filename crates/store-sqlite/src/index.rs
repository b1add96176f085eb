//! The index of the chain, each verb handed to the writer or to a question.

use crate::write::Extension;
use crate::{SqliteStore, read};
use async_trait::async_trait;
use jirani_store::{ChainIndex, IndexCursor, IndexedTransaction, StoreError};
use jirani_units::HouseholdId;

#[async_trait]
impl ChainIndex for SqliteStore {
    async fn index_cursor(&self) -> Result<Option<IndexCursor>, StoreError> {
        self.readers.ask(read::index::cursor)
    }

    async fn extend_index(
        &self,
        from: Option<IndexCursor>,
        transactions: Vec<IndexedTransaction>,
        to: IndexCursor,
    ) -> Result<(), StoreError> {
        self.writer()?.extend_index(Extension { from, transactions, to }).await
    }

    async fn clear_index(&self) -> Result<(), StoreError> {
        self.writer()?.clear_index().await
    }

    async fn indexed_after(&self, sequence: u64, limit: u32) -> Result<Vec<IndexedTransaction>, StoreError> {
        self.readers.ask(|c| read::index::after(c, sequence, limit))
    }

    async fn indexed_of(
        &self,
        household: HouseholdId,
        limit: u32,
    ) -> Result<Vec<IndexedTransaction>, StoreError> {
        self.readers.ask(|c| read::index::of(c, household, limit))
    }
}
