//! Raw callbacks.

use crate::columns::Columns;
use crate::fault::{fault, int};
use jirani_store::words::Word;
use jirani_store::{NewCallback, StoreError};
use sqlx::PgConnection;

pub(super) async fn receive(
    connection: &mut PgConnection,
    callback: &NewCallback,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO callbacks (id, kind, secret, body, source, received_at_us)
         VALUES ((SELECT coalesce(max(id), 0) + 1 FROM callbacks), $1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(callback.kind.word())
    .bind(&callback.secret)
    .bind(&callback.body)
    .bind(&callback.source)
    .bind(callback.received_at.0)
    .fetch_one(connection)
    .await
    .map_err(fault)?;
    Columns::of(&row).u64()
}

/// Notes what became of a callback. It is dealt with once: of two who try, one
/// meets a conflict and undoes its work.
pub(super) async fn done(connection: &mut PgConnection, id: u64, outcome: &str) -> Result<(), StoreError> {
    let updated = sqlx::query("UPDATE callbacks SET outcome = $1 WHERE id = $2 AND outcome IS NULL")
        .bind(outcome)
        .bind(int("callback", id)?)
        .execute(connection)
        .await
        .map_err(fault)?;
    if updated.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("callback {id}") })
}
