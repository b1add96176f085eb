//! Who vouches for a meter.

use super::people::write_record;
use crate::read::trust as read;
use crate::sql::query;
use jirani_store::{AttestedMeterRecord, StoreError};
use rusqlite::Connection;

/// Keeps a meter that the site signs for. The same again changes nothing.
pub(super) fn attested_meter(
    connection: &Connection,
    record: &AttestedMeterRecord,
) -> Result<(), StoreError> {
    let named = || format!("meter {} of device {}", record.meter, record.device);
    if let Some(kept) = read::attested_meter(connection, record.meter)? {
        let same = kept.device == record.device;
        return if same { Ok(()) } else { Err(StoreError::Conflict { what: named() }) };
    }
    let query = query("INSERT INTO attested_meters (meter, device, since_us) VALUES (?1, ?2, ?3)")
        .bind(record.meter.0)
        .bind(record.device.clone())
        .bind(record.since.0);
    write_record(connection, query, named)
}
