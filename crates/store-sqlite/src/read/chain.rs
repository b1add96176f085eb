//! Signed transactions.

use crate::columns::Columns;
use crate::sql::query;
use jirani_store::{OutboxRecord, OutboxState, StoreError};
use jirani_units::Timestamp;
use rusqlite::Connection;

macro_rules! outbox {
    ($tail:literal) => {
        query(concat!(
            "SELECT key, signature, bytes, last_valid_block_height, state, slot, refusal_code, compute_units,
             fee_lamports, created_at_us, work, signed, report, landed_at_us, retry_at_us FROM outbox ",
            $tail
        ))
    };
}

fn record_of(columns: &mut Columns<'_>) -> Result<OutboxRecord, StoreError> {
    let (key, signature, bytes) = (columns.text()?, columns.text()?, columns.take()?);
    let last_valid_block_height = columns.u64()?;
    let (state, slot, code) = (columns.text()?, columns.u64_maybe()?, columns.text_maybe()?);
    let state = match (state.as_str(), slot, code) {
        ("sent", None, None) => OutboxState::Sent,
        ("landed", Some(slot), None) => OutboxState::Landed { slot },
        ("refused", None, Some(code)) => OutboxState::Refused { code },
        _ => return Err(StoreError::Damaged { what: format!("the state of transaction {key}") }),
    };
    Ok(OutboxRecord {
        key,
        signature,
        bytes,
        last_valid_block_height,
        state,
        compute_units: columns.u64()?,
        fee_lamports: columns.u64()?,
        created_at: columns.time()?,
        work: columns.take()?,
        signed: columns.u32()?,
        report: columns.take()?,
        landed_at: columns.time_maybe()?,
        retry_at: columns.time_maybe()?,
    })
}

pub(crate) fn outbox(connection: &Connection, key: &str) -> Result<Option<OutboxRecord>, StoreError> {
    outbox!("WHERE key = ?").bind(key.to_owned()).one(connection, record_of)
}

pub(crate) fn unfinished(
    connection: &Connection,
    after: &str,
    limit: u32,
) -> Result<Vec<OutboxRecord>, StoreError> {
    let limit = limit.min(jirani_store::verbs::PAGE_MAX);
    let query = outbox!("INDEXED BY outbox_unfinished WHERE state = 'sent' AND key > ? ORDER BY key LIMIT ?");
    query.bind(after.to_owned()).bind(i64::from(limit)).all(connection, record_of)
}

/// Keys of a slot's attestations are `attest/FEEDER/END/CHUNK`, END in Unix seconds.
pub(crate) fn reports(
    connection: &Connection,
    feeder: u16,
    end: Timestamp,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let first = format!("attest/{feeder}/{}/", end.seconds());
    // '0' comes after '/'.
    let last = format!("attest/{feeder}/{}0", end.seconds());
    let query = query(
        "SELECT report FROM outbox WHERE key >= ? AND key < ? AND state = 'landed' AND report <> x'' ORDER BY key",
    );
    query.bind(first).bind(last).all(connection, |columns| columns.take())
}

pub(crate) fn totals(connection: &Connection) -> Result<(u64, u64, u64), StoreError> {
    let query = query(
        "SELECT count(*), coalesce(sum(compute_units), 0), coalesce(sum(fee_lamports), 0) FROM outbox
         WHERE state = 'landed'",
    );
    let totals = query.one(connection, |columns| Ok((columns.u64()?, columns.u64()?, columns.u64()?)));
    Ok(totals?.unwrap_or_default())
}
