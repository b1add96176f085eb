//! What plausibility rules found.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_store::{FindingRecord, StoreError};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! findings {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT number, household_id, meter, meter_epoch, feeder, from_us, until_us, code, severity, evidence, state, found_at_us,
             decided_by, decided_at_us, note, version FROM findings ",
            $tail
        ))
    };
}

fn finding_of(row: &PgRow) -> Result<FindingRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn findings(
    pool: &PgPool,
    before: Option<u64>,
    only_open: bool,
    limit: u32,
) -> Result<Vec<FindingRecord>, StoreError> {
    let before = int("finding", before.unwrap_or(i64::MAX.unsigned_abs()))?;
    let query = if only_open {
        findings!("WHERE state = 'open' AND number < $1 ORDER BY number DESC LIMIT $2")
    } else {
        findings!("WHERE number < $1 ORDER BY number DESC LIMIT $2")
    };
    all(pool, query.bind(before).bind(page(limit)), finding_of).await
}

pub(crate) async fn finding(pool: &PgPool, number: u64) -> Result<Option<FindingRecord>, StoreError> {
    one(pool, findings!("WHERE number = $1").bind(int("finding", number)?), finding_of).await
}

pub(crate) async fn live(pool: &PgPool, since_us: i64) -> Result<Vec<FindingRecord>, StoreError> {
    let query =
        findings!("WHERE state IN ('open', 'refused') OR decided_at_us >= $1 ORDER BY number LIMIT 100000");
    all(pool, query.bind(since_us), finding_of).await
}
