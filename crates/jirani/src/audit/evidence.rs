//! What an audit looks at, read once from store and chain.

use super::Finding;
use super::guarantee::Guarantee;
use jirani_chain::{ChainError, ChainSnapshot, EnergyChain};
use jirani_ledger::Account;
use jirani_market::schedule::ScheduleError;
use jirani_oracle::{Spans, virtual_around};
use jirani_store::{
    AccountBalance, AttestedRow, HouseholdRecord, JournalRow, OrderRecord, PayoutRecord, ReadingRow,
    ReceiptRecord, Store, StoreError, schedule_of,
};
use jirani_units::{OrderId, PayoutId, Timestamp};
use std::collections::BTreeSet;

const PAGE: u32 = 1_000;

/// Everything the invariants speak of.
pub struct Evidence {
    /// The chain, as of one moment.
    pub chain: ChainSnapshot,
    /// What was attested, per household.
    pub attested: Vec<History>,
    /// The ledger's rows.
    pub journal: Vec<JournalRow>,
    /// The balances the store keeps beside them.
    pub balances: Vec<(Account, AccountBalance)>,
    /// All orders.
    pub orders: Vec<OrderRecord>,
    /// All receipts.
    pub receipts: Vec<ReceiptRecord>,
    /// All payouts.
    pub payouts: Vec<PayoutRecord>,
    /// What proofs are made with: deployment key and shortcode.
    pub proof_key: ([u8; 32], String),
    /// T1: found while the kept bills were read, since they are too many to hold at once.
    pub guarantee: Finding,
}

/// A household's attested rows and the readings around its last one.
pub struct History {
    /// Whose.
    pub household: HouseholdRecord,
    /// Slot ends and registers, oldest first.
    pub rows: Vec<(Timestamp, AttestedRow)>,
    /// Last reading at or before the last slot's end, and the first after, of the span that
    /// covers it and with its offsets.
    pub around: (Option<ReadingRow>, Option<ReadingRow>),
}

/// Store or chain cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Evidence {
    /// Reads all of it. The store is read before and after the chain, so that work
    /// which lands meanwhile is not mistaken for a difference: callers audit a
    /// system at rest, or ask again.
    pub async fn gather(
        store: &dyn Store,
        chain: &dyn EnergyChain,
        proof_key: ([u8; 32], String),
    ) -> Result<Self, EvidenceError> {
        let spans = Spans::load(store).await?;
        let mut attested = Vec::new();
        for household in store.households().await? {
            let rows: Vec<_> = store
                .attested_rows(household.id, Timestamp(i64::MIN), Timestamp(i64::MAX))
                .await?
                .into_iter()
                .map(|(end, row, _)| (end, row))
                .collect();
            let around = match (household.meter, rows.last()) {
                (Some(_), Some((end, _))) => {
                    virtual_around(store, &household, spans.of(household.id), *end).await?
                }
                _ => (None, None),
            };
            attested.push(History { household, rows, around });
        }
        let (journal, orders) = (journal(store).await?, orders(store).await?);
        let guarantee = guarantee(store, &attested, &orders, &journal).await?;
        Ok(Self {
            guarantee,
            attested,
            journal,
            balances: store.balances().await?,
            orders,
            receipts: receipts(store).await?,
            payouts: payouts(store).await?,
            chain: chain.snapshot().await?,
            proof_key,
        })
    }
}

/// Goes through all kept bills.
async fn guarantee(
    store: &dyn Store,
    attested: &[History],
    orders: &[OrderRecord],
    journal: &[JournalRow],
) -> Result<Finding, StoreError> {
    let tariffs = store.tariffs().await?;
    let schedule = if tariffs.is_empty() {
        None
    } else {
        let damaged = |error: ScheduleError| StoreError::Damaged { what: error.to_string() };
        Some(schedule_of(&tariffs).map_err(damaged)?)
    };
    let mut guarantee = Guarantee::new(attested, orders, journal, schedule.as_ref());
    let feeders: BTreeSet<u16> = attested.iter().map(|history| history.household.feeder).collect();
    for feeder in feeders {
        let mut from = Timestamp(i64::MIN);
        loop {
            let page = store.slot_bills(feeder, from, Timestamp(i64::MAX), PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.slot.end();
            for record in &page {
                guarantee.take(record);
            }
        }
    }
    Ok(guarantee.finding())
}

async fn journal(store: &dyn Store) -> Result<Vec<JournalRow>, StoreError> {
    let mut rows = Vec::new();
    loop {
        let page = store.journal_after(rows.last().map_or(0, |row: &JournalRow| row.sequence), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

async fn orders(store: &dyn Store) -> Result<Vec<OrderRecord>, StoreError> {
    let mut rows = Vec::new();
    loop {
        let after = rows.last().map_or(OrderId(0), |row: &OrderRecord| row.id);
        let page = store.orders_after(after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

async fn receipts(store: &dyn Store) -> Result<Vec<ReceiptRecord>, StoreError> {
    let (mut rows, mut after) = (Vec::new(), 0);
    loop {
        let page = store.receipts_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(rows) };
        after = *last;
        rows.extend(page.into_iter().map(|(_, receipt)| receipt));
    }
}

async fn payouts(store: &dyn Store) -> Result<Vec<PayoutRecord>, StoreError> {
    let mut rows = Vec::new();
    loop {
        let after = rows.last().map_or(PayoutId(0), |row: &PayoutRecord| row.id);
        let page = store.payouts_after(after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}
