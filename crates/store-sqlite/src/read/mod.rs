//! Questions, answered from committed data on connections that only read.

pub(crate) mod affairs;
pub(crate) mod chain;
pub(crate) mod index;
pub(crate) mod ledger;
pub(crate) mod market;
pub(crate) mod money;
pub(crate) mod people;
pub(crate) mod readings;
pub(crate) mod slots;

use crate::fault::fault;
use jirani_store::StoreError;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteExecutor, SqliteRow};

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// All rows of a query, as records.
async fn all<T>(
    from: impl SqliteExecutor<'_>,
    query: Query,
    record: fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    query.fetch_all(from).await.map_err(fault)?.iter().map(record).collect()
}

/// The row of a query, if there is one, as a record.
async fn one<T>(
    from: impl SqliteExecutor<'_>,
    query: Query,
    record: fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    query.fetch_optional(from).await.map_err(fault)?.as_ref().map(record).transpose()
}
