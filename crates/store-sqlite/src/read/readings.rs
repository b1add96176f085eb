//! Readings and quarantine.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::{QuarantineRow, ReadingRow, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use rusqlite::Connection;

macro_rules! readings {
    ($from:literal, $tail:literal) => {
        query(concat!(
            "SELECT meter, streams.epoch, readings.seq, household, time_us, import_wh, export_wh, generation_wh,
             power_w, bytes, received_at_us ",
            $from,
            " JOIN streams ON streams.id = readings.stream ",
            $tail
        ))
    };
}

fn reading_of(columns: &mut Columns<'_>) -> Result<ReadingRow, StoreError> {
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

pub(crate) fn latest(connection: &Connection) -> Result<Vec<ReadingRow>, StoreError> {
    let query = query(
        "SELECT latest.meter, latest.epoch, latest.seq, household, time_us, import_wh, export_wh, generation_wh,
         power_w, bytes, received_at_us FROM latest_readings AS latest
         CROSS JOIN readings ON readings.stream = latest.stream AND readings.seq = latest.seq ORDER BY latest.meter",
    );
    query.all(connection, reading_of)
}

pub(crate) fn latest_of(connection: &Connection, meters: &[MeterId]) -> Result<Vec<ReadingRow>, StoreError> {
    let mut rows = Vec::with_capacity(meters.len());
    for meter in meters {
        let query = query(
            "SELECT latest.meter, latest.epoch, latest.seq, household, time_us, import_wh, export_wh,
             generation_wh, power_w, bytes, received_at_us FROM latest_readings AS latest
             CROSS JOIN readings ON readings.stream = latest.stream AND readings.seq = latest.seq
             WHERE latest.meter = ?",
        );
        rows.extend(query.bind(meter.0).one(connection, reading_of)?);
    }
    Ok(rows)
}

pub(crate) fn stored_after(
    connection: &Connection,
    position: u64,
    limit: u32,
) -> Result<Vec<(u64, ReadingRow)>, StoreError> {
    // Positions beyond the column's range were never given.
    let Ok(position) = i64::try_from(position) else { return Ok(Vec::new()) };
    let query = query(
        "SELECT log.position, meter, streams.epoch, log.seq, household, time_us, import_wh, export_wh,
         generation_wh, power_w, bytes, received_at_us FROM evidence_log AS log
         CROSS JOIN readings ON readings.stream = log.stream AND readings.seq = log.seq
         CROSS JOIN streams ON streams.id = log.stream WHERE log.position > ? ORDER BY log.position LIMIT ?",
    );
    query
        .bind(position)
        .bind(page(limit))
        .all(connection, |columns| Ok((columns.u64()?, reading_of(columns)?)))
}

/// A household has few streams (one per meter and epoch): each is walked along its
/// index of times, and the walks are merged.
pub(crate) fn between(
    connection: &Connection,
    household: HouseholdId,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<ReadingRow>, StoreError> {
    let limit = page(limit);
    let query = query("SELECT stream FROM household_streams WHERE household = ? ORDER BY stream");
    let streams: Vec<i64> = query.bind(i64::from(household.0)).all(connection, |columns| columns.take())?;
    let mut rows = Vec::new();
    for stream in &streams {
        let query = readings!(
            "FROM readings INDEXED BY readings_by_time",
            "WHERE stream = ? AND time_us >= ? AND time_us < ? AND household = ? ORDER BY time_us, seq LIMIT ?"
        );
        let query = query.bind(*stream).bind(from.0).bind(to.0).bind(i64::from(household.0)).bind(limit);
        rows.extend(query.all(connection, reading_of)?);
    }
    if streams.len() > 1 {
        rows.sort_by_key(|row| (row.time, row.epoch, row.seq));
        rows.truncate(usize::try_from(limit).unwrap_or(0));
    }
    Ok(rows)
}

pub(crate) fn by_identity(
    connection: &Connection,
    meter: MeterId,
    epoch: u32,
    seq: u64,
) -> Result<Option<ReadingRow>, StoreError> {
    // Numbers beyond the column's range were never stored.
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    let query = readings!(
        "FROM readings",
        "WHERE stream = (SELECT id FROM streams WHERE meter = ? AND epoch = ?) AND readings.seq = ?"
    );
    query.bind(meter.0).bind(i64::from(epoch)).bind(seq).one(connection, reading_of)
}

pub(crate) fn around(
    connection: &Connection,
    meter: MeterId,
    epoch: u32,
    at: Timestamp,
) -> Result<(Option<ReadingRow>, Option<ReadingRow>), StoreError> {
    let before = readings!(
        "FROM readings INDEXED BY readings_by_time",
        "WHERE stream = (SELECT id FROM streams WHERE meter = ? AND epoch = ?) AND time_us <= ?
         ORDER BY time_us DESC, seq DESC LIMIT 1"
    );
    let after = readings!(
        "FROM readings INDEXED BY readings_by_time",
        "WHERE stream = (SELECT id FROM streams WHERE meter = ? AND epoch = ?) AND time_us > ?
         ORDER BY time_us, seq LIMIT 1"
    );
    let (meter, epoch) = (meter.0, i64::from(epoch));
    let before = before.bind(meter).bind(epoch).bind(at.0).one(connection, reading_of)?;
    let after = after.bind(meter).bind(epoch).bind(at.0).one(connection, reading_of)?;
    Ok((before, after))
}

pub(crate) fn count(connection: &Connection) -> Result<(u64, u64), StoreError> {
    let query = query("SELECT (SELECT count(*) FROM readings), (SELECT count(*) FROM quarantine)");
    let counts = query.one(connection, |columns| Ok((columns.u64()?, columns.u64()?)));
    Ok(counts?.unwrap_or_default())
}

pub(crate) fn quarantine(
    connection: &Connection,
    limit: u32,
) -> Result<Vec<(u64, QuarantineRow)>, StoreError> {
    let query = query(
        "SELECT id, meter, code, detail, bytes, received_at_us FROM quarantine ORDER BY id DESC LIMIT ?",
    );
    query.bind(page(limit)).all(connection, |columns| {
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
}
