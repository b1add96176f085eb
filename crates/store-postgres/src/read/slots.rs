//! Slots and attested rows.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::{AttestedRow, SlotRecord, StoreError};
use jirani_units::{HouseholdId, Timestamp, Wh};
use sqlx::postgres::{PgExecutor, PgPool, PgRow};

macro_rules! slots {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT feeder, end_us, evidence_root, signatures, attested_at_us,
             (SELECT coalesce(json_agg(json_build_array(household, export_wh, import_wh, estimated) ORDER BY household),
             '[]')::text FROM attested_rows WHERE feeder = slots.feeder AND end_us = slots.end_us) FROM slots ",
            $tail
        ))
    };
}

/// What an answer may hold at most.
const ROWS_MAX: i64 = 100_000;

fn slot_of(row: &PgRow) -> Result<SlotRecord, StoreError> {
    let mut columns = Columns::of(row);
    let (feeder, end, evidence_root) = (columns.u16()?, columns.time()?, columns.bytes()?);
    let (signatures, attested_at) = (columns.json()?, columns.time_maybe()?);
    let rows: Vec<(u32, u64, u64, u8)> = columns.json()?;
    let rows = rows.into_iter().map(|(household, export, import, estimated)| AttestedRow {
        household: HouseholdId(household),
        export_wh: Wh(export),
        import_wh: Wh(import),
        estimated: estimated != 0,
    });
    Ok(SlotRecord { feeder, end, evidence_root, rows: rows.collect(), signatures, attested_at })
}

pub(crate) async fn one_slot(
    from: impl PgExecutor<'_>,
    feeder: u16,
    end: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = $1 AND end_us = $2").bind(i64::from(feeder)).bind(end.0);
    one(from, query, slot_of).await
}

pub(crate) async fn unattested(
    pool: &PgPool,
    feeder: u16,
    after: Timestamp,
    limit: u32,
) -> Result<Vec<SlotRecord>, StoreError> {
    let query =
        slots!("WHERE feeder = $1 AND attested_at_us IS NULL AND end_us > $2 ORDER BY end_us LIMIT $3");
    all(pool, query.bind(i64::from(feeder)).bind(after.0).bind(page(limit)), slot_of).await
}

pub(crate) async fn last(
    pool: &PgPool,
    feeder: u16,
    until: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = $1 AND end_us <= $2 ORDER BY end_us DESC LIMIT 1");
    one(pool, query.bind(i64::from(feeder)).bind(until.0), slot_of).await
}

pub(crate) async fn last_attested(pool: &PgPool, feeder: u16) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = $1 AND attested_at_us IS NOT NULL ORDER BY end_us DESC LIMIT 1");
    one(pool, query.bind(i64::from(feeder)), slot_of).await
}

pub(crate) async fn attested_before(
    pool: &PgPool,
    feeder: u16,
    end: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!(
        "WHERE feeder = $1 AND attested_at_us IS NOT NULL AND end_us < $2 ORDER BY end_us DESC LIMIT 1"
    );
    one(pool, query.bind(i64::from(feeder)).bind(end.0), slot_of).await
}

pub(crate) async fn attested_after(
    pool: &PgPool,
    feeder: u16,
    after: Timestamp,
    limit: u32,
) -> Result<Vec<SlotRecord>, StoreError> {
    let query =
        slots!("WHERE feeder = $1 AND attested_at_us IS NOT NULL AND end_us > $2 ORDER BY end_us LIMIT $3");
    all(pool, query.bind(i64::from(feeder)).bind(after.0).bind(page(limit)), slot_of).await
}

pub(crate) async fn rows_of(
    pool: &PgPool,
    household: HouseholdId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, AttestedRow, Option<String>)>, StoreError> {
    // Rows lie in the order of slots, so that a slot is written in one place; a
    // household's are found by walking the slots.
    let query = sqlx::query(
        "SELECT slots.end_us, slots.signatures::json ->> 0, household, export_wh, import_wh, estimated
         FROM slots JOIN attested_rows USING (feeder, end_us)
         WHERE slots.end_us > $1 AND slots.end_us <= $2 AND slots.attested_at_us IS NOT NULL AND household = $3
         ORDER BY slots.end_us LIMIT $4",
    )
    .bind(from.0)
    .bind(to.0)
    .bind(i64::from(household.0))
    .bind(ROWS_MAX);
    all(pool, query, |row| {
        let mut columns = Columns::of(row);
        let (end, signature) = (columns.time()?, columns.text_maybe()?);
        let row = AttestedRow {
            household: columns.household()?,
            export_wh: columns.wh()?,
            import_wh: columns.wh()?,
            estimated: columns.flag()?,
        };
        Ok((end, row, signature))
    })
    .await
}
