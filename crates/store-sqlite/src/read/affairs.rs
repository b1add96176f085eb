//! Reversals, reviews and notices.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{NoticeRecord, ReversalRecord, ReviewRecord, StoreError};
use jirani_units::{HouseholdId, Receipt};
use rusqlite::Connection;

macro_rules! reversals {
    ($tail:literal) => {
        query(concat!(
            "SELECT receipt, reversal, amount_cents, payer, state, heard_at_us, version FROM reversals ",
            $tail
        ))
    };
}

macro_rules! reviews {
    ($tail:literal) => {
        query(concat!(
            "SELECT key, code, detail, opened_at_us, closed_at_us, outcome, version FROM reviews ",
            $tail
        ))
    };
}

fn reversal_of(columns: &mut Columns<'_>) -> Result<ReversalRecord, StoreError> {
    Ok(ReversalRecord {
        receipt: columns.parsed()?,
        reversal: columns.receipt_maybe()?,
        amount: columns.cents()?,
        payer: columns.household_maybe()?,
        state: columns.word()?,
        heard_at: columns.time()?,
        version: columns.u64()?,
    })
}

fn review_of(columns: &mut Columns<'_>) -> Result<ReviewRecord, StoreError> {
    Ok(ReviewRecord {
        key: columns.text()?,
        code: columns.text()?,
        detail: columns.text()?,
        opened_at: columns.time()?,
        closed_at: columns.time_maybe()?,
        outcome: columns.text_maybe()?,
        version: columns.u64()?,
    })
}

fn notice_of(columns: &mut Columns<'_>) -> Result<NoticeRecord, StoreError> {
    Ok(NoticeRecord {
        key: columns.text()?,
        household: columns.household_maybe()?,
        code: columns.text()?,
        en: columns.text()?,
        sw: columns.text()?,
        at: columns.time()?,
    })
}

pub(crate) fn reversal(
    connection: &Connection,
    receipt: &Receipt,
) -> Result<Option<ReversalRecord>, StoreError> {
    reversals!("WHERE receipt = ?").bind(receipt.as_str().to_owned()).one(connection, reversal_of)
}

pub(crate) fn waiting_reversals(connection: &Connection) -> Result<Vec<ReversalRecord>, StoreError> {
    let query = reversals!("WHERE state = 'waiting' ORDER BY heard_at_us, receipt LIMIT ?");
    query.bind(page(PAGE_MAX)).all(connection, reversal_of)
}

pub(crate) fn review(connection: &Connection, key: &str) -> Result<Option<ReviewRecord>, StoreError> {
    reviews!("WHERE key = ?").bind(key.to_owned()).one(connection, review_of)
}

pub(crate) fn open_reviews(connection: &Connection, limit: u32) -> Result<Vec<ReviewRecord>, StoreError> {
    let query = reviews!("WHERE closed_at_us IS NULL ORDER BY opened_at_us, key LIMIT ?");
    query.bind(page(limit)).all(connection, review_of)
}

pub(crate) fn notices_of(
    connection: &Connection,
    household: Option<HouseholdId>,
    limit: u32,
) -> Result<Vec<NoticeRecord>, StoreError> {
    let query = query(
        "SELECT key, household, code, en, sw, at_us FROM notices WHERE household IS ? ORDER BY number DESC LIMIT ?",
    );
    let query = query.bind(household.map(|household| i64::from(household.0))).bind(page(limit));
    query.all(connection, notice_of)
}
