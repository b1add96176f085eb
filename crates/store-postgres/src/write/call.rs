//! Households' rules, and the calls of slots.

use super::people::{versioned, write_record};
use crate::fault::int;
use jirani_store::words::Word as _;
use jirani_store::{CallRecord, RulesRecord, StoreError};
use sqlx::PgConnection;

pub(super) async fn rules(connection: &mut PgConnection, record: &RulesRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO rules (rules, household, version) VALUES ($1, $2, $3 + 1)",
        "UPDATE rules SET rules = $1, version = version + 1 WHERE household = $2 AND version = $3",
    )?;
    let rules = serde_json::to_string(&record.rules)
        .map_err(|error| StoreError::Damaged { what: format!("the rules of a household: {error}") })?;
    let query = sqlx::query(sql).bind(rules).bind(i64::from(record.household.0)).bind(version);
    write_record(connection, query, || format!("the rules of household {}", record.household)).await
}

pub(super) async fn call(connection: &mut PgConnection, record: &CallRecord) -> Result<(), StoreError> {
    let named = || format!("the call of {} on feeder {}", record.slot.start, record.feeder);
    if record.version > 0 {
        let query = sqlx::query(
            "UPDATE calls SET state = $1, carried_out = $2, done_at_us = $3, version = version + 1
             WHERE feeder = $4 AND slot_start_us = $5 AND version = $6",
        )
        .bind(record.state.word())
        .bind(record.carried_out.clone())
        .bind(record.done_at.map(|at| at.0))
        .bind(i64::from(record.feeder))
        .bind(record.slot.start.0)
        .bind(int("version", record.version)?);
        return write_record(connection, query, named).await;
    }
    let query = sqlx::query(
        "INSERT INTO calls (feeder, slot_start_us, slot_length_s, state, book, carried_out, made_at_us, done_at_us,
         version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
    )
    .bind(i64::from(record.feeder))
    .bind(record.slot.start.0)
    .bind(i64::from(record.slot.length_s))
    .bind(record.state.word())
    .bind(record.book.clone())
    .bind(record.carried_out.clone())
    .bind(record.made_at.0)
    .bind(record.done_at.map(|at| at.0));
    write_record(connection, query, named).await
}
