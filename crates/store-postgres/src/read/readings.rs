//! Readings and quarantine.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::{QuarantineRow, ReadingRow, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! readings {
    ($from:literal, $tail:literal) => {
        sqlx::query(concat!(
            "SELECT meter, streams.epoch, readings.seq, household, time_us, import_wh, export_wh, generation_wh,
             power_w, bytes, received_at_us ",
            $from,
            " JOIN streams ON streams.id = readings.stream ",
            $tail
        ))
    };
}

fn reading_of(row: &PgRow) -> Result<ReadingRow, StoreError> {
    let mut columns = Columns::of(row);
    Ok(ReadingRow {
        meter: columns.meter()?,
        epoch: columns.u32()?,
        seq: columns.u64()?,
        household: columns.household()?,
        time: columns.time()?,
        import_wh: columns.wh()?,
        export_wh: columns.wh()?,
        generation_wh: columns.wh()?,
        power_w: columns.i32()?,
        bytes: columns.take()?,
        received_at: columns.time()?,
    })
}

pub(crate) async fn latest(pool: &PgPool) -> Result<Vec<ReadingRow>, StoreError> {
    let query = sqlx::query(
        "SELECT latest.meter, latest.epoch, latest.seq, household, time_us, import_wh, export_wh, generation_wh,
         power_w, bytes, received_at_us FROM latest_readings AS latest
         JOIN readings ON readings.stream = latest.stream AND readings.seq = latest.seq ORDER BY latest.meter",
    );
    all(pool, query, reading_of).await
}

pub(crate) async fn latest_of(pool: &PgPool, meters: &[MeterId]) -> Result<Vec<ReadingRow>, StoreError> {
    let query = sqlx::query(
        "SELECT latest.meter, latest.epoch, latest.seq, household, time_us, import_wh, export_wh, generation_wh,
         power_w, bytes, received_at_us FROM latest_readings AS latest
         JOIN readings ON readings.stream = latest.stream AND readings.seq = latest.seq
         WHERE latest.meter = ANY($1)",
    );
    all(pool, query.bind(meters.iter().map(|meter| meter.0.to_vec()).collect::<Vec<_>>()), reading_of).await
}

pub(crate) async fn stored_after(
    pool: &PgPool,
    position: u64,
    limit: u32,
) -> Result<Vec<(u64, ReadingRow)>, StoreError> {
    // Positions beyond the column's range were never given.
    let Ok(position) = i64::try_from(position) else { return Ok(Vec::new()) };
    let query = sqlx::query(
        "SELECT meter, streams.epoch, log.seq, household, time_us, import_wh, export_wh, generation_wh, power_w,
         bytes, received_at_us, log.position FROM evidence_log AS log
         JOIN readings ON readings.stream = log.stream AND readings.seq = log.seq
         JOIN streams ON streams.id = log.stream WHERE log.position > $1 ORDER BY log.position LIMIT $2",
    );
    let query = query.bind(position).bind(page(limit));
    all(pool, query, |row| {
        let position: i64 = sqlx::Row::try_get(row, "position").map_err(crate::fault::fault)?;
        Ok((position.cast_unsigned(), reading_of(row)?))
    })
    .await
}

/// A household has few streams (one per meter and epoch): each is walked along its
/// index of times, and the walks are merged.
pub(crate) async fn between(
    pool: &PgPool,
    household: HouseholdId,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<ReadingRow>, StoreError> {
    let limit = page(limit);
    let query = sqlx::query("SELECT stream FROM household_streams WHERE household = $1 ORDER BY stream");
    let streams: Vec<i64> =
        all(pool, query.bind(i64::from(household.0)), |row| Columns::of(row).take()).await?;
    let mut rows = Vec::new();
    for stream in &streams {
        let query = readings!(
            "FROM readings",
            "WHERE stream = $1 AND time_us >= $2 AND time_us < $3 AND household = $4 ORDER BY time_us, seq LIMIT $5"
        );
        let query = query.bind(*stream).bind(from.0).bind(to.0).bind(i64::from(household.0)).bind(limit);
        rows.extend(all(pool, query, reading_of).await?);
    }
    if streams.len() > 1 {
        rows.sort_by_key(|row| (row.time, row.epoch, row.seq));
        rows.truncate(usize::try_from(limit).unwrap_or(0));
    }
    Ok(rows)
}

pub(crate) async fn by_identity(
    pool: &PgPool,
    meter: MeterId,
    epoch: u32,
    seq: u64,
) -> Result<Option<ReadingRow>, StoreError> {
    // Numbers beyond the column's range were never stored.
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let query = readings!(
        "FROM readings",
        "WHERE stream = (SELECT id FROM streams WHERE meter = $1 AND epoch = $2) AND readings.seq = $3"
    );
    one(pool, query.bind(meter.0.to_vec()).bind(i64::from(epoch)).bind(seq), reading_of).await
}

pub(crate) async fn around(
    pool: &PgPool,
    meter: MeterId,
    epoch: u32,
    at: Timestamp,
) -> Result<(Option<ReadingRow>, Option<ReadingRow>), StoreError> {
    let before = readings!(
        "FROM readings",
        "WHERE stream = (SELECT id FROM streams WHERE meter = $1 AND epoch = $2) AND time_us <= $3
         ORDER BY time_us DESC, seq DESC LIMIT 1"
    );
    let after = readings!(
        "FROM readings",
        "WHERE stream = (SELECT id FROM streams WHERE meter = $1 AND epoch = $2) AND time_us > $3
         ORDER BY time_us, seq LIMIT 1"
    );
    let (meter, epoch) = (meter.0.to_vec(), i64::from(epoch));
    let before = one(pool, before.bind(meter.clone()).bind(epoch).bind(at.0), reading_of).await?;
    let after = one(pool, after.bind(meter).bind(epoch).bind(at.0), reading_of).await?;
    Ok((before, after))
}

pub(crate) async fn count(pool: &PgPool) -> Result<(u64, u64), StoreError> {
    let query = sqlx::query("SELECT (SELECT count(*) FROM readings), (SELECT count(*) FROM quarantine)");
    let counts = one(pool, query, |row| {
        let mut columns = Columns::of(row);
        Ok((columns.u64()?, columns.u64()?))
    });
    Ok(counts.await?.unwrap_or_default())
}

pub(crate) async fn quarantine(pool: &PgPool, limit: u32) -> Result<Vec<(u64, QuarantineRow)>, StoreError> {
    let query = sqlx::query(
        "SELECT id, meter, code, detail, bytes, received_at_us FROM quarantine ORDER BY id DESC LIMIT $1",
    );
    all(pool, query.bind(page(limit)), |row| {
        let mut columns = Columns::of(row);
        let id = columns.u64()?;
        let row = QuarantineRow {
            meter: columns.meter_maybe()?,
            code: columns.text()?,
            detail: columns.text()?,
            bytes: columns.take()?,
            received_at: columns.time()?,
        };
        Ok((id, row))
    })
    .await
}
