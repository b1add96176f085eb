//! Signed transactions.

use crate::fault::{fault, int};
use jirani_store::{OutboxRecord, OutboxState, StoreError};
use sqlx::SqliteConnection;

/// Keeps a transaction, or what became of it. One that has landed never changes.
pub(super) async fn put(connection: &mut SqliteConnection, record: &OutboxRecord) -> Result<(), StoreError> {
    let (state, slot, code) = match &record.state {
        OutboxState::Sent => ("sent", None, None),
        OutboxState::Landed { slot } => ("landed", Some(int("chain slot", *slot)?), None),
        OutboxState::Refused { code } => ("refused", None, Some(code)),
    };
    let put = sqlx::query(
        "INSERT INTO outbox (key, signature, bytes, last_valid_block_height, state, slot, refusal_code,
         compute_units, fee_lamports, created_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET signature = excluded.signature, bytes = excluded.bytes,
         last_valid_block_height = excluded.last_valid_block_height, state = excluded.state, slot = excluded.slot,
         refusal_code = excluded.refusal_code, compute_units = excluded.compute_units,
         fee_lamports = excluded.fee_lamports, created_at_us = excluded.created_at_us
         WHERE state <> 'landed' OR (signature = excluded.signature AND excluded.state = 'landed')",
    )
    .bind(&record.key)
    .bind(&record.signature)
    .bind(&record.bytes)
    .bind(int("block height", record.last_valid_block_height)?)
    .bind(state)
    .bind(slot)
    .bind(code)
    .bind(int("compute units", record.compute_units)?)
    .bind(int("fee", record.fee_lamports)?)
    .bind(record.created_at.0)
    .execute(connection)
    .await
    .map_err(fault)?;
    if put.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("transaction {} has landed and", record.key) })
}
