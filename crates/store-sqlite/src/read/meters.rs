//! Meters' enrolments, what happened to them, and spans.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_meter::Registers;
use jirani_readings::{Base, Offsets, Span};
use jirani_store::{MeterEventRow, MeterRecord, MeterRequest, MeterWish, StoreError};
use jirani_units::MeterId;
use rusqlite::Connection;

macro_rules! meters {
    ($tail:literal) => {
        query(concat!(
            "SELECT meter, meter_key, household, purpose, state, replaces, epoch, modulus_wh, opening_import_wh,
             opening_export_wh, opening_generation_wh, trust, draft, nonce, claimed_by, claimed_at_us,
             challenged_at_us, answered_at_us, approved_by, approved_at_us, reason, held, request_by, request_at_us,
             request_reason, request_epoch, request_import_wh, request_export_wh, request_generation_wh,
             request_approved_by, request_approved_at_us, version
             FROM meters ",
            $tail
        ))
    };
}

fn registers(columns: &mut Columns<'_>) -> Result<Registers, StoreError> {
    Ok(Registers { import_wh: columns.u64()?, export_wh: columns.u64()?, generation_wh: columns.u64()? })
}

fn request(columns: &mut Columns<'_>) -> Result<Option<MeterRequest>, StoreError> {
    let (asked_by, asked_at) = (columns.text_maybe()?, columns.time_maybe()?);
    let (reason, epoch) = (columns.text_maybe()?, columns.u32_maybe()?);
    let [import_wh, export_wh, generation_wh] =
        [columns.u64_maybe()?, columns.u64_maybe()?, columns.u64_maybe()?];
    let (approved_by, approved_at) = (columns.text_maybe()?, columns.time_maybe()?);
    let (Some(asked_by), Some(asked_at)) = (asked_by, asked_at) else { return Ok(None) };
    let opening = Registers {
        import_wh: import_wh.unwrap_or_default(),
        export_wh: export_wh.unwrap_or_default(),
        generation_wh: generation_wh.unwrap_or_default(),
    };
    let wish = epoch.map_or(MeterWish::Release, |epoch| MeterWish::Epoch { epoch, opening });
    let reason = reason.unwrap_or_default();
    Ok(Some(MeterRequest { wish, reason, asked_by, asked_at, approved: approved_by.zip(approved_at) }))
}

fn meter_of(columns: &mut Columns<'_>) -> Result<MeterRecord, StoreError> {
    Ok(MeterRecord {
        meter: columns.meter()?,
        key: columns.bytes()?,
        household: columns.household()?,
        purpose: columns.word()?,
        state: columns.word()?,
        replaces: columns.meter_maybe()?,
        epoch: columns.u32()?,
        modulus_wh: columns.u64_maybe()?,
        opening: registers(columns)?,
        trust: columns.text()?,
        draft: columns.text_maybe()?,
        nonce: columns.bytes_maybe()?,
        claimed_by: columns.text()?,
        claimed_at: columns.time()?,
        challenged_at: columns.time_maybe()?,
        answered_at: columns.time_maybe()?,
        approved_by: columns.text_maybe()?,
        approved_at: columns.time_maybe()?,
        reason: columns.text()?,
        held: columns.text_maybe()?,
        request: request(columns)?,
        version: columns.u64()?,
    })
}

fn event_of(columns: &mut Columns<'_>) -> Result<MeterEventRow, StoreError> {
    Ok(MeterEventRow {
        meter: columns.meter()?,
        household: columns.household_maybe()?,
        at: columns.time()?,
        by: columns.text()?,
        code: columns.text()?,
        detail: columns.text()?,
    })
}

fn span_of(columns: &mut Columns<'_>) -> Result<Span, StoreError> {
    Ok(Span {
        household: columns.household()?,
        number: columns.u32()?,
        meter: columns.meter()?,
        meter_key: columns.bytes()?,
        epoch: columns.u32()?,
        chain_epoch: columns.u32()?,
        from: columns.time()?,
        base: Base { time: columns.time()?, registers: registers(columns)? },
        offsets: Offsets {
            import_wh: columns.take()?,
            export_wh: columns.take()?,
            generation_wh: columns.take()?,
        },
        reason: columns.word()?,
        note: columns.text()?,
        by: columns.text()?,
        at: columns.time()?,
    })
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<MeterRecord>, StoreError> {
    meters!("ORDER BY meter").all(connection, meter_of)
}

pub(crate) fn held(connection: &Connection) -> Result<Vec<MeterId>, StoreError> {
    let query = query("SELECT meter FROM meters WHERE held IS NOT NULL ORDER BY meter");
    query.all(connection, |columns| columns.meter())
}

pub(crate) fn one(connection: &Connection, meter: MeterId) -> Result<Option<MeterRecord>, StoreError> {
    meters!("WHERE meter = ?").bind(meter.0).one(connection, meter_of)
}

pub(crate) fn events(
    connection: &Connection,
    meter: Option<MeterId>,
    limit: u32,
) -> Result<Vec<MeterEventRow>, StoreError> {
    let query = query(
        "SELECT meter, household, at_us, by_whom, code, detail FROM meter_events
         WHERE ?1 IS NULL OR meter = ?1 ORDER BY number DESC LIMIT ?2",
    );
    query.bind(meter.map(|meter| meter.0)).bind(page(limit)).all(connection, event_of)
}

pub(crate) fn spans(connection: &Connection) -> Result<Vec<Span>, StoreError> {
    let query = query(
        "SELECT household, number, meter, meter_key, epoch, chain_epoch, from_us, base_at_us, base_import_wh,
         base_export_wh, base_generation_wh, offset_import_wh, offset_export_wh, offset_generation_wh, reason,
         note, by_whom, at_us FROM spans ORDER BY household, number",
    );
    query.all(connection, span_of)
}

pub(crate) fn quarantine_counts(connection: &Connection) -> Result<Vec<(MeterId, String, u64)>, StoreError> {
    let query = query(
        "SELECT meter, code, count(*) FROM quarantine WHERE meter IS NOT NULL GROUP BY meter, code
         ORDER BY meter, code",
    );
    query.all(connection, |columns| Ok((columns.meter()?, columns.text()?, columns.u64()?)))
}
