//! Questions, answered from committed data on connections that only read.

pub(crate) mod accounts;
pub(crate) mod affairs;
pub(crate) mod bills;
pub(crate) mod call;
pub(crate) mod chain;
pub(crate) mod finding;
pub(crate) mod handset;
pub(crate) mod index;
pub(crate) mod ledger;
pub(crate) mod market;
pub(crate) mod meters;
pub(crate) mod money;
pub(crate) mod people;
pub(crate) mod readings;
pub(crate) mod reconciliation;
pub(crate) mod slots;
pub(crate) mod tariff;
pub(crate) mod trust;

use crate::fault::fault;
use jirani_store::StoreError;
use sqlx::postgres::{PgArguments, PgExecutor, PgRow, Postgres};

type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// All rows of a query, as records.
async fn all<T>(
    from: impl PgExecutor<'_>,
    query: Query,
    record: fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    query.fetch_all(from).await.map_err(fault)?.iter().map(record).collect()
}

/// The row of a query, if there is one, as a record.
async fn one<T>(
    from: impl PgExecutor<'_>,
    query: Query,
    record: fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    query.fetch_optional(from).await.map_err(fault)?.as_ref().map(record).transpose()
}
