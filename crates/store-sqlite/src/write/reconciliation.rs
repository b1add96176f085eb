//! What operators propose and decide, and reconciliations.

use super::people::{versioned, write_record};
use crate::fault::int;
use crate::sql::query;
use jirani_store::words::Word as _;
use jirani_store::{ProposalRecord, ReconciliationRecord, StoreError};
use rusqlite::Connection;

pub(super) fn proposal(connection: &Connection, record: &ProposalRecord) -> Result<(), StoreError> {
    let named = || format!("proposal {} about {}", record.number, record.review);
    let number = int("proposal", record.number)?;
    let (_, version) = versioned(record.version, "", "")?;
    if record.version > 0 {
        let query = query(
            "UPDATE proposals SET state = ?1, decided_by = ?2, decided_at_us = ?3, version = version + 1
             WHERE number = ?4 AND version = ?5",
        )
        .bind(record.state.word())
        .bind(record.decided_by.clone())
        .bind(record.decided_at.map(|at| at.0))
        .bind(number)
        .bind(version);
        return write_record(connection, query, named);
    }
    let query = query(
        "INSERT INTO proposals (number, review, decision, note, proposed_by, proposed_at_us, state, decided_by,
         decided_at_us, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
    )
    .bind(number)
    .bind(record.review.clone())
    .bind(record.decision.clone())
    .bind(record.note.clone())
    .bind(record.proposed_by.clone())
    .bind(record.proposed_at.0)
    .bind(record.state.word())
    .bind(record.decided_by.clone())
    .bind(record.decided_at.map(|at| at.0));
    write_record(connection, query, named)
}

pub(super) fn reconciliation(
    connection: &Connection,
    record: &ReconciliationRecord,
) -> Result<(), StoreError> {
    let query = query(
        "INSERT INTO reconciliations (number, made_at_us, source, from_us, until_us, apart, difference_cents, report)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(int("reconciliation", record.number)?)
    .bind(record.made_at.0)
    .bind(record.source.clone())
    .bind(record.from.0)
    .bind(record.until.0)
    .bind(int("lines apart", record.apart)?)
    .bind(record.difference.0)
    .bind(record.report.clone());
    write_record(connection, query, || format!("reconciliation {}", record.number))
}
