//! Journal and balances.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_ledger::{Account, AccountBalance, Balances, Kind, Reason, Transfer, TransferId};
use jirani_store::{JournalRow, StoreError};
use rusqlite::Connection;

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
pub(crate) fn transfer_of(columns: &mut Columns<'_>) -> Result<Transfer, StoreError> {
    transfer(columns)
}

fn journal_row(columns: &mut Columns<'_>) -> Result<JournalRow, StoreError> {
    let sequence = columns.u64()?;
    let mut rest = || Ok((columns.bytes()?, transfer(columns)?));
    let (hash, transfer) = rest().map_err(|error: StoreError| StoreError::Damaged {
        what: format!("journal row {sequence} ({error})"),
    })?;
    Ok(JournalRow { sequence, transfer, hash })
}

pub(crate) fn balance_of(connection: &Connection, account: Account) -> Result<AccountBalance, StoreError> {
    let query = query(
        "SELECT debits_cents, credits_cents, debits_held_cents, credits_held_cents FROM balances WHERE account = ?",
    )
    .bind(account.code());
    Ok(query.one(connection, balance)?.unwrap_or_default())
}

pub(crate) fn balances(connection: &Connection) -> Result<Balances, StoreError> {
    let query = query(
        "SELECT account, debits_cents, credits_cents, debits_held_cents, credits_held_cents FROM balances
         ORDER BY account",
    );
    query.all(connection, |columns| Ok((columns.account()?, balance(columns)?)))
}

pub(crate) fn journal_after(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let query = query(journal!("WHERE sequence > ? ORDER BY sequence LIMIT ?"))
        .bind(int("journal row", after)?)
        .bind(page(limit));
    query.all(connection, journal_row)
}

pub(crate) fn journal_of(
    connection: &Connection,
    account: Account,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    // Two short walks along the indexes rather than one of the whole journal.
    let query = query(journal!(
        "WHERE sequence IN (
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE debit = ?1 ORDER BY sequence DESC LIMIT ?2)
             UNION ALL
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE credit = ?1 ORDER BY sequence DESC LIMIT ?2)
         ) ORDER BY sequence DESC LIMIT ?2"
    ))
    .bind(account.code())
    .bind(page(limit));
    query.all(connection, journal_row)
}

pub(crate) fn journal_of_after(
    connection: &Connection,
    account: Account,
    after: u64,
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let query = query(journal!(
        "WHERE sequence IN (
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE debit = ?1 AND sequence > ?2
                 ORDER BY sequence LIMIT ?3)
             UNION ALL
             SELECT sequence FROM (SELECT sequence FROM transfers WHERE credit = ?1 AND sequence > ?2
                 ORDER BY sequence LIMIT ?3)
         ) ORDER BY sequence LIMIT ?3"
    ))
    .bind(account.code())
    .bind(int("journal row", after)?)
    .bind(page(limit));
    query.all(connection, journal_row)
}
