//! Announced tariffs.

use super::one;
use crate::columns::Columns;
use jirani_market::Tariff;
use jirani_store::{StoreError, TariffRecord};
use sqlx::postgres::{PgExecutor, PgPool, PgRow};

macro_rules! tariffs {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT number, from_us, retail_cents_per_kwh, buy_back_cents_per_kwh, grid_fee_cents_per_kwh,
             tax_cents_per_kwh, origin, announced_by, key, announced_at_us
             FROM tariffs ",
            $tail
        ))
    };
}

fn tariff_of(row: &PgRow) -> Result<TariffRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(TariffRecord {
        number: columns.u64()?,
        from: columns.time()?,
        tariff: Tariff {
            retail: columns.price()?,
            buy_back: columns.price()?,
            grid_fee: columns.price()?,
            tax: columns.price()?,
        },
        origin: columns.word()?,
        by: columns.text_maybe()?,
        key: columns.text()?,
        announced_at: columns.time()?,
    })
}

pub(crate) async fn all(pool: &PgPool) -> Result<Vec<TariffRecord>, StoreError> {
    super::all(pool, tariffs!("ORDER BY number"), tariff_of).await
}

pub(crate) async fn by_key(from: impl PgExecutor<'_>, key: &str) -> Result<Option<TariffRecord>, StoreError> {
    one(from, tariffs!("WHERE key = $1").bind(key.to_owned()), tariff_of).await
}
