//! Households, sessions, named values and numbers.

use crate::fault::{fault, fault_on, int};
use jirani_store::words::Word;
use jirani_store::{HouseholdRecord, SessionRecord, SessionRole, StoreError};
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::{PgConnection, Row};
use std::ops::Range;

type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Runs the INSERT or UPDATE of a record; a row that was not changed had another
/// version.
pub(super) async fn write_record(
    connection: &mut PgConnection,
    query: Query,
    what: impl Fn() -> String,
) -> Result<(), StoreError> {
    let written = query.execute(connection).await.map_err(|error| fault_on(error, &what))?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict { what: what() }) }
}

/// The statement for a record of this version, and the version as it is stored.
pub(super) fn versioned(
    version: u64,
    insert: &'static str,
    update: &'static str,
) -> Result<(&'static str, i64), StoreError> {
    Ok((if version == 0 { insert } else { update }, int("version", version)?))
}

pub(super) async fn household(
    connection: &mut PgConnection,
    record: &HouseholdRecord,
) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO households (kind, alias, name, msisdn, language, meter, meter_key, meter_epoch, export_rating_w,
         import_rating_w, pv_rated_w, feeder, chain_address, enrolled_at_us, id, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 + 1)",
        "UPDATE households SET kind = $1, alias = $2, name = $3, msisdn = $4, language = $5, meter = $6,
         meter_key = $7, meter_epoch = $8, export_rating_w = $9, import_rating_w = $10, pv_rated_w = $11,
         feeder = $12, chain_address = $13, enrolled_at_us = $14, version = version + 1
         WHERE id = $15 AND version = $16",
    )?;
    let query = sqlx::query(sql)
        .bind(record.kind.word())
        .bind(record.alias.clone())
        .bind(record.name.clone())
        .bind(record.msisdn.map(|msisdn| int("phone number", msisdn.number())).transpose()?)
        .bind(record.language.word())
        .bind(record.meter.map(|meter| meter.0.to_vec()))
        .bind(record.meter_key.to_vec())
        .bind(i64::from(record.meter_epoch))
        .bind(i64::from(record.export_rating_w))
        .bind(i64::from(record.import_rating_w))
        .bind(i64::from(record.pv_rated_w))
        .bind(i64::from(record.feeder))
        .bind(record.chain_address.map(|address| address.to_vec()))
        .bind(record.enrolled_at.0)
        .bind(i64::from(record.id.0))
        .bind(version);
    write_record(connection, query, || format!("household {}", record.id)).await
}

pub(super) async fn session(connection: &mut PgConnection, record: &SessionRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO sessions (household, created_at_us, expires_at_us, token_hash, version, operator, desk_role, device,
         device_name, pin_at_us) VALUES ($1, $2, $3, $4, $5 + 1, $6, $7, $8, $9, $10)",
        "UPDATE sessions SET household = $1, created_at_us = $2, expires_at_us = $3, version = version + 1,
         operator = $6, desk_role = $7, device = $8, device_name = $9, pin_at_us = $10
         WHERE token_hash = $4 AND version = $5",
    )?;
    let (household, desk_role) = match record.role {
        SessionRole::Household(household) => (Some(i64::from(household.0)), None),
        SessionRole::Desk(role) => (None, Some(role.word())),
    };
    let query = sqlx::query(sql)
        .bind(household)
        .bind(record.created_at.0)
        .bind(record.expires_at.0)
        .bind(record.token_hash.to_vec())
        .bind(version)
        .bind(record.operator.clone())
        .bind(desk_role)
        .bind(record.device.to_vec())
        .bind(record.device_name.clone())
        .bind(record.pin_at.map(|at| at.0));
    write_record(connection, query, || "the session".to_owned()).await
}

pub(super) async fn setting(connection: &mut PgConnection, key: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .bind(key)
        .bind(value)
        .execute(connection)
        .await
        .map_err(fault)?;
    Ok(())
}

/// Sets aside the next `count` numbers of a sequence; the first ever is 1.
pub(super) async fn numbers(
    connection: &mut PgConnection,
    sequence: &str,
    count: u64,
) -> Result<Range<u64>, StoreError> {
    let row = sqlx::query(
        "INSERT INTO numbers (sequence, next) VALUES ($1, 1 + $2)
         ON CONFLICT (sequence) DO UPDATE SET next = numbers.next + $2 RETURNING next",
    )
    .bind(sequence)
    .bind(int("numbers", count)?)
    .fetch_one(connection)
    .await
    .map_err(fault)?;
    let next: i64 = row.try_get(0).map_err(fault)?;
    let next = u64::try_from(next)
        .map_err(|_| StoreError::Damaged { what: format!("the sequence {sequence} is negative") })?;
    Ok(next - count..next)
}
