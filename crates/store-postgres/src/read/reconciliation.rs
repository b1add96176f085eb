//! What operators propose and decide, and reconciliations.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_store::{ProposalRecord, ReconciliationRecord, StoreError};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! proposals {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT number, review, decision, note, proposed_by, proposed_at_us, state, decided_by,
             decided_at_us, version FROM proposals ",
            $tail
        ))
    };
}

macro_rules! reconciliations {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT number, made_at_us, source, from_us, until_us, apart, difference_cents, report
             FROM reconciliations ",
            $tail
        ))
    };
}

fn proposal_of(row: &PgRow) -> Result<ProposalRecord, StoreError> {
    let mut columns = Columns::of(row);
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

fn reconciliation_of(row: &PgRow) -> Result<ReconciliationRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn proposals(
    pool: &PgPool,
    only_waiting: bool,
    limit: u32,
) -> Result<Vec<ProposalRecord>, StoreError> {
    let query = if only_waiting {
        proposals!("WHERE state = 'proposed' ORDER BY number DESC LIMIT $1")
    } else {
        proposals!("ORDER BY number DESC LIMIT $1")
    };
    all(pool, query.bind(page(limit)), proposal_of).await
}

pub(crate) async fn proposal(pool: &PgPool, number: u64) -> Result<Option<ProposalRecord>, StoreError> {
    one(pool, proposals!("WHERE number = $1").bind(int("proposal", number)?), proposal_of).await
}

pub(crate) async fn reconciliations(
    pool: &PgPool,
    limit: u32,
) -> Result<Vec<ReconciliationRecord>, StoreError> {
    all(pool, reconciliations!("ORDER BY number DESC LIMIT $1").bind(page(limit)), reconciliation_of).await
}

pub(crate) async fn reconciliation(
    pool: &PgPool,
    number: u64,
) -> Result<Option<ReconciliationRecord>, StoreError> {
    let query = reconciliations!("WHERE number = $1").bind(int("reconciliation", number)?);
    one(pool, query, reconciliation_of).await
}
