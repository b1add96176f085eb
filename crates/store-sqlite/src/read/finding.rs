//! What plausibility rules found.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_store::{FindingRecord, StoreError};
use rusqlite::Connection;

macro_rules! findings {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, household_id, meter, meter_epoch, feeder, from_us, until_us, code, severity, evidence, state, found_at_us,
             decided_by, decided_at_us, note, version FROM findings ",
            $tail
        ))
    };
}

fn finding_of(columns: &mut Columns<'_>) -> Result<FindingRecord, StoreError> {
    Ok(FindingRecord {
        number: columns.u64()?,
        household: columns.household_maybe()?,
        meter: columns.meter_maybe()?,
        meter_epoch: columns.u32()?,
        feeder: columns.u16()?,
        from: columns.time()?,
        until: columns.time()?,
        code: columns.text()?,
        severity: columns.word()?,
        evidence: columns.text()?,
        state: columns.word()?,
        found_at: columns.time()?,
        decided_by: columns.text_maybe()?,
        decided_at: columns.time_maybe()?,
        note: columns.text_maybe()?,
        version: columns.u64()?,
    })
}

pub(crate) fn findings(
    connection: &Connection,
    before: Option<u64>,
    only_open: bool,
    limit: u32,
) -> Result<Vec<FindingRecord>, StoreError> {
    let before = int("finding", before.unwrap_or(i64::MAX.unsigned_abs()))?;
    let query = if only_open {
        findings!("WHERE state = 'open' AND number < ?1 ORDER BY number DESC LIMIT ?2")
    } else {
        findings!("WHERE number < ?1 ORDER BY number DESC LIMIT ?2")
    };
    query.bind(before).bind(page(limit)).all(connection, finding_of)
}

pub(crate) fn finding(connection: &Connection, number: u64) -> Result<Option<FindingRecord>, StoreError> {
    findings!("WHERE number = ?1").bind(int("finding", number)?).one(connection, finding_of)
}

pub(crate) fn live(connection: &Connection, since_us: i64) -> Result<Vec<FindingRecord>, StoreError> {
    let query =
        findings!("WHERE state IN ('open', 'refused') OR decided_at_us >= ?1 ORDER BY number LIMIT 100000");
    query.bind(since_us).all(connection, finding_of)
}
