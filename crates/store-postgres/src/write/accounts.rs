//! People at the desk, and what they did.

use super::people::{versioned, write_record};
use crate::fault::int;
use jirani_store::words::Word as _;
use jirani_store::{ActRecord, OperatorRecord, StoreError};
use sqlx::PgConnection;

pub(super) async fn operator(
    connection: &mut PgConnection,
    record: &OperatorRecord,
) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO operators (role, state, password, totp_salt, totp_step, invitation, invited_until_us, since_us,
         created_at_us, name, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 + 1)",
        "UPDATE operators SET role = $1, state = $2, password = $3, totp_salt = $4, totp_step = $5, invitation = $6,
         invited_until_us = $7, since_us = $8, created_at_us = $9, version = version + 1
         WHERE name = $10 AND version = $11",
    )?;
    let query = sqlx::query(sql)
        .bind(record.role.word())
        .bind(record.state.word())
        .bind(record.password.clone())
        .bind(record.totp_salt.map(|salt| salt.to_vec()))
        .bind(record.totp_step.map(|step| int("step", step)).transpose()?)
        .bind(record.invitation.map(|(hash, _)| hash.to_vec()))
        .bind(record.invitation.map(|(_, until)| until.0))
        .bind(record.since.0)
        .bind(record.created_at.0)
        .bind(record.name.clone())
        .bind(version);
    write_record(connection, query, || format!("the operator {}", record.name)).await
}

/// Only as the next one: a number that is taken, or leaves a gap, is a conflict.
pub(super) async fn act(connection: &mut PgConnection, record: &ActRecord) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO acts (number, at_us, who, role, act, previous, hash) SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE $1 = (SELECT coalesce(max(number), 0) + 1 FROM acts)",
    )
    .bind(int("act", record.number)?)
    .bind(record.at.0)
    .bind(record.who.clone())
    .bind(record.role.clone())
    .bind(record.act.clone())
    .bind(record.previous.to_vec())
    .bind(record.hash.to_vec());
    write_record(connection, query, || format!("act {}", record.number)).await
}
