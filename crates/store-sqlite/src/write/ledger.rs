//! Transfers: gathers the facts, lets `jirani_ledger` decide, keeps the outcome.

use super::cache::{Cache, Head};
use crate::columns::Columns;
use crate::fault::{fault, fault_on, int};
use crate::read::ledger::transfer_of;
use jirani_ledger::{Decision, Facts, Posting, Transfer, TransferId, chain, decide};
use jirani_store::StoreError;
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

const INSERT: &str = "INSERT INTO transfers (sequence, id, debit, credit, amount_cents, reason, kind, hold, memo, at_us, format, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const UPSERT_BALANCE: &str =
    "INSERT INTO balances (account, debits_cents, credits_cents, debits_held_cents, credits_held_cents,
     never_overdrawn) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (account) DO UPDATE SET debits_cents = excluded.debits_cents,
     credits_cents = excluded.credits_cents, debits_held_cents = excluded.debits_held_cents,
     credits_held_cents = excluded.credits_held_cents";

/// A transfer to be kept, at its place in the journal.
struct Row<'a> {
    head: Head,
    transfer: &'a Transfer,
}

/// Posts `transfers`, each with its index in the commit.
pub(super) fn post(
    connection: &Connection,
    cache: &mut Cache,
    transfers: &[(usize, &Transfer)],
) -> Result<Vec<Posting>, StoreError> {
    if transfers.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = stored(connection, transfers)?;
    let mut ended = ended(connection, transfers)?;
    let mut postings = Vec::with_capacity(transfers.len());
    let mut rows = Vec::with_capacity(transfers.len());
    for (index, transfer) in transfers {
        let hold = transfer.kind.hold();
        let facts = Facts {
            earlier: known.get(&transfer.id),
            hold: hold.and_then(|hold| known.get(&hold)),
            hold_ended: hold.is_some_and(|hold| ended.contains(&hold)),
            debit: cache.balances.get(&transfer.debit).unwrap_or_default(),
            credit: cache.balances.get(&transfer.credit).unwrap_or_default(),
        };
        match decide(transfer, &facts).map_err(|refusal| StoreError::Refused { index: *index, refusal })? {
            Decision::AlreadyApplied => postings.push(Posting::AlreadyApplied),
            Decision::Apply { debit, credit } => {
                cache.balances.put(transfer.debit, debit);
                cache.balances.put(transfer.credit, credit);
                ended.extend(hold);
                known.insert(transfer.id, (*transfer).clone());
                let last = cache.head();
                let sequence = last.sequence + 1;
                let head = Head { sequence, hash: chain::hash(&last.hash, sequence, transfer) };
                cache.fresh_head = Some(head);
                rows.push(Row { head, transfer });
                postings.push(Posting::Applied);
            }
        }
    }
    insert(connection, &rows)?;
    keep_balances(connection, cache)?;
    Ok(postings)
}

/// Transfers of the journal under the ids of these, or of the holds they end.
fn stored(
    connection: &Connection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashMap<TransferId, Transfer>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT id, debit, credit, amount_cents, reason, kind, hold, memo, at_us FROM transfers WHERE id = ?",
        )
        .map_err(fault)?;
    let mut found = HashMap::new();
    for (_, transfer) in transfers {
        for id in [Some(transfer.id), transfer.kind.hold()].into_iter().flatten() {
            let mut rows = statement.query(params![id.0]).map_err(fault)?;
            if let Some(row) = rows.next().map_err(fault)? {
                found.insert(id, transfer_of(&mut Columns::of(row))?);
            }
        }
    }
    Ok(found)
}

/// Which of the holds that these would end were ended before.
fn ended(
    connection: &Connection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashSet<TransferId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM transfers WHERE hold = ? LIMIT 1").map_err(fault)?;
    let mut ended = HashSet::new();
    for hold in transfers.iter().filter_map(|(_, transfer)| transfer.kind.hold()) {
        if statement.exists(params![hold.0]).map_err(fault)? {
            ended.insert(hold);
        }
    }
    Ok(ended)
}

fn insert(connection: &Connection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(INSERT).map_err(fault)?;
    for Row { head, transfer } in rows {
        statement
            .execute(params![
                int("journal row", head.sequence)?,
                transfer.id.0,
                transfer.debit.code(),
                transfer.credit.code(),
                transfer.amount.0,
                transfer.reason.code(),
                transfer.kind.code(),
                transfer.kind.hold().map(|hold| hold.0),
                transfer.memo,
                transfer.at.0,
                chain::FORMAT,
                head.hash,
            ])
            .map_err(|error| fault_on(error, || "the journal".to_owned()))?;
    }
    Ok(())
}

/// Writes the balances that the request has changed.
fn keep_balances(connection: &Connection, cache: &Cache) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(UPSERT_BALANCE).map_err(fault)?;
    for (account, balance) in cache.balances.fresh() {
        statement
            .execute(params![
                account.code(),
                balance.debits.0,
                balance.credits.0,
                balance.debits_held.0,
                balance.credits_held.0,
                account.never_overdrawn(),
            ])
            .map_err(|error| fault_on(error, || "a balance".to_owned()))?;
    }
    Ok(())
}
