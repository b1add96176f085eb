//! Raw callbacks.

use crate::fault::{fault, int};
use jirani_store::words::Word;
use jirani_store::{NewCallback, StoreError};
use sqlx::SqliteConnection;

pub(super) async fn receive(
    connection: &mut SqliteConnection,
    callback: &NewCallback,
) -> Result<u64, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO callbacks (kind, secret, body, source, received_at_us) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(callback.kind.word())
    .bind(&callback.secret)
    .bind(&callback.body)
    .bind(&callback.source)
    .bind(callback.received_at.0)
    .execute(connection)
    .await
    .map_err(fault)?;
    Ok(inserted.last_insert_rowid().unsigned_abs())
}

/// Notes what became of a callback. It is dealt with once: of two who try, one
/// meets a conflict and undoes its work.
pub(super) async fn done(
    connection: &mut SqliteConnection,
    id: u64,
    outcome: &str,
) -> Result<(), StoreError> {
    let updated = sqlx::query("UPDATE callbacks SET outcome = ? WHERE id = ? AND outcome IS NULL")
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
