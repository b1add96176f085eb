//! The index of the chain: transactions and cursor move together.

use crate::fault::{fault, fault_on, int};
use crate::read;
use jirani_store::chain_index::check_extension;
use jirani_store::{IndexCursor, IndexedEvent, IndexedTransaction, StoreError};
use sqlx::PgConnection;

/// A column of numbers, or why one cannot be kept.
type Numbers = Result<Vec<i64>, StoreError>;

/// Some transactions and where the list is indexed to with them.
pub(crate) struct Extension {
    pub(crate) from: Option<IndexCursor>,
    pub(crate) transactions: Vec<IndexedTransaction>,
    pub(crate) to: IndexCursor,
}

pub(super) async fn extend(connection: &mut PgConnection, extension: &Extension) -> Result<(), StoreError> {
    let Extension { from, transactions, to } = extension;
    let found = read::index::cursor(&mut *connection).await?;
    check_extension(found, *from, transactions, to)?;
    sqlx::query(
        "INSERT INTO chain_transactions (sequence, signature, slot, block_time_s)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[])",
    )
    .bind(transactions.iter().map(|told| int("sequence", told.sequence)).collect::<Numbers>()?)
    .bind(transactions.iter().map(|told| told.signature.to_vec()).collect::<Vec<_>>())
    .bind(transactions.iter().map(|told| int("chain slot", told.slot)).collect::<Numbers>()?)
    .bind(transactions.iter().map(|told| told.block_time).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await
    .map_err(|error| fault_on(error, || "an indexed transaction".to_owned()))?;
    insert_events(connection, transactions).await?;
    sqlx::query(
        "INSERT INTO chain_cursor (one, signature, slot, transactions) VALUES (1, $1, $2, $3)
         ON CONFLICT (one) DO UPDATE SET signature = excluded.signature, slot = excluded.slot,
         transactions = excluded.transactions",
    )
    .bind(to.signature.to_vec())
    .bind(int("chain slot", to.slot)?)
    .bind(int("transactions", to.transactions)?)
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}

async fn insert_events(
    connection: &mut PgConnection,
    transactions: &[IndexedTransaction],
) -> Result<(), StoreError> {
    let events: Vec<(u64, &IndexedEvent)> =
        transactions.iter().flat_map(|told| told.events.iter().map(|event| (told.sequence, event))).collect();
    let numbers = |number: fn(&IndexedEvent) -> i64| {
        events.iter().map(|(_, event)| number(event)).collect::<Vec<i64>>()
    };
    let bytes =
        |of: fn(&IndexedEvent) -> &Vec<u8>| events.iter().map(|(_, event)| of(event)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO chain_events (sequence, instruction, \"inner\", kind, household, number, at_s, event, call,
         accounts) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
         $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[], $10::bytea[])",
    )
    .bind(events.iter().map(|(sequence, _)| int("sequence", *sequence)).collect::<Numbers>()?)
    .bind(numbers(|event| i64::from(event.instruction)))
    .bind(numbers(|event| i64::from(event.inner)))
    .bind(numbers(|event| i64::from(event.kind)))
    .bind(numbers(|event| i64::from(event.household)))
    .bind(numbers(|event| event.number.cast_signed()))
    .bind(numbers(|event| event.at))
    .bind(bytes(|event| &event.event))
    .bind(bytes(|event| &event.call))
    .bind(bytes(|event| &event.accounts))
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(())
}

pub(super) async fn clear(connection: &mut PgConnection) -> Result<(), StoreError> {
    for sql in ["DELETE FROM chain_events", "DELETE FROM chain_transactions", "DELETE FROM chain_cursor"] {
        sqlx::query(sql).execute(&mut *connection).await.map_err(fault)?;
    }
    Ok(())
}
