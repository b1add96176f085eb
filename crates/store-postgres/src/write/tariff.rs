//! Announced tariffs.

use super::people::write_record;
use crate::fault::int;
use crate::read::tariff as read;
use jirani_store::words::Word as _;
use jirani_store::{StoreError, TariffRecord};
use sqlx::PgConnection;

/// Keeps a tariff. A repeat of what stands under its key changes nothing.
pub(super) async fn tariff(connection: &mut PgConnection, record: &TariffRecord) -> Result<(), StoreError> {
    let named = || format!("tariff {} under the key {}", record.number, record.key);
    if let Some(kept) = read::by_key(&mut *connection, &record.key).await? {
        return if kept.is_same(record) { Ok(()) } else { Err(StoreError::Conflict { what: named() }) };
    }
    let query = sqlx::query(
        "INSERT INTO tariffs (number, from_us, retail_cents_per_kwh, buy_back_cents_per_kwh, grid_fee_cents_per_kwh,
         tax_cents_per_kwh, origin, announced_by, key, announced_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(int("a tariff's number", record.number)?)
    .bind(record.from.0)
    .bind(i64::from(record.tariff.retail.0))
    .bind(i64::from(record.tariff.buy_back.0))
    .bind(i64::from(record.tariff.grid_fee.0))
    .bind(i64::from(record.tariff.tax.0))
    .bind(record.origin.word())
    .bind(record.by.clone())
    .bind(record.key.clone())
    .bind(record.announced_at.0);
    write_record(connection, query, named).await
}
