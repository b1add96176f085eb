//! The limits, each alone: Ed25519 in batches on all cores, and the database.

use crate::load::key_of;
use crate::site::START;
use ed25519_dalek::{Signature, VerifyingKey};
use jirani_meter::{PublicKey, READING_CONTEXT, Reading, Signer as _};
use jirani_store::{ReadingRow, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};
use std::time::Instant;

/// Signatures in a batch: beyond this the library gains nothing.
const BATCH: usize = 1_000;
/// Signatures that are checked.
const SIGNATURES: usize = 120_000;
/// Rows in a commit: what the gateway commits at once when it is busy.
const ROWS: usize = 8_192;

/// Signatures a second, verified in batches on both cores.
pub fn signatures_per_s(readings: &[Vec<Vec<u8>>]) -> f64 {
    let keys: Vec<VerifyingKey> = (0_u32..)
        .take(readings.len())
        .map(|meter| *PublicKey::from_bytes(&key_of(meter).public_key()).unwrap().verifying_key())
        .collect();
    let mut checks = Vec::with_capacity(SIGNATURES);
    // Neighbours are of different meters, as in a gateway's batch of single readings.
    'all: for place in 0.. {
        for (meter, key) in keys.iter().enumerate() {
            let Some(bytes) = readings[meter].get(place) else { break 'all };
            let (_, signed) = Reading::decode(bytes).unwrap();
            let message = signed.signed_bytes(READING_CONTEXT).unwrap().as_slice().to_vec();
            checks.push((message, Signature::from_bytes(signed.signature), *key));
            if checks.len() == SIGNATURES {
                break 'all;
            }
        }
    }
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for half in checks.chunks(checks.len().div_ceil(2)) {
            scope.spawn(move || {
                for batch in half.chunks(BATCH) {
                    let messages: Vec<&[u8]> = batch.iter().map(|(message, ..)| &message[..]).collect();
                    let signatures: Vec<Signature> =
                        batch.iter().map(|(_, signature, _)| *signature).collect();
                    let keys: Vec<VerifyingKey> = batch.iter().map(|(.., key)| *key).collect();
                    ed25519_dalek::verify_batch(&messages, &signatures, &keys).unwrap();
                }
            });
        }
    });
    checks.len() as f64 / begin.elapsed().as_secs_f64()
}

/// Rows a second that the store makes durable, one commit after another.
pub async fn rows_per_s(readings: &[Vec<Vec<u8>>]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("bare.db")).await.unwrap();
    let mut rows = Vec::new();
    for place in 0..readings[0].len() {
        for (meter, readings) in (0_u32..).zip(readings) {
            rows.push(row(meter, &readings[place]));
        }
    }
    let count = rows.len();
    let mut commits = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        commits.push(std::mem::replace(&mut rows, rest));
    }
    let begin = Instant::now();
    for commit in commits {
        store.append_readings(commit, Vec::new()).await.unwrap();
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    store.close().await;
    rate
}

fn row(meter: u32, bytes: &[u8]) -> ReadingRow {
    let (reading, _) = Reading::decode(bytes).unwrap();
    ReadingRow {
        meter: MeterId(reading.meter),
        epoch: reading.epoch,
        seq: reading.seq,
        household: HouseholdId(meter + 1),
        time: Timestamp(reading.time_us.cast_signed()),
        import_wh: Wh(reading.registers.import_wh),
        export_wh: Wh(reading.registers.export_wh),
        generation_wh: Wh(reading.registers.generation_wh),
        power_w: reading.instantaneous.power_w,
        bytes: bytes.to_vec(),
        received_at: START,
    }
}
