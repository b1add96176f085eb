//! Reversals, reviews, commands to relays and notices.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{NoticeRecord, RelayRecord, ReversalRecord, ReviewRecord, StoreError};
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

macro_rules! relays {
    ($tail:literal) => {
        query(concat!(
            "SELECT household, number, position, not_after_us, ordered_at_us, obeyed_at_us, version FROM relays ",
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

fn relay_of(columns: &mut Columns<'_>) -> Result<RelayRecord, StoreError> {
    Ok(RelayRecord {
        household: columns.household()?,
        number: columns.u64()?,
        position: columns.word()?,
        not_after: columns.time_maybe()?,
        ordered_at: columns.time()?,
        obeyed_at: columns.time_maybe()?,
        version: columns.u64()?,
    })
}

pub(super) fn notice_of(columns: &mut Columns<'_>) -> Result<NoticeRecord, StoreError> {
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

pub(crate) fn relay(
    connection: &Connection,
    household: HouseholdId,
) -> Result<Option<RelayRecord>, StoreError> {
    relays!("WHERE household = ?").bind(i64::from(household.0)).one(connection, relay_of)
}

pub(crate) fn pending_relays(connection: &Connection) -> Result<Vec<RelayRecord>, StoreError> {
    relays!("WHERE obeyed_at_us IS NULL ORDER BY household").all(connection, relay_of)
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
