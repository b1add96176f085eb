//! Offers and orders.

use super::people::{versioned, write_record};
use crate::fault::{fault_on, int};
use crate::read::market::fills_text;
use crate::sql::query;
use jirani_store::words::Word;
use jirani_store::{OfferRecord, OrderRecord, Proof, StoreError};
use rusqlite::Connection;

const INSERT_FILL: &str = "INSERT INTO fills (order_id, position, offer, seller, energy_wh, price_cents_per_kwh) VALUES (?, ?, ?, ?, ?, ?)";

pub(super) fn offer(connection: &Connection, record: &OfferRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO offers (seller, energy_wh, reserved_wh, sold_wh, price_cents_per_kwh, expires_at_us, state,
         refusal, signature, key, created_at_us, id, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 + 1)",
        "UPDATE offers SET seller = ?1, energy_wh = ?2, reserved_wh = ?3, sold_wh = ?4, price_cents_per_kwh = ?5,
         expires_at_us = ?6, state = ?7, refusal = ?8, signature = ?9, key = ?10, created_at_us = ?11,
         version = version + 1 WHERE id = ?12 AND version = ?13",
    )?;
    let query = query(sql)
        .bind(i64::from(record.seller.0))
        .bind(int("energy", record.energy_wh.0)?)
        .bind(int("energy", record.reserved_wh.0)?)
        .bind(int("energy", record.sold_wh.0)?)
        .bind(i64::from(record.price.0))
        .bind(record.expires_at.0)
        .bind(record.state.word())
        .bind(record.refusal.clone())
        .bind(record.signature.clone())
        .bind(record.key.clone())
        .bind(record.created_at.0)
        .bind(int("offer", record.id.0)?)
        .bind(version);
    write_record(connection, query, || format!("offer {}", record.id))
}

pub(super) fn order(connection: &Connection, record: &OrderRecord) -> Result<(), StoreError> {
    // The fills of an order never change: an update that brings others meets no row.
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO orders (buyer, fee_cents_per_kwh, tax_cents_per_kwh, due_cents, pay_with, state, release_reason,
         refusal, deadline_us, proof_kind, proof, paid_at_us, placed_signature, final_signature, key, created_at_us,
         final_at_us, id, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19 + 1)",
        "UPDATE orders SET buyer = ?1, fee_cents_per_kwh = ?2, tax_cents_per_kwh = ?3, due_cents = ?4, pay_with = ?5,
         state = ?6, release_reason = ?7, refusal = ?8, deadline_us = ?9, proof_kind = ?10, proof = ?11,
         paid_at_us = ?12, placed_signature = ?13, final_signature = ?14, key = ?15, created_at_us = ?16,
         final_at_us = ?17, version = version + 1
         WHERE id = ?18 AND version = ?19 AND ?20 = (SELECT json_group_array(
             json_array(offer, seller, energy_wh, price_cents_per_kwh) ORDER BY position)
             FROM fills WHERE order_id = ?18)",
    )?;
    let proof = record.proof.map(|proof| match proof {
        Proof::Receipt(hash) => (1_i64, hash),
        Proof::Transfer(hash) => (2, hash),
    });
    let (proof_kind, proof) = proof.unzip();
    let mut query = query(sql)
        .bind(i64::from(record.buyer.0))
        .bind(i64::from(record.fee.0))
        .bind(i64::from(record.tax.0))
        .bind(record.due.0)
        .bind(record.pay_with.word())
        .bind(record.state.word())
        .bind(record.release_reason.map(Word::word))
        .bind(record.refusal.clone())
        .bind(record.deadline.map(|at| at.0))
        .bind(proof_kind)
        .bind(proof)
        .bind(record.paid_at.map(|at| at.0))
        .bind(record.placed_signature.clone())
        .bind(record.final_signature.clone())
        .bind(record.key.clone())
        .bind(record.created_at.0)
        .bind(record.final_at.map(|at| at.0))
        .bind(int("order", record.id.0)?)
        .bind(version);
    let new = record.version == 0;
    if !new {
        query = query.bind(fills_text(&record.fills)?);
    }
    let what = || format!("order {}", record.id);
    write_record(connection, query, what)?;
    if new { insert_fills(connection, record, what) } else { Ok(()) }
}

fn insert_fills(
    connection: &Connection,
    record: &OrderRecord,
    what: impl Fn() -> String,
) -> Result<(), StoreError> {
    for (position, fill) in record.fills.iter().enumerate() {
        query(INSERT_FILL)
            .bind(int("order", record.id.0)?)
            .bind(int("fill", position as u64)?)
            .bind(int("offer", fill.offer.0)?)
            .bind(fill.seller.0)
            .bind(fill.energy_wh)
            .bind(fill.price.0)
            .execute(connection)
            .map_err(|error| fault_on(error, &what))?;
    }
    Ok(())
}
