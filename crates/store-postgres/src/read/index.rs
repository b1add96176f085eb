//! The index of the chain.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::{IndexCursor, IndexedEvent, IndexedTransaction, StoreError};
use jirani_units::HouseholdId;
use sqlx::postgres::{PgExecutor, PgPool, PgRow};

pub(crate) async fn cursor(from: impl PgExecutor<'_>) -> Result<Option<IndexCursor>, StoreError> {
    one(from, sqlx::query("SELECT signature, slot, transactions FROM chain_cursor"), |row| {
        let mut columns = Columns::of(row);
        Ok(IndexCursor { signature: columns.bytes()?, slot: columns.u64()?, transactions: columns.u64()? })
    })
    .await
}

pub(crate) async fn after(
    pool: &PgPool,
    sequence: u64,
    limit: u32,
) -> Result<Vec<IndexedTransaction>, StoreError> {
    // What is beyond any number kept is beyond everything.
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let query = sqlx::query(
        "SELECT sequence, signature, slot, block_time_s, instruction, \"inner\", kind, household, number, at_s, event,
         call, accounts FROM
         (SELECT * FROM chain_transactions WHERE sequence > $1 ORDER BY sequence LIMIT $2) AS page
         JOIN chain_events USING (sequence) ORDER BY sequence, instruction, \"inner\"",
    );
    Ok(grouped(all(pool, query.bind(sequence).bind(page(limit)), row).await?))
}

pub(crate) async fn of(
    pool: &PgPool,
    household: HouseholdId,
    limit: u32,
) -> Result<Vec<IndexedTransaction>, StoreError> {
    let query = sqlx::query(
        "SELECT sequence, signature, slot, block_time_s, instruction, \"inner\", kind, household, number, at_s, event,
         call, accounts FROM
         (SELECT DISTINCT sequence FROM chain_events WHERE household = $1 AND kind <> 5
          ORDER BY sequence DESC LIMIT $2) AS page
         JOIN chain_transactions USING (sequence) JOIN chain_events USING (sequence)
         WHERE household = $3 AND kind <> 5 ORDER BY sequence DESC, instruction, \"inner\"",
    );
    let household = i64::from(household.0);
    Ok(grouped(all(pool, query.bind(household).bind(page(limit)).bind(household), row).await?))
}

/// A transaction with one of its events.
fn row(row: &PgRow) -> Result<IndexedTransaction, StoreError> {
    let mut columns = Columns::of(row);
    let (sequence, signature, slot) = (columns.u64()?, columns.bytes()?, columns.u64()?);
    let block_time = columns.take()?;
    let (instruction, inner) = (columns.u16()?, columns.u16()?);
    let kind = columns.u16()?;
    let event = IndexedEvent {
        instruction,
        inner,
        kind: u8::try_from(kind)
            .map_err(|_| StoreError::Damaged { what: format!("an event of kind {kind}") })?,
        household: columns.u32()?,
        number: columns.take::<i64>()?.cast_unsigned(),
        at: columns.take()?,
        event: columns.take()?,
        call: columns.take()?,
        accounts: columns.take()?,
    };
    Ok(IndexedTransaction { sequence, signature, slot, block_time, events: vec![event] })
}

/// Rows of one transaction stand side by side: its events together.
fn grouped(rows: Vec<IndexedTransaction>) -> Vec<IndexedTransaction> {
    let mut transactions: Vec<IndexedTransaction> = Vec::new();
    for row in rows {
        match transactions.last_mut().filter(|last| last.sequence == row.sequence) {
            Some(last) => last.events.extend(row.events),
            None => transactions.push(row),
        }
    }
    transactions
}
