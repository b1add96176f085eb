//! The index of the chain: transactions and cursor move together.

use crate::fault::{fault, fault_on, int};
use crate::read;
use crate::sql::query;
use jirani_store::chain_index::check_extension;
use jirani_store::{IndexCursor, IndexedTransaction, StoreError};
use rusqlite::Connection;

const INSERT_TRANSACTION: &str =
    "INSERT INTO chain_transactions (sequence, signature, slot, block_time_s) VALUES (?, ?, ?, ?)";
const INSERT_EVENT: &str = "INSERT INTO chain_events (sequence, instruction, inner, kind, household, number, at_s, event, call, accounts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Some transactions and where the list is indexed to with them.
pub(crate) struct Extension {
    pub(crate) from: Option<IndexCursor>,
    pub(crate) transactions: Vec<IndexedTransaction>,
    pub(crate) to: IndexCursor,
}

pub(super) fn extend(connection: &Connection, extension: &Extension) -> Result<(), StoreError> {
    let Extension { from, transactions, to } = extension;
    let found = read::index::cursor(connection)?;
    check_extension(found, *from, transactions, to)?;
    for told in transactions {
        insert(connection, told)?;
    }
    query("INSERT OR REPLACE INTO chain_cursor (one, signature, slot, transactions) VALUES (1, ?, ?, ?)")
        .bind(to.signature)
        .bind(int("chain slot", to.slot)?)
        .bind(int("transactions", to.transactions)?)
        .execute(connection)
        .map_err(fault)?;
    Ok(())
}

fn insert(connection: &Connection, told: &IndexedTransaction) -> Result<(), StoreError> {
    let sequence = int("sequence", told.sequence)?;
    query(INSERT_TRANSACTION)
        .bind(sequence)
        .bind(told.signature)
        .bind(int("chain slot", told.slot)?)
        .bind(told.block_time)
        .execute(connection)
        .map_err(|error| fault_on(error, || "an indexed transaction".to_owned()))?;
    for event in &told.events {
        query(INSERT_EVENT)
            .bind(sequence)
            .bind(event.instruction)
            .bind(event.inner)
            .bind(event.kind)
            .bind(event.household)
            .bind(event.number.cast_signed())
            .bind(event.at)
            .bind(&event.event)
            .bind(&event.call)
            .bind(&event.accounts)
            .execute(connection)
            .map_err(fault)?;
    }
    Ok(())
}

pub(super) fn clear(connection: &Connection) -> Result<(), StoreError> {
    for sql in ["DELETE FROM chain_events", "DELETE FROM chain_transactions", "DELETE FROM chain_cursor"] {
        query(sql).execute(connection).map_err(fault)?;
    }
    Ok(())
}
