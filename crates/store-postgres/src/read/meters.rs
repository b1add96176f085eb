//! Meters' enrolments, what happened to them, and spans.

use super::{all as rows, one as row_of};
use crate::columns::Columns;
use crate::fault::page;
use jirani_meter::Registers;
use jirani_readings::{Base, Offsets, Span};
use jirani_store::{MeterEventRow, MeterRecord, MeterRequest, MeterWish, StoreError};
use jirani_units::MeterId;
use sqlx::postgres::{PgPool, PgRow};

macro_rules! meters {
    ($tail:literal) => {
        sqlx::query(concat!(
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

fn meter_of(row: &PgRow) -> Result<MeterRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(MeterRecord {
        meter: columns.meter()?,
        key: columns.bytes()?,
        household: columns.household()?,
        purpose: columns.word()?,
        state: columns.word()?,
        replaces: columns.meter_maybe()?,
        epoch: columns.u32()?,
        modulus_wh: columns.u64_maybe()?,
        opening: registers(&mut columns)?,
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
        request: request(&mut columns)?,
        version: columns.u64()?,
    })
}

fn event_of(row: &PgRow) -> Result<MeterEventRow, StoreError> {
    let mut columns = Columns::of(row);
    Ok(MeterEventRow {
        meter: columns.meter()?,
        household: columns.household_maybe()?,
        at: columns.time()?,
        by: columns.text()?,
        code: columns.text()?,
        detail: columns.text()?,
    })
}

fn span_of(row: &PgRow) -> Result<Span, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Span {
        household: columns.household()?,
        number: columns.u32()?,
        meter: columns.meter()?,
        meter_key: columns.bytes()?,
        epoch: columns.u32()?,
        chain_epoch: columns.u32()?,
        from: columns.time()?,
        base: Base { time: columns.time()?, registers: registers(&mut columns)? },
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

pub(crate) async fn all(pool: &PgPool) -> Result<Vec<MeterRecord>, StoreError> {
    rows(pool, meters!("ORDER BY meter"), meter_of).await
}

pub(crate) async fn held(pool: &PgPool) -> Result<Vec<MeterId>, StoreError> {
    let query = sqlx::query("SELECT meter FROM meters WHERE held IS NOT NULL ORDER BY meter");
    rows(pool, query, |row| Columns::of(row).meter()).await
}

pub(crate) async fn one(pool: &PgPool, meter: MeterId) -> Result<Option<MeterRecord>, StoreError> {
    row_of(pool, meters!("WHERE meter = $1").bind(meter.0.to_vec()), meter_of).await
}

pub(crate) async fn events(
    pool: &PgPool,
    meter: Option<MeterId>,
    limit: u32,
) -> Result<Vec<MeterEventRow>, StoreError> {
    let query = sqlx::query(
        "SELECT meter, household, at_us, by_whom, code, detail FROM meter_events
         WHERE $1::BYTEA IS NULL OR meter = $1 ORDER BY number DESC LIMIT $2",
    );
    rows(pool, query.bind(meter.map(|meter| meter.0.to_vec())).bind(page(limit)), event_of).await
}

pub(crate) async fn spans(pool: &PgPool) -> Result<Vec<Span>, StoreError> {
    let query = sqlx::query(
        "SELECT household, number, meter, meter_key, epoch, chain_epoch, from_us, base_at_us, base_import_wh,
         base_export_wh, base_generation_wh, offset_import_wh, offset_export_wh, offset_generation_wh, reason,
         note, by_whom, at_us FROM spans ORDER BY household, number",
    );
    rows(pool, query, span_of).await
}

pub(crate) async fn quarantine_counts(pool: &PgPool) -> Result<Vec<(MeterId, String, u64)>, StoreError> {
    let query = sqlx::query(
        "SELECT meter, code, count(*) FROM quarantine WHERE meter IS NOT NULL GROUP BY meter, code
         ORDER BY meter, code",
    );
    rows(pool, query, |row| {
        let mut columns = Columns::of(row);
        Ok((columns.meter()?, columns.text()?, columns.u64()?))
    })
    .await
}
