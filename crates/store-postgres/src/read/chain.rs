//! Signed transactions.

use super::{all, one};
use crate::columns::Columns;
use jirani_store::{OutboxRecord, OutboxState, StoreError};
use jirani_units::Timestamp;
use sqlx::postgres::{PgPool, PgRow};

macro_rules! outbox {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT key, signature, bytes, last_valid_block_height, state, slot, refusal_code, compute_units,
             fee_lamports, created_at_us, work, signed, report, landed_at_us, retry_at_us FROM outbox ",
            $tail
        ))
    };
}

fn record_of(row: &PgRow) -> Result<OutboxRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn outbox(pool: &PgPool, key: &str) -> Result<Option<OutboxRecord>, StoreError> {
    one(pool, outbox!("WHERE key = $1").bind(key.to_owned()), record_of).await
}

pub(crate) async fn unfinished(
    pool: &PgPool,
    after: &str,
    limit: u32,
) -> Result<Vec<OutboxRecord>, StoreError> {
    let limit = limit.min(jirani_store::verbs::PAGE_MAX);
    let query = outbox!("WHERE state = 'sent' AND key > $1 ORDER BY key LIMIT $2");
    all(pool, query.bind(after.to_owned()).bind(i64::from(limit)), record_of).await
}

/// Keys of a slot's attestations are `attest/FEEDER/END/CHUNK`, END in Unix seconds.
pub(crate) async fn reports(pool: &PgPool, feeder: u16, end: Timestamp) -> Result<Vec<Vec<u8>>, StoreError> {
    let first = format!("attest/{feeder}/{}/", end.seconds());
    // '0' comes after '/'.
    let last = format!("attest/{feeder}/{}0", end.seconds());
    let query = sqlx::query(
        "SELECT report FROM outbox WHERE key >= $1 AND key < $2 AND state = 'landed' AND report <> '' ORDER BY key",
    );
    all(pool, query.bind(first).bind(last), |row| Columns::of(row).take()).await
}

pub(crate) async fn totals(pool: &PgPool) -> Result<(u64, u64, u64), StoreError> {
    let query = sqlx::query(
        "SELECT count(*), coalesce(sum(compute_units), 0)::bigint, coalesce(sum(fee_lamports), 0)::bigint FROM outbox
         WHERE state = 'landed'",
    );
    let totals = one(pool, query, |row| {
        let mut columns = Columns::of(row);
        Ok((columns.u64()?, columns.u64()?, columns.u64()?))
    });
    Ok(totals.await?.unwrap_or_default())
}
