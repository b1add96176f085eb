//! From the database's errors and numbers to ours.

use jirani_store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// What an error of the database means to the caller.
#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`, which gives it away")]
pub(crate) fn fault(error: Error) -> StoreError {
    match &error {
        Error::SqliteFailure(ffi::Error { code, .. }, _) => match code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::Damaged { what: format!("the database file: {error}") }
            }
            _ => StoreError::Unavailable { what: format!("the database answered: {error}") },
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnIndex(_)
        | Error::InvalidColumnType(..) => StoreError::Damaged { what: format!("a stored row: {error}") },
        _ => StoreError::Unavailable { what: format!("the database: {error}") },
    }
}

/// As [`fault`], but a broken uniqueness is a conflict over `what`.
pub(crate) fn fault_on(error: Error, what: impl FnOnce() -> String) -> StoreError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            StoreError::Conflict { what: what() }
        }
        Some(ffi::SQLITE_CONSTRAINT_CHECK) => {
            StoreError::Damaged { what: format!("{} would break a rule: {error}", what()) }
        }
        _ => fault(error),
    }
}

/// A number as the database keeps it.
pub(crate) fn int(what: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::OutOfRange { what: format!("{what} {number}") })
}

/// `limit`, within what one answer may hold.
pub(crate) fn page(limit: u32) -> i64 {
    i64::from(limit.min(jirani_store::verbs::PAGE_MAX))
}
