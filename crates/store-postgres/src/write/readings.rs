//! Readings and quarantine, many rows to a statement.

use super::cache::Cache;
use crate::fault::{fault, int};
use jirani_store::{Appended, JudgedBy, QuarantineRow, ReadingRow, StoreError};
use jirani_units::{MeterId, Wh};
use sqlx::{PgConnection, Row};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Why a reading whose identity was used for other bytes is kept apart.
const EQUIVOCATION: &str = "reading.equivocation";

/// A reading and the number of its stream.
struct Keyed<'a> {
    stream: i64,
    seq: i64,
    row: &'a ReadingRow,
}

/// Appends if all that the judgement rests on is still so.
pub(super) async fn append_judged(
    connection: &mut PgConnection,
    cache: &mut Cache,
    readings: &[ReadingRow],
    quarantined: &[QuarantineRow],
    judged_by: &[JudgedBy],
) -> Result<Option<Vec<Appended>>, StoreError> {
    if judged_by.iter().any(|judged| cache.latest.get(&judged.meter) != judged.latest)
        || !are_enrolled_so(connection, judged_by).await?
    {
        return Ok(None);
    }
    append(connection, cache, readings, quarantined).await.map(Some)
}

/// Whether a meter has said nothing since `last`.
pub(super) fn still_last(cache: &Cache, meter: MeterId, last: Option<(u32, u64)>) -> Result<(), StoreError> {
    if cache.latest.get(&meter) == last {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("the last reading of meter {meter}") })
}

/// Whether households and enrolments of these meters have the versions they were judged by.
async fn are_enrolled_so(connection: &mut PgConnection, judged_by: &[JudgedBy]) -> Result<bool, StoreError> {
    if judged_by.is_empty() {
        return Ok(true);
    }
    let versions = |version: fn(&JudgedBy) -> u64| {
        judged_by.iter().map(|judged| int("version", version(judged))).collect::<Result<Vec<i64>, _>>()
    };
    let changed = sqlx::query(
        "SELECT 1 FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS judged (meter, household, enrolment)
         LEFT JOIN households ON households.meter = judged.meter
         LEFT JOIN meters ON meters.meter = judged.meter
         WHERE coalesce(households.version, 0) <> judged.household
         OR coalesce(meters.version, 0) <> judged.enrolment LIMIT 1",
    )
    .bind(judged_by.iter().map(|judged| judged.meter.0.to_vec()).collect::<Vec<_>>())
    .bind(versions(|judged| judged.household_version)?)
    .bind(versions(|judged| judged.enrolment_version)?)
    .fetch_optional(connection)
    .await
    .map_err(fault)?;
    Ok(changed.is_none())
}

pub(super) async fn append(
    connection: &mut PgConnection,
    cache: &mut Cache,
    readings: &[ReadingRow],
    quarantined: &[QuarantineRow],
) -> Result<Vec<Appended>, StoreError> {
    let mut keyed = Vec::with_capacity(readings.len());
    for row in readings {
        let stream = stream(connection, cache, row).await?;
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
            && let Some(bytes) = stored_bytes(connection, identity).await?
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
    insert(connection, &new).await?;
    note_latest(connection, cache, &new).await?;
    for row in quarantined.iter().chain(&evidence) {
        quarantine(connection, row).await?;
    }
    Ok(appended)
}

/// The number of a reading's stream, new or known; notes whose readings it holds.
async fn stream(
    connection: &mut PgConnection,
    cache: &mut Cache,
    row: &ReadingRow,
) -> Result<i64, StoreError> {
    let stream = if let Some(stream) = cache.streams.get(&(row.meter, row.epoch)) {
        stream
    } else {
        let inserted = sqlx::query(
            "INSERT INTO streams (id, meter, epoch) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM streams), $1, $2)
             RETURNING id",
        )
        .bind(row.meter.0.to_vec())
        .bind(i64::from(row.epoch))
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
        let stream = inserted.try_get(0).map_err(fault)?;
        cache.streams.put((row.meter, row.epoch), stream);
        stream
    };
    if cache.owners.get(&(row.household, stream)).is_none() {
        sqlx::query("INSERT INTO household_streams (household, stream) VALUES ($1, $2)")
            .bind(i64::from(row.household.0))
            .bind(stream)
            .execute(&mut *connection)
            .await
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

async fn insert(connection: &mut PgConnection, rows: &[&Keyed<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let numbers = |number: fn(&Keyed<'_>) -> i64| rows.iter().map(|row| number(row)).collect::<Vec<_>>();
    let registers = |what: &str, register: fn(&ReadingRow) -> Wh| {
        rows.iter().map(|keyed| int(what, register(keyed.row).0)).collect::<Result<Vec<i64>, _>>()
    };
    sqlx::query(
        "INSERT INTO readings (stream, seq, household, time_us, import_wh, export_wh, generation_wh, power_w, bytes,
         received_at_us) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
         $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[])",
    )
    .bind(numbers(|keyed| keyed.stream))
    .bind(numbers(|keyed| keyed.seq))
    .bind(numbers(|keyed| keyed.row.household.0.into()))
    .bind(numbers(|keyed| keyed.row.time.0))
    .bind(registers("import register", |row| row.import_wh)?)
    .bind(registers("export register", |row| row.export_wh)?)
    .bind(registers("generation register", |row| row.generation_wh)?)
    .bind(numbers(|keyed| keyed.row.power_w.into()))
    .bind(rows.iter().map(|keyed| &keyed.row.bytes[..]).collect::<Vec<_>>())
    .bind(numbers(|keyed| keyed.row.received_at.0))
    .execute(&mut *connection)
    .await
    .map_err(fault)?;
    // The next places, in this order: nobody else writes meanwhile, and nothing is ever removed.
    sqlx::query(
        "INSERT INTO evidence_log (position, stream, seq)
         SELECT (SELECT coalesce(max(position), 0) FROM evidence_log) + place, stream, seq
         FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS new (stream, seq, place)",
    )
    .bind(numbers(|keyed| keyed.stream))
    .bind(numbers(|keyed| keyed.seq))
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}

async fn stored_bytes(
    connection: &mut PgConnection,
    (stream, seq): (i64, i64),
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query("SELECT bytes FROM readings WHERE stream = $1 AND seq = $2")
        .bind(stream)
        .bind(seq)
        .fetch_optional(connection)
        .await
        .map_err(fault)?;
    row.map(|row| row.try_get(0)).transpose().map_err(fault)
}

/// Moves the mark of each meter's last reading, by (epoch, seq).
async fn note_latest(
    connection: &mut PgConnection,
    cache: &mut Cache,
    new: &[&Keyed<'_>],
) -> Result<(), StoreError> {
    let mut moved: BTreeMap<MeterId, &Keyed<'_>> = BTreeMap::new();
    for &reading in new {
        let place = (reading.row.epoch, reading.row.seq);
        if cache.latest.get(&reading.row.meter).is_none_or(|latest| latest < place) {
            cache.latest.put(reading.row.meter, place);
            moved.insert(reading.row.meter, reading);
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let numbers = |number: fn(&Keyed<'_>) -> i64| moved.values().map(|row| number(row)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO latest_readings (meter, epoch, seq, stream)
         SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[])
         ON CONFLICT (meter) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, stream = excluded.stream",
    )
    .bind(moved.keys().map(|meter| meter.0.to_vec()).collect::<Vec<_>>())
    .bind(numbers(|keyed| keyed.row.epoch.into()))
    .bind(numbers(|keyed| keyed.seq))
    .bind(numbers(|keyed| keyed.stream))
    .execute(connection)
    .await
    .map_err(fault)?;
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

async fn quarantine(connection: &mut PgConnection, row: &QuarantineRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO quarantine (id, meter, code, detail, bytes, received_at_us)
         VALUES ((SELECT coalesce(max(id), 0) + 1 FROM quarantine), $1, $2, $3, $4, $5)",
    )
    .bind(row.meter.map(|meter| meter.0.to_vec()))
    .bind(&row.code)
    .bind(&row.detail)
    .bind(&row.bytes)
    .bind(row.received_at.0)
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}
