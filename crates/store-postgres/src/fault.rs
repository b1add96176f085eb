//! From the database's errors and numbers to ours.

use jirani_store::StoreError;
use sqlx::error::ErrorKind;

/// Classes of SQLSTATE that mean the server's own files are bad.
const CORRUPT: [&str; 2] = ["XX001", "XX002"];

/// What an error of the database means to the caller.
#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`, which gives it away")]
pub(crate) fn fault(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            if database.code().is_some_and(|code| CORRUPT.contains(&code.as_ref())) {
                return StoreError::Damaged { what: format!("the database's files: {database}") };
            }
            StoreError::Unavailable { what: format!("the database answered: {database}") }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
            StoreError::Damaged { what: format!("a stored row: {error}") }
        }
        _ => StoreError::Unavailable { what: format!("the database: {error}") },
    }
}

/// As [`fault`], but a broken uniqueness is a conflict over `what`.
pub(crate) fn fault_on(error: sqlx::Error, what: impl FnOnce() -> String) -> StoreError {
    match &error {
        sqlx::Error::Database(database) if database.kind() == ErrorKind::UniqueViolation => {
            StoreError::Conflict { what: what() }
        }
        sqlx::Error::Database(database) if database.kind() == ErrorKind::CheckViolation => {
            StoreError::Damaged { what: format!("{} would break a rule: {database}", what()) }
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
