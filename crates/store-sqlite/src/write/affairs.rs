//! Reversals, reviews, commands to relays and notices.

use super::people::{versioned, write_record};
use crate::fault::{fault, int};
use crate::sql::query;
use jirani_store::words::Word as _;
use jirani_store::{NoticeRecord, RelayRecord, ReversalRecord, ReviewRecord, StoreError};
use rusqlite::Connection;

pub(super) fn reversal(connection: &Connection, record: &ReversalRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO reversals (reversal, amount_cents, payer, state, heard_at_us, receipt, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + 1)",
        "UPDATE reversals SET reversal = ?1, amount_cents = ?2, payer = ?3, state = ?4, heard_at_us = ?5,
         version = version + 1 WHERE receipt = ?6 AND version = ?7",
    )?;
    let query = query(sql)
        .bind(record.reversal.as_ref().map(|receipt| receipt.as_str().to_owned()))
        .bind(record.amount.0)
        .bind(record.payer.map(|payer| i64::from(payer.0)))
        .bind(record.state.word())
        .bind(record.heard_at.0)
        .bind(record.receipt.as_str().to_owned())
        .bind(version);
    write_record(connection, query, || format!("the reversal of receipt {}", record.receipt))
}

pub(super) fn review(connection: &Connection, record: &ReviewRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO reviews (code, detail, opened_at_us, closed_at_us, outcome, key, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + 1)",
        "UPDATE reviews SET code = ?1, detail = ?2, opened_at_us = ?3, closed_at_us = ?4, outcome = ?5,
         version = version + 1 WHERE key = ?6 AND version = ?7",
    )?;
    let query = query(sql)
        .bind(record.code.clone())
        .bind(record.detail.clone())
        .bind(record.opened_at.0)
        .bind(record.closed_at.map(|at| at.0))
        .bind(record.outcome.clone())
        .bind(record.key.clone())
        .bind(version);
    write_record(connection, query, || format!("review {}", record.key))
}

pub(super) fn relay(connection: &Connection, record: &RelayRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO relays (number, position, not_after_us, ordered_at_us, obeyed_at_us, household, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + 1)",
        "UPDATE relays SET number = ?1, position = ?2, not_after_us = ?3, ordered_at_us = ?4, obeyed_at_us = ?5,
         version = version + 1 WHERE household = ?6 AND version = ?7",
    )?;
    let query = query(sql)
        .bind(int("a command's number", record.number)?)
        .bind(record.position.word())
        .bind(record.not_after.map(|at| at.0))
        .bind(record.ordered_at.0)
        .bind(record.obeyed_at.map(|at| at.0))
        .bind(i64::from(record.household.0))
        .bind(version);
    write_record(connection, query, || format!("the command to the relay of household {}", record.household))
}

pub(super) fn notice(connection: &Connection, record: &NoticeRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO notices (key, household, code, en, sw, at_us) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO NOTHING",
    )
    .bind(&record.key)
    .bind(record.household.map(|household| i64::from(household.0)))
    .bind(&record.code)
    .bind(&record.en)
    .bind(&record.sw)
    .bind(record.at.0)
    .execute(connection)
    .map_err(fault)?;
    Ok(())
}
