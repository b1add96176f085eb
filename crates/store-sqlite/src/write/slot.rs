//! A slot and its rows: rewritten freely until it has landed, then fixed.

use crate::fault::{fault, int};
use crate::read;
use crate::sql::query;
use jirani_store::{SlotRecord, StoreError};
use rusqlite::{Connection, params};

const INSERT_ROW: &str = "INSERT INTO attested_rows (feeder, end_us, household, export_wh, import_wh, estimated) VALUES (?, ?, ?, ?, ?, ?)";

pub(super) fn put(connection: &Connection, slot: &SlotRecord) -> Result<(), StoreError> {
    let stored = read::slots::one_slot(connection, slot.feeder, slot.end)?;
    if let Some(landed) = stored.as_ref().filter(|stored| stored.attested_at.is_some()) {
        // Told twice of the same landing: nothing to do. Anything else would alter
        // what stands on chain.
        return if landed == slot { Ok(()) } else { Err(conflict(slot)) };
    }
    let signatures = serde_json::to_string(&slot.signatures)
        .map_err(|error| StoreError::Damaged { what: format!("signatures of a slot: {error}") })?;
    query(
        "INSERT INTO slots (feeder, end_us, evidence_root, signatures, attested_at_us) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (feeder, end_us) DO UPDATE SET evidence_root = excluded.evidence_root,
         signatures = excluded.signatures, attested_at_us = excluded.attested_at_us",
    )
    .bind(i64::from(slot.feeder))
    .bind(slot.end.0)
    .bind(slot.evidence_root)
    .bind(signatures)
    .bind(slot.attested_at.map(|at| at.0))
    .execute(connection)
    .map_err(fault)?;
    match stored {
        Some(stored) if stored.rows == slot.rows => return Ok(()),
        Some(_) => {
            query("DELETE FROM attested_rows WHERE feeder = ? AND end_us = ?")
                .bind(i64::from(slot.feeder))
                .bind(slot.end.0)
                .execute(connection)
                .map_err(fault)?;
        }
        None => {}
    }
    let mut statement = connection.prepare_cached(INSERT_ROW).map_err(fault)?;
    for row in &slot.rows {
        statement
            .execute(params![
                slot.feeder,
                slot.end.0,
                row.household.0,
                int("export register", row.export_wh.0)?,
                int("import register", row.import_wh.0)?,
                row.estimated,
            ])
            .map_err(|error| crate::fault::fault_on(error, || name(slot)))?;
    }
    Ok(())
}

fn name(slot: &SlotRecord) -> String {
    format!("slot {} of feeder {}", slot.end, slot.feeder)
}

fn conflict(slot: &SlotRecord) -> StoreError {
    StoreError::Conflict { what: format!("{} has landed and", name(slot)) }
}
