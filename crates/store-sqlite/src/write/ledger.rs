//! Transfers: gathers the facts, lets `jirani_ledger` decide, keeps the outcome.

use super::cache::{Cache, Head};
use super::sql::{Insert, insert as insert_of};
use crate::fault::{fault, fault_on, int};
use crate::read::ledger::transfer_of;
use jirani_ledger::{Decision, Facts, Posting, Transfer, TransferId, chain, decide};
use jirani_store::StoreError;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

const INSERT: Insert = insert_of!(
    "INSERT INTO transfers (sequence, id, debit, credit, amount_cents, reason, kind, hold, memo, at_us, format, hash)
     VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ""
);

const UPSERT_BALANCE: Insert = insert_of!(
    "INSERT INTO balances (account, debits_cents, credits_cents, debits_held_cents, credits_held_cents,
     never_overdrawn) VALUES ",
    "(?, ?, ?, ?, ?, ?)",
    " ON CONFLICT (account) DO UPDATE SET debits_cents = excluded.debits_cents,
     credits_cents = excluded.credits_cents, debits_held_cents = excluded.debits_held_cents,
     credits_held_cents = excluded.credits_held_cents"
);

/// A transfer to be kept, at its place in the journal.
struct Row<'a> {
    head: Head,
    transfer: &'a Transfer,
}

/// Posts `transfers`, each with its index in the commit.
pub(super) async fn post(
    connection: &mut SqliteConnection,
    cache: &mut Cache,
    transfers: &[(usize, &Transfer)],
) -> Result<Vec<Posting>, StoreError> {
    if transfers.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = stored(connection, transfers).await?;
    let mut ended = ended(connection, transfers).await?;
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
    insert(connection, &rows).await?;
    keep_balances(connection, cache).await?;
    Ok(postings)
}

fn hex_list<'a>(ids: impl Iterator<Item = &'a TransferId>) -> String {
    use std::fmt::Write as _;
    let mut list = String::from("[");
    for (place, id) in ids.enumerate() {
        list.push_str(if place == 0 { "\"" } else { ",\"" });
        for byte in id.0 {
            // Writing to a String cannot fail.
            let _ = write!(list, "{byte:02x}");
        }
        list.push('"');
    }
    list.push(']');
    list
}

/// Transfers of the journal under the ids of these, or of the holds they end.
async fn stored(
    connection: &mut SqliteConnection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashMap<TransferId, Transfer>, StoreError> {
    let holds: Vec<TransferId> = transfers.iter().filter_map(|(_, transfer)| transfer.kind.hold()).collect();
    let ids = hex_list(transfers.iter().map(|(_, transfer)| &transfer.id).chain(&holds));
    let rows = sqlx::query(
        "SELECT id, debit, credit, amount_cents, reason, kind, hold, memo, at_us FROM transfers
         WHERE id IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(fault)?;
    rows.iter().map(|row| transfer_of(row).map(|transfer| (transfer.id, transfer))).collect()
}

/// Which of the holds that these would end were ended before.
async fn ended(
    connection: &mut SqliteConnection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashSet<TransferId>, StoreError> {
    let holds: Vec<TransferId> = transfers.iter().filter_map(|(_, transfer)| transfer.kind.hold()).collect();
    if holds.is_empty() {
        return Ok(HashSet::new());
    }
    let rows =
        sqlx::query("SELECT hold FROM transfers WHERE hold IN (SELECT unhex(value) FROM json_each(?))")
            .bind(hex_list(holds.iter()))
            .fetch_all(connection)
            .await
            .map_err(fault)?;
    rows.iter().map(|row| crate::columns::Columns::of(row).bytes().map(TransferId)).collect()
}

async fn insert(connection: &mut SqliteConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    for (sql, piece) in INSERT.pieces(rows) {
        let mut query = sqlx::query(sql);
        for Row { head, transfer } in piece {
            query = query
                .bind(int("journal row", head.sequence)?)
                .bind(transfer.id.0.to_vec())
                .bind(transfer.debit.code())
                .bind(transfer.credit.code())
                .bind(transfer.amount.0)
                .bind(i64::from(transfer.reason.code()))
                .bind(i64::from(transfer.kind.code()))
                .bind(transfer.kind.hold().map(|hold| hold.0.to_vec()))
                .bind(transfer.memo.clone())
                .bind(transfer.at.0)
                .bind(i64::from(chain::FORMAT))
                .bind(head.hash.to_vec());
        }
        query
            .execute(&mut *connection)
            .await
            .map_err(|error| fault_on(error, || "the journal".to_owned()))?;
    }
    Ok(())
}

/// Writes the balances that the request has changed.
async fn keep_balances(connection: &mut SqliteConnection, cache: &Cache) -> Result<(), StoreError> {
    let changed: Vec<_> = cache.balances.fresh().collect();
    for (sql, piece) in UPSERT_BALANCE.pieces(&changed) {
        let mut query = sqlx::query(sql);
        for (account, balance) in piece {
            query = query
                .bind(account.code())
                .bind(balance.debits.0)
                .bind(balance.credits.0)
                .bind(balance.debits_held.0)
                .bind(balance.credits_held.0)
                .bind(i64::from(account.never_overdrawn()));
        }
        query.execute(&mut *connection).await.map_err(|error| fault_on(error, || "a balance".to_owned()))?;
    }
    Ok(())
}
