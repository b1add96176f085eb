//! An index that is kept nowhere: for who audits without a database.

use async_trait::async_trait;
use jirani_store::chain_index::check_extension;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{ChainIndex, IndexCursor, IndexedTransaction, StoreError};
use jirani_units::HouseholdId;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The chain's events in memory.
#[derive(Default)]
pub struct MemoryIndex(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    cursor: Option<IndexCursor>,
    transactions: Vec<IndexedTransaction>,
}

impl MemoryIndex {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All transactions, in the order of the chain.
    pub fn into_transactions(self) -> Vec<IndexedTransaction> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).transactions
    }
}

#[async_trait]
impl ChainIndex for MemoryIndex {
    async fn index_cursor(&self) -> Result<Option<IndexCursor>, StoreError> {
        Ok(self.kept().cursor)
    }

    async fn extend_index(
        &self,
        from: Option<IndexCursor>,
        transactions: Vec<IndexedTransaction>,
        to: IndexCursor,
    ) -> Result<(), StoreError> {
        let mut kept = self.kept();
        check_extension(kept.cursor, from, &transactions, &to)?;
        kept.transactions.extend(transactions);
        kept.cursor = Some(to);
        Ok(())
    }

    async fn clear_index(&self) -> Result<(), StoreError> {
        *self.kept() = Kept::default();
        Ok(())
    }

    async fn indexed_after(&self, sequence: u64, limit: u32) -> Result<Vec<IndexedTransaction>, StoreError> {
        let kept = self.kept();
        let after = kept.transactions.iter().filter(|told| told.sequence > sequence);
        Ok(after.take(limit.min(PAGE_MAX) as usize).cloned().collect())
    }

    async fn indexed_of(
        &self,
        household: HouseholdId,
        limit: u32,
    ) -> Result<Vec<IndexedTransaction>, StoreError> {
        let attested = jirani_energy_interface::event::EventKind::Attested as u8;
        let about = |told: &IndexedTransaction| {
            let events = told.events.iter();
            let events: Vec<_> = events
                .filter(|event| event.household == household.0 && event.kind != attested)
                .cloned()
                .collect();
            (!events.is_empty()).then(|| IndexedTransaction { events, ..told.clone() })
        };
        let kept = self.kept();
        Ok(kept.transactions.iter().rev().filter_map(about).take(limit.min(PAGE_MAX) as usize).collect())
    }
}
