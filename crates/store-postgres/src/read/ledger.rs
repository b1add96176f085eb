//! Journal and balances.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_ledger::{Account, AccountBalance, Balances, Kind, Reason, Transfer, TransferId};
use jirani_store::{JournalRow, StoreError};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! journal {
    ($tail:literal) => {
        concat!(
            "SELECT sequence, hash, id, debit, credit, amount_cents, reason, kind, hold, memo, at_us FROM transfers ",
            $tail
        )
    };
}

/// The four counters, in this order.
pub(crate) fn balance(columns: &mut Columns<'_>) -> Result<AccountBalance, StoreError> {
    Ok(AccountBalance {
        debits: columns.cents()?,
        credits: columns.cents()?,
        debits_held: columns.cents()?,
        credits_held: columns.cents()?,
    })
}

fn transfer(columns: &mut Columns<'_>) -> Result<Transfer, StoreError> {
    let unknown = |what: &str| StoreError::Damaged { what: format!("a journal row has no known {what}") };
    let (id, debit, credit) = (TransferId(columns.bytes()?), columns.account()?, columns.account()?);
    let (amount, reason, kind) = (columns.cents()?, columns.u16()?, columns.u16()?);
    let hold = columns.bytes_maybe()?.map(TransferId);
    Ok(Transfer {
        id,
        debit,
        credit,
        amount,
        reason: Reason::from_code(reason).ok_or_else(|| unknown("reason"))?,
        kind: u8::try_from(kind)
            .ok()
            .and_then(|kind| Kind::from_code(kind, hold))
            .ok_or_else(|| unknown("kind"))?,
        memo: columns.text()?,
        at: columns.time()?,
    })
}

/// A transfer of a row that begins with its columns.
pub(crate) fn transfer_of(row: &PgRow) -> Result<Transfer, StoreError> {
    transfer(&mut Columns::of(row))
}

fn journal_row(row: &PgRow) -> Result<JournalRow, StoreError> {
    let mut columns = Columns::of(row);
    let sequence = columns.u64()?;
    let mut rest = || Ok((columns.bytes()?, transfer(&mut columns)?));
    let (hash, transfer) = rest().map_err(|error: StoreError| StoreError::Damaged {
        what: format!("journal row {sequence} ({error})"),
    })?;
    Ok(JournalRow { sequence, transfer, hash })
}

pub(crate) async fn balance_of(pool: &PgPool, account: Account) -> Result<AccountBalance, StoreError> {
    let query = sqlx::query(
        "SELECT debits_cents, credits_cents, debits_held_cents, credits_held_cents FROM balances WHERE account = $1",
    )
    .bind(account.code());
    Ok(one(pool, query, |row| balance(&mut Columns::of(row))).await?.unwrap_or_default())
}

pub(crate) async fn balances(pool: &PgPool) -> Result<Balances, StoreError> {
    let query = sqlx::query(
        "SELECT account, debits_cents, credits_cents, debits_held_cents, credits_held_cents FROM balances
         ORDER BY account",
    );
    all(pool, query, |row| {
        let mut columns = Columns::of(row);
        Ok((columns.account()?, balance(&mut columns)?))
    })
    .await
}

pub(crate) async fn journal_after(
    pool: &PgPool,
    after: u64,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let query = sqlx::query(journal!("WHERE sequence > $1 ORDER BY sequence LIMIT $2"))
        .bind(int("journal row", after)?)
        .bind(page(limit));
    all(pool, query, journal_row).await
}

pub(crate) async fn journal_of(
    pool: &PgPool,
    account: Account,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    // Two short walks along the indexes rather than one of the whole journal.
    let query = sqlx::query(journal!(
        "WHERE sequence IN (
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE debit = $1 ORDER BY sequence DESC LIMIT $2)
             AS debits
             UNION ALL
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE credit = $1 ORDER BY sequence DESC LIMIT $2)
             AS credits
         ) ORDER BY sequence DESC LIMIT $2"
    ))
    .bind(account.code())
    .bind(page(limit));
    all(pool, query, journal_row).await
}

pub(crate) async fn journal_of_after(
    pool: &PgPool,
    account: Account,
    after: u64,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let query = sqlx::query(journal!(
        "WHERE sequence IN (
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE debit = $1 AND sequence > $2
                 ORDER BY sequence LIMIT $3)
             AS debits
             UNION ALL
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE credit = $1 AND sequence > $2
                 ORDER BY sequence LIMIT $3)
             AS credits
         ) ORDER BY sequence LIMIT $3"
    ))
    .bind(account.code())
    .bind(int("journal row", after)?)
    .bind(page(limit));
    all(pool, query, journal_row).await
}
