//! Transfers: gathers the facts, lets `jirani_ledger` decide, keeps the outcome.

use super::cache::{Cache, Head};
use crate::fault::{fault, fault_on, int};
use crate::read::ledger::transfer_of;
use jirani_ledger::{AccountBalance, Decision, Facts, Posting, Transfer, TransferId, chain, decide};
use jirani_store::StoreError;
use jirani_units::Cents;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// A transfer to be kept, at its place in the journal.
struct Row<'a> {
    head: Head,
    transfer: &'a Transfer,
}

/// Posts `transfers`, each with its index in the commit.
pub(super) async fn post(
    connection: &mut PgConnection,
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

/// Ids as the database takes them.
fn list<'a>(ids: impl Iterator<Item = &'a TransferId>) -> Vec<&'a [u8]> {
    ids.map(|id| &id.0[..]).collect()
}

/// Transfers of the journal under the ids of these, or of the holds they end.
async fn stored(
    connection: &mut PgConnection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashMap<TransferId, Transfer>, StoreError> {
    let holds: Vec<TransferId> = transfers.iter().filter_map(|(_, transfer)| transfer.kind.hold()).collect();
    let rows = sqlx::query(
        "SELECT id, debit, credit, amount_cents, reason, kind, hold, memo, at_us FROM transfers
         WHERE id = ANY($1)",
    )
    .bind(list(transfers.iter().map(|(_, transfer)| &transfer.id).chain(&holds)))
    .fetch_all(connection)
    .await
    .map_err(fault)?;
    rows.iter().map(|row| transfer_of(row).map(|transfer| (transfer.id, transfer))).collect()
}

/// Which of the holds that these would end were ended before.
async fn ended(
    connection: &mut PgConnection,
    transfers: &[(usize, &Transfer)],
) -> Result<HashSet<TransferId>, StoreError> {
    let holds: Vec<TransferId> = transfers.iter().filter_map(|(_, transfer)| transfer.kind.hold()).collect();
    if holds.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query("SELECT hold FROM transfers WHERE hold = ANY($1)")
        .bind(list(holds.iter()))
        .fetch_all(connection)
        .await
        .map_err(fault)?;
    rows.iter().map(|row| crate::columns::Columns::of(row).bytes().map(TransferId)).collect()
}

async fn insert(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sequences =
        rows.iter().map(|row| int("journal row", row.head.sequence)).collect::<Result<Vec<_>, _>>()?;
    let numbers =
        |number: fn(&Transfer) -> i64| rows.iter().map(|row| number(row.transfer)).collect::<Vec<_>>();
    let holds: Vec<Option<Vec<u8>>> =
        rows.iter().map(|row| row.transfer.kind.hold().map(|hold| hold.0.to_vec())).collect();
    sqlx::query(
        "INSERT INTO transfers (sequence, id, debit, credit, amount_cents, reason, kind, hold, memo, at_us, format,
         hash) SELECT sequence, id, debit, credit, amount, reason, kind, hold, memo, at, $11, hash
         FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::bytea[], $9::text[], $10::bigint[], $12::bytea[])
         AS rows (sequence, id, debit, credit, amount, reason, kind, hold, memo, at, hash)",
    )
    .bind(sequences)
    .bind(list(rows.iter().map(|row| &row.transfer.id)))
    .bind(numbers(|transfer| transfer.debit.code()))
    .bind(numbers(|transfer| transfer.credit.code()))
    .bind(numbers(|transfer| transfer.amount.0))
    .bind(numbers(|transfer| transfer.reason.code().into()))
    .bind(numbers(|transfer| transfer.kind.code().into()))
    .bind(holds)
    .bind(rows.iter().map(|row| &row.transfer.memo[..]).collect::<Vec<_>>())
    .bind(numbers(|transfer| transfer.at.0))
    .bind(i64::from(chain::FORMAT))
    .bind(rows.iter().map(|row| &row.head.hash[..]).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map_err(|error| fault_on(error, || "the journal".to_owned()))?;
    Ok(())
}

/// Writes the balances that the request has changed.
async fn keep_balances(connection: &mut PgConnection, cache: &Cache) -> Result<(), StoreError> {
    let changed: Vec<_> = cache.balances.fresh().collect();
    if changed.is_empty() {
        return Ok(());
    }
    let cents = |cents: fn(&AccountBalance) -> Cents| {
        changed.iter().map(|(_, balance)| cents(balance).0).collect::<Vec<_>>()
    };
    sqlx::query(
        "INSERT INTO balances (account, debits_cents, credits_cents, debits_held_cents, credits_held_cents,
         never_overdrawn) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
         $6::bigint[])
         ON CONFLICT (account) DO UPDATE SET debits_cents = excluded.debits_cents,
         credits_cents = excluded.credits_cents, debits_held_cents = excluded.debits_held_cents,
         credits_held_cents = excluded.credits_held_cents",
    )
    .bind(changed.iter().map(|(account, _)| account.code()).collect::<Vec<_>>())
    .bind(cents(|balance| balance.debits))
    .bind(cents(|balance| balance.credits))
    .bind(cents(|balance| balance.debits_held))
    .bind(cents(|balance| balance.credits_held))
    .bind(changed.iter().map(|(account, _)| i64::from(account.never_overdrawn())).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map_err(|error| fault_on(error, || "a balance".to_owned()))?;
    Ok(())
}
