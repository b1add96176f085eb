//! A slot and its rows: rewritten freely until it has landed, then fixed.

use crate::fault::{fault, fault_on, int};
use crate::read;
use jirani_store::{AttestedRow, SlotRecord, StoreError};
use sqlx::PgConnection;

pub(super) async fn put(connection: &mut PgConnection, slot: &SlotRecord) -> Result<(), StoreError> {
    let stored = read::slots::one_slot(&mut *connection, slot.feeder, slot.end).await?;
    if let Some(landed) = stored.as_ref().filter(|stored| stored.attested_at.is_some()) {
        // Told twice of the same landing: nothing to do. Anything else would alter
        // what stands on chain.
        return if landed == slot { Ok(()) } else { Err(conflict(slot)) };
    }
    let signatures = serde_json::to_string(&slot.signatures)
        .map_err(|error| StoreError::Damaged { what: format!("signatures of a slot: {error}") })?;
    sqlx::query(
        "INSERT INTO slots (feeder, end_us, evidence_root, signatures, attested_at_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (feeder, end_us) DO UPDATE SET evidence_root = excluded.evidence_root,
         signatures = excluded.signatures, attested_at_us = excluded.attested_at_us",
    )
    .bind(i64::from(slot.feeder))
    .bind(slot.end.0)
    .bind(slot.evidence_root.to_vec())
    .bind(signatures)
    .bind(slot.attested_at.map(|at| at.0))
    .execute(&mut *connection)
    .await
    .map_err(fault)?;
    match stored {
        Some(stored) if stored.rows == slot.rows => return Ok(()),
        Some(_) => {
            sqlx::query("DELETE FROM attested_rows WHERE feeder = $1 AND end_us = $2")
                .bind(i64::from(slot.feeder))
                .bind(slot.end.0)
                .execute(&mut *connection)
                .await
                .map_err(fault)?;
        }
        None => {}
    }
    let registers = |what: &str, register: fn(&AttestedRow) -> u64| {
        slot.rows.iter().map(|row| int(what, register(row))).collect::<Result<Vec<i64>, _>>()
    };
    sqlx::query(
        "INSERT INTO attested_rows (feeder, end_us, household, export_wh, import_wh, estimated)
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])",
    )
    .bind(i64::from(slot.feeder))
    .bind(slot.end.0)
    .bind(registers("household", |row| row.household.0.into())?)
    .bind(registers("export register", |row| row.export_wh.0)?)
    .bind(registers("import register", |row| row.import_wh.0)?)
    .bind(registers("mark", |row| row.estimated.into())?)
    .execute(connection)
    .await
    .map_err(|error| fault_on(error, || name(slot)))?;
    Ok(())
}

fn name(slot: &SlotRecord) -> String {
    format!("slot {} of feeder {}", slot.end, slot.feeder)
}

fn conflict(slot: &SlotRecord) -> StoreError {
    StoreError::Conflict { what: format!("{} has landed and", name(slot)) }
}
