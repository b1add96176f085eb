//! Slots and attested rows.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::{AttestedRow, SlotRecord, StoreError};
use jirani_units::{HouseholdId, Timestamp, Wh};
use rusqlite::Connection;

macro_rules! slots {
    ($tail:literal) => {
        query(concat!(
            "SELECT feeder, end_us, evidence_root, signatures, attested_at_us,
             (SELECT json_group_array(json_array(household, export_wh, import_wh, estimated) ORDER BY household)
             FROM attested_rows WHERE feeder = slots.feeder AND end_us = slots.end_us) FROM slots ",
            $tail
        ))
    };
}

/// What an answer may hold at most.
const ROWS_MAX: i64 = 100_000;

fn slot_of(columns: &mut Columns<'_>) -> Result<SlotRecord, StoreError> {
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

pub(crate) fn one_slot(
    connection: &Connection,
    feeder: u16,
    end: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = ? AND end_us = ?").bind(i64::from(feeder)).bind(end.0);
    query.one(connection, slot_of)
}

pub(crate) fn unattested(
    connection: &Connection,
    feeder: u16,
    after: Timestamp,
    limit: u32,
) -> Result<Vec<SlotRecord>, StoreError> {
    let query = slots!(
        "INDEXED BY slots_waiting WHERE feeder = ? AND attested_at_us IS NULL AND end_us > ? ORDER BY end_us LIMIT ?"
    );
    query.bind(i64::from(feeder)).bind(after.0).bind(page(limit)).all(connection, slot_of)
}

pub(crate) fn last(
    connection: &Connection,
    feeder: u16,
    until: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = ? AND end_us <= ? ORDER BY end_us DESC LIMIT 1");
    query.bind(i64::from(feeder)).bind(until.0).one(connection, slot_of)
}

pub(crate) fn last_attested(connection: &Connection, feeder: u16) -> Result<Option<SlotRecord>, StoreError> {
    let query = slots!("WHERE feeder = ? AND attested_at_us IS NOT NULL ORDER BY end_us DESC LIMIT 1");
    query.bind(i64::from(feeder)).one(connection, slot_of)
}

pub(crate) fn attested_before(
    connection: &Connection,
    feeder: u16,
    end: Timestamp,
) -> Result<Option<SlotRecord>, StoreError> {
    let query =
        slots!("WHERE feeder = ? AND attested_at_us IS NOT NULL AND end_us < ? ORDER BY end_us DESC LIMIT 1");
    query.bind(i64::from(feeder)).bind(end.0).one(connection, slot_of)
}

pub(crate) fn attested_after(
    connection: &Connection,
    feeder: u16,
    after: Timestamp,
    limit: u32,
) -> Result<Vec<SlotRecord>, StoreError> {
    let query =
        slots!("WHERE feeder = ? AND attested_at_us IS NOT NULL AND end_us > ? ORDER BY end_us LIMIT ?");
    query.bind(i64::from(feeder)).bind(after.0).bind(page(limit)).all(connection, slot_of)
}

pub(crate) fn rows_of(
    connection: &Connection,
    household: HouseholdId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, AttestedRow, Option<String>)>, StoreError> {
    // Rows lie in the order of slots, so that a slot is written in one place; a
    // household's are found by walking the slots.
    let query = query(
        "SELECT slots.end_us, slots.signatures ->> '$[0]', household, export_wh, import_wh, estimated
         FROM slots CROSS JOIN attested_rows USING (feeder, end_us)
         WHERE slots.end_us > ? AND slots.end_us <= ? AND slots.attested_at_us IS NOT NULL AND household = ?
         ORDER BY slots.end_us LIMIT ?",
    )
    .bind(from.0)
    .bind(to.0)
    .bind(i64::from(household.0))
    .bind(ROWS_MAX);
    query.all(connection, |columns| {
        let (end, signature) = (columns.time()?, columns.text_maybe()?);
        let row = AttestedRow {
            household: columns.household()?,
            export_wh: columns.wh()?,
            import_wh: columns.wh()?,
            estimated: columns.flag()?,
        };
        Ok((end, row, signature))
    })
}
