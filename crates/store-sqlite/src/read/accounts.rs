//! People at the desk, and what they did.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_store::{ActRecord, OperatorRecord, StoreError};
use rusqlite::Connection;

macro_rules! operators {
    ($tail:literal) => {
        query(concat!(
            "SELECT name, role, state, password, totp_salt, totp_step, invitation, invited_until_us, since_us,
             created_at_us, version FROM operators ",
            $tail
        ))
    };
}

macro_rules! acts {
    ($tail:literal) => {
        query(concat!("SELECT number, at_us, who, role, act, previous, hash FROM acts ", $tail))
    };
}

fn operator_of(columns: &mut Columns<'_>) -> Result<OperatorRecord, StoreError> {
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

fn act_of(columns: &mut Columns<'_>) -> Result<ActRecord, StoreError> {
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

pub(crate) fn operator(connection: &Connection, name: &str) -> Result<Option<OperatorRecord>, StoreError> {
    operators!("WHERE name = ?1").bind(name.to_owned()).one(connection, operator_of)
}

pub(crate) fn operators(connection: &Connection) -> Result<Vec<OperatorRecord>, StoreError> {
    operators!("ORDER BY name LIMIT ?1").bind(page(u32::MAX)).all(connection, operator_of)
}

pub(crate) fn acts(
    connection: &Connection,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<ActRecord>, StoreError> {
    let before = int("act", before.unwrap_or(i64::MAX.unsigned_abs()))?;
    let query = acts!("WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
    query.bind(before).bind(page(limit)).all(connection, act_of)
}

pub(crate) fn acts_after(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> Result<Vec<ActRecord>, StoreError> {
    let query = acts!("WHERE number > ?1 ORDER BY number LIMIT ?2");
    query.bind(int("act", after)?).bind(page(limit)).all(connection, act_of)
}
