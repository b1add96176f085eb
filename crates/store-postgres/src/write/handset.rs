//! Phones: PINs, and text messages of notices.

use super::people::{versioned, write_record};
use jirani_store::words::Word as _;
use jirani_store::{HandsetRecord, MessageRecord, StoreError};
use sqlx::PgConnection;

pub(super) async fn handset(connection: &mut PgConnection, record: &HandsetRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO handsets (pin, code, code_until_us, codes_sent, codes_since_us, wrong, locked_until_us,
         muted, household, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10 + 1)",
        "UPDATE handsets SET pin = $1, code = $2, code_until_us = $3, codes_sent = $4, codes_since_us = $5,
         wrong = $6, locked_until_us = $7, muted = $8, version = version + 1 WHERE household = $9 AND version
         = $10",
    )?;
    let query = sqlx::query(sql)
        .bind(record.pin.clone())
        .bind(record.code.clone())
        .bind(record.code_until.map(|until| until.0))
        .bind(i64::from(record.codes_sent))
        .bind(record.codes_since.0)
        .bind(i64::from(record.wrong))
        .bind(record.locked_until.map(|until| until.0))
        .bind(i64::from(record.muted))
        .bind(i64::from(record.household.0))
        .bind(version);
    write_record(connection, query, || format!("the phone of household {}", record.household)).await
}

pub(super) async fn message(connection: &mut PgConnection, record: &MessageRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO messages (household, state, attempts, gateway_id, reason, at_us, key, version) VALUES
         ($1, $2, $3, $4, $5, $6, $7, $8 + 1)",
        "UPDATE messages SET household = $1, state = $2, attempts = $3, gateway_id = $4, reason = $5, at_us
         = $6, version = version + 1 WHERE key = $7 AND version = $8",
    )?;
    let query = sqlx::query(sql)
        .bind(i64::from(record.household.0))
        .bind(record.state.word())
        .bind(i64::from(record.attempts))
        .bind(record.gateway_id.clone())
        .bind(record.reason.clone())
        .bind(record.at.0)
        .bind(record.key.clone())
        .bind(version);
    write_record(connection, query, || format!("the message of notice {}", record.key)).await
}
