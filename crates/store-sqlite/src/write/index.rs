//! The index of the chain: transactions and cursor move together.

use super::sql::{Insert, insert as insert_of};
use crate::fault::{fault, fault_on, int};
use crate::read;
use jirani_store::chain_index::check_extension;
use jirani_store::{IndexCursor, IndexedEvent, IndexedTransaction, StoreError};
use sqlx::SqliteConnection;

const INSERT_TRANSACTIONS: Insert = insert_of!(
    "INSERT INTO chain_transactions (sequence, signature, slot, block_time_s) VALUES ",
    "(?, ?, ?, ?)",
    ""
);
const INSERT_EVENTS: Insert = insert_of!(
    "INSERT INTO chain_events (sequence, instruction, inner, kind, household, number, at_s, event, call, accounts)
     VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ""
);

/// Some transactions and where the list is indexed to with them.
pub(crate) struct Extension {
    pub(crate) from: Option<IndexCursor>,
    pub(crate) transactions: Vec<IndexedTransaction>,
    pub(crate) to: IndexCursor,
}

pub(super) async fn extend(
    connection: &mut SqliteConnection,
    extension: &Extension,
) -> Result<(), StoreError> {
    let Extension { from, transactions, to } = extension;
    let found = read::index::cursor(&mut *connection).await?;
    check_extension(found, *from, transactions, to)?;
    for (sql, piece) in INSERT_TRANSACTIONS.pieces(transactions) {
        let mut query = sqlx::query(sql);
        for told in piece {
            query = query
                .bind(int("sequence", told.sequence)?)
                .bind(told.signature.to_vec())
                .bind(int("chain slot", told.slot)?)
                .bind(told.block_time);
        }
        query
            .execute(&mut *connection)
            .await
            .map_err(|error| fault_on(error, || "an indexed transaction".to_owned()))?;
    }
    let events: Vec<(u64, &IndexedEvent)> =
        transactions.iter().flat_map(|told| told.events.iter().map(|event| (told.sequence, event))).collect();
    for (sql, piece) in INSERT_EVENTS.pieces(&events) {
        let mut query = sqlx::query(sql);
        for (sequence, event) in piece {
            query = query
                .bind(int("sequence", *sequence)?)
                .bind(i64::from(event.instruction))
                .bind(i64::from(event.inner))
                .bind(i64::from(event.kind))
                .bind(i64::from(event.household))
                .bind(event.number.cast_signed())
                .bind(event.at)
                .bind(&event.event)
                .bind(&event.call)
                .bind(&event.accounts);
        }
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    sqlx::query(
        "INSERT OR REPLACE INTO chain_cursor (one, signature, slot, transactions) VALUES (1, ?, ?, ?)",
    )
    .bind(to.signature.to_vec())
    .bind(int("chain slot", to.slot)?)
    .bind(int("transactions", to.transactions)?)
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}

pub(super) async fn clear(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for sql in ["DELETE FROM chain_events", "DELETE FROM chain_transactions", "DELETE FROM chain_cursor"] {
        sqlx::query(sql).execute(&mut *connection).await.map_err(fault)?;
    }
    Ok(())
}
