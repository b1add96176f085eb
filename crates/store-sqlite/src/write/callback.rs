//! Raw callbacks.

use crate::fault::{fault, int};
use crate::sql::query;
use jirani_store::words::Word;
use jirani_store::{NewCallback, StoreError};
use rusqlite::Connection;

pub(super) fn receive(connection: &Connection, callback: &NewCallback) -> Result<u64, StoreError> {
    query("INSERT INTO callbacks (kind, secret, body, source, received_at_us) VALUES (?, ?, ?, ?, ?)")
        .bind(callback.kind.word())
        .bind(&callback.secret)
        .bind(&callback.body)
        .bind(&callback.source)
        .bind(callback.received_at.0)
        .execute(connection)
        .map_err(fault)?;
    Ok(connection.last_insert_rowid().unsigned_abs())
}

/// Notes what became of a callback. It is dealt with once: of two who try, one
/// meets a conflict and undoes its work.
pub(super) fn done(connection: &Connection, id: u64, outcome: &str) -> Result<(), StoreError> {
    let updated = query("UPDATE callbacks SET outcome = ? WHERE id = ? AND outcome IS NULL")
        .bind(outcome)
        .bind(int("callback", id)?)
        .execute(connection)
        .map_err(fault)?;
    if updated == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("callback {id}") })
}
