//! The index of the chain.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::{IndexCursor, IndexedEvent, IndexedTransaction, StoreError};
use jirani_units::HouseholdId;
use rusqlite::Connection;

pub(crate) fn cursor(connection: &Connection) -> Result<Option<IndexCursor>, StoreError> {
    query("SELECT signature, slot, transactions FROM chain_cursor").one(connection, |columns| {
        Ok(IndexCursor { signature: columns.bytes()?, slot: columns.u64()?, transactions: columns.u64()? })
    })
}

pub(crate) fn after(
    connection: &Connection,
    sequence: u64,
    limit: u32,
) -> Result<Vec<IndexedTransaction>, StoreError> {
    // What is beyond any number kept is beyond everything.
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let query = query(
        "SELECT sequence, signature, slot, block_time_s, instruction, inner, kind, household, number, at_s, event,
         call, accounts FROM
         (SELECT * FROM chain_transactions WHERE sequence > ? ORDER BY sequence LIMIT ?)
         JOIN chain_events USING (sequence) ORDER BY sequence, instruction, inner",
    );
    Ok(grouped(query.bind(sequence).bind(page(limit)).all(connection, row)?))
}

pub(crate) fn of(
    connection: &Connection,
    household: HouseholdId,
    limit: u32,
) -> Result<Vec<IndexedTransaction>, StoreError> {
    let query = query(
        "SELECT sequence, signature, slot, block_time_s, instruction, inner, kind, household, number, at_s, event,
         call, accounts FROM
         (SELECT DISTINCT sequence FROM chain_events WHERE household = ? AND kind <> 5
          ORDER BY sequence DESC LIMIT ?)
         JOIN chain_transactions USING (sequence) JOIN chain_events USING (sequence)
         WHERE household = ? AND kind <> 5 ORDER BY sequence DESC, instruction, inner",
    );
    let household = i64::from(household.0);
    Ok(grouped(query.bind(household).bind(page(limit)).bind(household).all(connection, row)?))
}

/// A transaction with one of its events.
fn row(columns: &mut Columns<'_>) -> Result<IndexedTransaction, StoreError> {
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
