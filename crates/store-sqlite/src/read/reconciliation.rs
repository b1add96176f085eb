//! What operators propose and decide, and reconciliations.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_store::{ProposalRecord, ReconciliationRecord, StoreError};
use rusqlite::Connection;

macro_rules! proposals {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, review, decision, note, proposed_by, proposed_at_us, state, decided_by,
             decided_at_us, version FROM proposals ",
            $tail
        ))
    };
}

macro_rules! reconciliations {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, made_at_us, source, from_us, until_us, apart, difference_cents, report
             FROM reconciliations ",
            $tail
        ))
    };
}

fn proposal_of(columns: &mut Columns<'_>) -> Result<ProposalRecord, StoreError> {
    Ok(ProposalRecord {
        number: columns.u64()?,
        review: columns.text()?,
        decision: columns.text()?,
        note: columns.text()?,
        proposed_by: columns.text()?,
        proposed_at: columns.time()?,
        state: columns.word()?,
        decided_by: columns.text_maybe()?,
        decided_at: columns.time_maybe()?,
        version: columns.u64()?,
    })
}

fn reconciliation_of(columns: &mut Columns<'_>) -> Result<ReconciliationRecord, StoreError> {
    Ok(ReconciliationRecord {
        number: columns.u64()?,
        made_at: columns.time()?,
        source: columns.text()?,
        from: columns.time()?,
        until: columns.time()?,
        apart: columns.u64()?,
        difference: columns.cents()?,
        report: columns.text()?,
    })
}

pub(crate) fn proposals(
    connection: &Connection,
    only_waiting: bool,
    limit: u32,
) -> Result<Vec<ProposalRecord>, StoreError> {
    let query = if only_waiting {
        proposals!("WHERE state = 'proposed' ORDER BY number DESC LIMIT ?1")
    } else {
        proposals!("ORDER BY number DESC LIMIT ?1")
    };
    query.bind(page(limit)).all(connection, proposal_of)
}

pub(crate) fn proposal(connection: &Connection, number: u64) -> Result<Option<ProposalRecord>, StoreError> {
    proposals!("WHERE number = ?1").bind(int("proposal", number)?).one(connection, proposal_of)
}

pub(crate) fn reconciliations(
    connection: &Connection,
    limit: u32,
) -> Result<Vec<ReconciliationRecord>, StoreError> {
    reconciliations!("ORDER BY number DESC LIMIT ?1").bind(page(limit)).all(connection, reconciliation_of)
}

pub(crate) fn reconciliation(
    connection: &Connection,
    number: u64,
) -> Result<Option<ReconciliationRecord>, StoreError> {
    let query = reconciliations!("WHERE number = ?1").bind(int("reconciliation", number)?);
    query.one(connection, reconciliation_of)
}
