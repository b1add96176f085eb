//! Signed transactions.

use crate::fault::{fault, int};
use crate::sql::query;
use jirani_store::{OutboxRecord, OutboxState, StoreError};
use rusqlite::Connection;

/// Keeps a transaction, or what became of it. One that has landed never changes.
pub(super) fn put(connection: &Connection, record: &OutboxRecord) -> Result<(), StoreError> {
    let (state, slot, code) = match &record.state {
        OutboxState::Sent => ("sent", None, None),
        OutboxState::Landed { slot } => ("landed", Some(int("chain slot", *slot)?), None),
        OutboxState::Refused { code } => ("refused", None, Some(code)),
    };
    if record.state == OutboxState::Sent {
        let taken = query("SELECT 1 FROM outbox WHERE signature = ? AND key <> ? LIMIT 1")
            .bind(&record.signature)
            .bind(&record.key)
            .one(connection, |columns| columns.take::<i64>())?;
        if taken.is_some() {
            let what = format!("the signature of transaction {} belongs to other work and", record.key);
            return Err(StoreError::Conflict { what });
        }
    }
    let put = query(
        "INSERT INTO outbox (key, signature, bytes, last_valid_block_height, state, slot, refusal_code,
         compute_units, fee_lamports, created_at_us, work, signed, report, landed_at_us, retry_at_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET signature = excluded.signature, bytes = excluded.bytes,
         last_valid_block_height = excluded.last_valid_block_height, state = excluded.state, slot = excluded.slot,
         refusal_code = excluded.refusal_code, compute_units = excluded.compute_units,
         fee_lamports = excluded.fee_lamports, created_at_us = excluded.created_at_us,
         work = excluded.work, signed = excluded.signed, report = excluded.report,
         landed_at_us = excluded.landed_at_us, retry_at_us = excluded.retry_at_us
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
    .bind(&record.work)
    .bind(i64::from(record.signed))
    .bind(&record.report)
    .bind(record.landed_at.map(|at| at.0))
    .bind(record.retry_at.map(|at| at.0))
    .execute(connection)
    .map_err(fault)?;
    if put == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("transaction {} has landed and", record.key) })
}
