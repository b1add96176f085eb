//! Announced tariffs.

use crate::columns::Columns;
use crate::sql::query;
use jirani_market::Tariff;
use jirani_store::{StoreError, TariffRecord};
use rusqlite::Connection;

macro_rules! tariffs {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, from_us, retail_cents_per_kwh, buy_back_cents_per_kwh, grid_fee_cents_per_kwh,
             tax_cents_per_kwh, origin, announced_by, key, announced_at_us
             FROM tariffs ",
            $tail
        ))
    };
}

fn tariff_of(columns: &mut Columns<'_>) -> Result<TariffRecord, StoreError> {
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

pub(crate) fn all(connection: &Connection) -> Result<Vec<TariffRecord>, StoreError> {
    tariffs!("ORDER BY number").all(connection, tariff_of)
}

pub(crate) fn by_key(connection: &Connection, key: &str) -> Result<Option<TariffRecord>, StoreError> {
    tariffs!("WHERE key = ?").bind(key.to_owned()).one(connection, tariff_of)
}
