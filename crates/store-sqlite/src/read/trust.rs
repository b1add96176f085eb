//! Who vouches for a meter.

use crate::columns::Columns;
use crate::sql::query;
use jirani_store::{AttestedMeterRecord, StoreError};
use jirani_units::MeterId;
use rusqlite::Connection;

fn attested_of(columns: &mut Columns<'_>) -> Result<AttestedMeterRecord, StoreError> {
    Ok(AttestedMeterRecord { meter: columns.meter()?, device: columns.text()?, since: columns.time()? })
}

pub(crate) fn attested_meters(connection: &Connection) -> Result<Vec<AttestedMeterRecord>, StoreError> {
    query("SELECT meter, device, since_us FROM attested_meters ORDER BY meter").all(connection, attested_of)
}

pub(crate) fn attested_meter(
    connection: &Connection,
    meter: MeterId,
) -> Result<Option<AttestedMeterRecord>, StoreError> {
    let query = query("SELECT meter, device, since_us FROM attested_meters WHERE meter = ?");
    query.bind(meter.0).one(connection, attested_of)
}
