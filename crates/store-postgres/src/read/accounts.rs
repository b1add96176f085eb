//! People at the desk, and what they did.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_store::{ActRecord, OperatorRecord, StoreError};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

macro_rules! operators {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT name, role, state, password, totp_salt, totp_step, invitation, invited_until_us, since_us,
             created_at_us, version FROM operators ",
            $tail
        ))
    };
}

macro_rules! acts {
    ($tail:literal) => {
        sqlx::query(concat!("SELECT number, at_us, who, role, act, previous, hash FROM acts ", $tail))
    };
}

fn operator_of(row: &PgRow) -> Result<OperatorRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(OperatorRecord {
        name: columns.text()?,
        role: columns.word()?,
        state: columns.word()?,
        password: columns.text_maybe()?,
        totp_salt: columns.bytes_maybe()?,
        totp_step: columns.u64_maybe()?,
        invitation: columns.bytes_maybe()?.zip(columns.time_maybe()?),
        since: columns.time()?,
        created_at: columns.time()?,
        version: columns.u64()?,
    })
}

fn act_of(row: &PgRow) -> Result<ActRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(ActRecord {
        number: columns.u64()?,
        at: columns.time()?,
        who: columns.text()?,
        role: columns.text()?,
        act: columns.text()?,
        previous: columns.bytes()?,
        hash: columns.bytes()?,
    })
}

pub(crate) async fn operator(pool: &PgPool, name: &str) -> Result<Option<OperatorRecord>, StoreError> {
    one(pool, operators!("WHERE name = $1").bind(name.to_owned()), operator_of).await
}

pub(crate) async fn operators(pool: &PgPool) -> Result<Vec<OperatorRecord>, StoreError> {
    all(pool, operators!("ORDER BY name LIMIT $1").bind(page(u32::MAX)), operator_of).await
}

pub(crate) async fn acts(
    pool: &PgPool,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<ActRecord>, StoreError> {
    let before = int("act", before.unwrap_or(i64::MAX.unsigned_abs()))?;
    let query = acts!("WHERE number < $1 ORDER BY number DESC LIMIT $2");
    all(pool, query.bind(before).bind(page(limit)), act_of).await
}

pub(crate) async fn acts_after(pool: &PgPool, after: u64, limit: u32) -> Result<Vec<ActRecord>, StoreError> {
    let query = acts!("WHERE number > $1 ORDER BY number LIMIT $2");
    all(pool, query.bind(int("act", after)?).bind(page(limit)), act_of).await
}
