//! Who vouches for a meter.

use super::one;
use crate::columns::Columns;
use jirani_store::{AttestedMeterRecord, StoreError};
use jirani_units::MeterId;
use sqlx::postgres::{PgExecutor, PgPool, PgRow};

fn attested_of(row: &PgRow) -> Result<AttestedMeterRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AttestedMeterRecord { meter: columns.meter()?, device: columns.text()?, since: columns.time()? })
}

pub(crate) async fn attested_meters(pool: &PgPool) -> Result<Vec<AttestedMeterRecord>, StoreError> {
    let query = sqlx::query("SELECT meter, device, since_us FROM attested_meters ORDER BY meter");
    super::all(pool, query, attested_of).await
}

pub(crate) async fn attested_meter(
    from: impl PgExecutor<'_>,
    meter: MeterId,
) -> Result<Option<AttestedMeterRecord>, StoreError> {
    let query = sqlx::query("SELECT meter, device, since_us FROM attested_meters WHERE meter = $1");
    one(from, query.bind(meter.0.to_vec()), attested_of).await
}
