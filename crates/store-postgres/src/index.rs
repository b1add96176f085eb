//! The index of the chain, each verb handed to the writer or to a question.

use crate::write::Extension;
use crate::{PostgresStore, read};
use async_trait::async_trait;
use jirani_store::{ChainIndex, IndexCursor, IndexedTransaction, StoreError};
use jirani_units::HouseholdId;

#[async_trait]
impl ChainIndex for PostgresStore {
    async fn index_cursor(&self) -> Result<Option<IndexCursor>, StoreError> {
        read::index::cursor(&self.readers).await
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
        read::index::after(&self.readers, sequence, limit).await
    }

    async fn indexed_of(
        &self,
        household: HouseholdId,
        limit: u32,
    ) -> Result<Vec<IndexedTransaction>, StoreError> {
        read::index::of(&self.readers, household, limit).await
    }
}
