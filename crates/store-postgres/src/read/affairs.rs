//! Reversals, reviews, commands to relays and notices.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{NoticeRecord, RelayRecord, ReversalRecord, ReviewRecord, StoreError};
use jirani_units::{HouseholdId, Receipt};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! reversals {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT receipt, reversal, amount_cents, payer, state, heard_at_us, version FROM reversals ",
            $tail
        ))
    };
}

macro_rules! reviews {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT key, code, detail, opened_at_us, closed_at_us, outcome, version FROM reviews ",
            $tail
        ))
    };
}

macro_rules! relays {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT household, number, position, not_after_us, ordered_at_us, obeyed_at_us, version FROM relays ",
            $tail
        ))
    };
}

fn reversal_of(row: &PgRow) -> Result<ReversalRecord, StoreError> {
    let mut columns = Columns::of(row);
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

fn review_of(row: &PgRow) -> Result<ReviewRecord, StoreError> {
    let mut columns = Columns::of(row);
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

fn relay_of(row: &PgRow) -> Result<RelayRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn reversal(pool: &PgPool, receipt: &Receipt) -> Result<Option<ReversalRecord>, StoreError> {
    one(pool, reversals!("WHERE receipt = $1").bind(receipt.as_str().to_owned()), reversal_of).await
}

pub(crate) async fn waiting_reversals(pool: &PgPool) -> Result<Vec<ReversalRecord>, StoreError> {
    let query = reversals!("WHERE state = 'waiting' ORDER BY heard_at_us, receipt LIMIT $1");
    all(pool, query.bind(page(PAGE_MAX)), reversal_of).await
}

pub(crate) async fn review(pool: &PgPool, key: &str) -> Result<Option<ReviewRecord>, StoreError> {
    one(pool, reviews!("WHERE key = $1").bind(key.to_owned()), review_of).await
}

pub(crate) async fn open_reviews(pool: &PgPool, limit: u32) -> Result<Vec<ReviewRecord>, StoreError> {
    let query = reviews!("WHERE closed_at_us IS NULL ORDER BY opened_at_us, key LIMIT $1");
    all(pool, query.bind(page(limit)), review_of).await
}

pub(crate) async fn relay(pool: &PgPool, household: HouseholdId) -> Result<Option<RelayRecord>, StoreError> {
    one(pool, relays!("WHERE household = $1").bind(i64::from(household.0)), relay_of).await
}

pub(crate) async fn pending_relays(pool: &PgPool) -> Result<Vec<RelayRecord>, StoreError> {
    all(pool, relays!("WHERE obeyed_at_us IS NULL ORDER BY household"), relay_of).await
}

pub(crate) async fn notices_of(
    pool: &PgPool,
    household: Option<HouseholdId>,
    limit: u32,
) -> Result<Vec<NoticeRecord>, StoreError> {
    let query = sqlx::query(
        "SELECT key, household, code, en, sw, at_us FROM notices WHERE household = $1 OR ($1 IS NULL AND household IS NULL)
         ORDER BY number DESC LIMIT $2",
    );
    let query = query.bind(household.map(|household| i64::from(household.0))).bind(page(limit));
    all(pool, query, |row| notice_of(&mut Columns::of(row))).await
}
