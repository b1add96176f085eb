//! Readings and quarantine.

use super::cache::Cache;
use crate::fault::{fault, int};
use crate::sql::query;
use jirani_store::{Appended, JudgedBy, QuarantineRow, ReadingRow, StoreError};
use jirani_units::MeterId;
use rusqlite::{Connection, params};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

const INSERT: &str = "INSERT INTO readings (stream, seq, household, time_us, import_wh, export_wh, generation_wh, power_w, bytes,
     received_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const LOG: &str = "INSERT INTO evidence_log (stream, seq) VALUES (?, ?)";

const UPSERT_LATEST: &str = "INSERT INTO latest_readings (meter, epoch, seq, stream) VALUES (?, ?, ?, ?)
     ON CONFLICT (meter) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, stream = excluded.stream";

/// Why a reading whose identity was used for other bytes is kept apart.
const EQUIVOCATION: &str = "reading.equivocation";

/// A reading and the number of its stream.
struct Keyed<'a> {
    stream: i64,
    seq: i64,
    row: &'a ReadingRow,
}

/// Appends if all that the judgement rests on is still so.
pub(super) fn append_judged(
    connection: &Connection,
    cache: &mut Cache,
    readings: &[ReadingRow],
    quarantined: &[QuarantineRow],
    judged_by: &[JudgedBy],
) -> Result<Option<Vec<Appended>>, StoreError> {
    if judged_by.iter().any(|judged| cache.latest.get(&judged.meter) != judged.latest) {
        return Ok(None);
    }
    for judged in judged_by {
        let versions = (judged.household_version, judged.enrolment_version);
        if enrolment(connection, judged.meter)? != Some(versions) {
            return Ok(None);
        }
    }
    append(connection, cache, readings, quarantined).map(Some)
}

/// Whether a meter has said nothing since `last`.
pub(super) fn still_last(cache: &Cache, meter: MeterId, last: Option<(u32, u64)>) -> Result<(), StoreError> {
    if cache.latest.get(&meter) == last {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("the last reading of meter {meter}") })
}

/// Versions of the household that has a meter and of the meter's enrolment; 0 for none.
fn enrolment(connection: &Connection, meter: MeterId) -> Result<Option<(u64, u64)>, StoreError> {
    query(
        "SELECT coalesce((SELECT version FROM households WHERE meter = ?1), 0),
         coalesce((SELECT version FROM meters WHERE meter = ?1), 0)",
    )
    .bind(meter.0)
    .one(connection, |columns| Ok((columns.u64()?, columns.u64()?)))
}

pub(super) fn append(
    connection: &Connection,
    cache: &mut Cache,
    readings: &[ReadingRow],
    quarantined: &[QuarantineRow],
) -> Result<Vec<Appended>, StoreError> {
    let mut keyed = Vec::with_capacity(readings.len());
    for row in readings {
        let stream = stream(connection, cache, row)?;
        keyed.push(Keyed { stream, seq: int("reading number", row.seq)?, row });
    }

    // Whose bytes stand, or will, under each identity: those stored before, else the
    // first in this batch.
    let mut standing: HashMap<(i64, i64), Cow<'_, [u8]>> = HashMap::with_capacity(keyed.len());
    let mut appended = Vec::with_capacity(keyed.len());
    let mut new = Vec::with_capacity(keyed.len());
    let mut evidence = Vec::new();
    for reading in &keyed {
        let identity = (reading.stream, reading.seq);
        if !standing.contains_key(&identity)
            && may_be_stored(cache, reading.row)
            && let Some(bytes) = stored_bytes(connection, identity)?
        {
            standing.insert(identity, Cow::Owned(bytes));
        }
        appended.push(match standing.get(&identity) {
            None => {
                standing.insert(identity, Cow::Borrowed(&reading.row.bytes));
                new.push(reading);
                Appended::New
            }
            Some(bytes) if **bytes == reading.row.bytes => Appended::Duplicate,
            Some(_) => {
                evidence.push(equivocation(reading.row));
                Appended::Equivocation
            }
        });
    }
    insert(connection, &new)?;
    note_latest(connection, cache, &new)?;
    for row in quarantined.iter().chain(&evidence) {
        quarantine(connection, row)?;
    }
    Ok(appended)
}

/// The number of a reading's stream, new or known; notes whose readings it holds.
fn stream(connection: &Connection, cache: &mut Cache, row: &ReadingRow) -> Result<i64, StoreError> {
    let stream = if let Some(stream) = cache.streams.get(&(row.meter, row.epoch)) {
        stream
    } else {
        query("INSERT INTO streams (meter, epoch) VALUES (?, ?)")
            .bind(row.meter.0)
            .bind(row.epoch)
            .execute(connection)
            .map_err(fault)?;
        let stream = connection.last_insert_rowid();
        cache.streams.put((row.meter, row.epoch), stream);
        stream
    };
    if cache.owners.get(&(row.household, stream)).is_none() {
        query("INSERT INTO household_streams (household, stream) VALUES (?, ?)")
            .bind(i64::from(row.household.0))
            .bind(stream)
            .execute(connection)
            .map_err(fault)?;
        cache.owners.put((row.household, stream), ());
    }
    Ok(stream)
}

/// What is beyond a meter's last reading has not been stored; most readings are,
/// and need no look.
fn may_be_stored(cache: &Cache, row: &ReadingRow) -> bool {
    cache.latest.get(&row.meter).is_some_and(|latest| (row.epoch, row.seq) <= latest)
}

fn insert(connection: &Connection, rows: &[&Keyed<'_>]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(INSERT).map_err(fault)?;
    let mut log = connection.prepare_cached(LOG).map_err(fault)?;
    for Keyed { stream, seq, row } in rows {
        statement
            .execute(params![
                stream,
                seq,
                row.household.0,
                row.time.0,
                int("import register", row.import_wh.0)?,
                int("export register", row.export_wh.0)?,
                int("generation register", row.generation_wh.0)?,
                row.power_w,
                row.bytes,
                row.received_at.0,
            ])
            .map_err(fault)?;
        // The next place: nothing is ever removed from the order.
        log.execute(params![stream, seq]).map_err(fault)?;
    }
    Ok(())
}

fn stored_bytes(connection: &Connection, (stream, seq): (i64, i64)) -> Result<Option<Vec<u8>>, StoreError> {
    query("SELECT bytes FROM readings WHERE stream = ? AND seq = ?")
        .bind(stream)
        .bind(seq)
        .one(connection, |columns| columns.take())
}

/// Moves the mark of each meter's last reading, by (epoch, seq).
fn note_latest(connection: &Connection, cache: &mut Cache, new: &[&Keyed<'_>]) -> Result<(), StoreError> {
    let mut moved: BTreeMap<MeterId, &Keyed<'_>> = BTreeMap::new();
    for &reading in new {
        let place = (reading.row.epoch, reading.row.seq);
        if cache.latest.get(&reading.row.meter).is_none_or(|latest| latest < place) {
            cache.latest.put(reading.row.meter, place);
            moved.insert(reading.row.meter, reading);
        }
    }
    let mut statement = connection.prepare_cached(UPSERT_LATEST).map_err(fault)?;
    for Keyed { stream, seq, row } in moved.into_values() {
        statement.execute(params![row.meter.0, row.epoch, seq, stream]).map_err(fault)?;
    }
    Ok(())
}

fn equivocation(row: &ReadingRow) -> QuarantineRow {
    QuarantineRow {
        meter: Some(row.meter),
        code: EQUIVOCATION.to_owned(),
        detail: format!("epoch {} seq {} was used for another reading before", row.epoch, row.seq),
        bytes: row.bytes.clone(),
        received_at: row.received_at,
    }
}

fn quarantine(connection: &Connection, row: &QuarantineRow) -> Result<(), StoreError> {
    query("INSERT INTO quarantine (meter, code, detail, bytes, received_at_us) VALUES (?, ?, ?, ?, ?)")
        .bind(row.meter.map(|meter| meter.0))
        .bind(&row.code)
        .bind(&row.detail)
        .bind(&row.bytes)
        .bind(row.received_at.0)
        .execute(connection)
        .map_err(fault)?;
    Ok(())
}
