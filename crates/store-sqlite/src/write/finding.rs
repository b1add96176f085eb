//! What plausibility rules found.

use super::people::{versioned, write_record};
use crate::fault::int;
use crate::sql::query;
use jirani_store::words::Word as _;
use jirani_store::{FindingRecord, StoreError};
use rusqlite::Connection;

/// Most bytes of a finding's evidence.
const EVIDENCE_MAX: usize = 4_096;

pub(super) fn finding(connection: &Connection, record: &FindingRecord) -> Result<(), StoreError> {
    let named = || format!("finding {} ({})", record.number, record.code);
    if record.evidence.len() > EVIDENCE_MAX {
        return Err(StoreError::OutOfRange { what: format!("the evidence of {}", named()) });
    }
    let number = int("finding", record.number)?;
    let (_, version) = versioned(record.version, "", "")?;
    if record.version > 0 {
        let query = query(
            "UPDATE findings SET state = ?1, decided_by = ?2, decided_at_us = ?3, note = ?4, version = version + 1
             WHERE number = ?5 AND version = ?6",
        )
        .bind(record.state.word())
        .bind(record.decided_by.clone())
        .bind(record.decided_at.map(|at| at.0))
        .bind(record.note.clone())
        .bind(number)
        .bind(version);
        return write_record(connection, query, named);
    }
    let query = query(
        "INSERT INTO findings (number, household_id, meter, meter_epoch, feeder, from_us, until_us, code, severity,
         evidence, state, found_at_us, decided_by, decided_at_us, note, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1)",
    )
    .bind(number)
    .bind(record.household.map(|household| i64::from(household.0)))
    .bind(record.meter.map(|meter| meter.0.to_vec()))
    .bind(i64::from(record.meter_epoch))
    .bind(i64::from(record.feeder))
    .bind(record.from.0)
    .bind(record.until.0)
    .bind(record.code.clone())
    .bind(record.severity.word())
    .bind(record.evidence.clone())
    .bind(record.state.word())
    .bind(record.found_at.0)
    .bind(record.decided_by.clone())
    .bind(record.decided_at.map(|at| at.0))
    .bind(record.note.clone());
    write_record(connection, query, named)
}
