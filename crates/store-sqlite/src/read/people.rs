//! Households, sessions, callbacks and named values.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_store::{
    DeskRole, HouseholdRecord, InboxRow, NewCallback, SessionRecord, SessionRole, StoreError,
};
use jirani_units::{HouseholdId, Msisdn, Timestamp};
use rusqlite::Connection;

macro_rules! households {
    ($tail:literal) => {
        query(concat!(
            "SELECT id, kind, alias, name, msisdn, language, meter, meter_key, meter_epoch, export_rating_w,
             import_rating_w, pv_rated_w, feeder, chain_address, enrolled_at_us, version FROM households ",
            $tail
        ))
    };
}

fn household_of(columns: &mut Columns<'_>) -> Result<HouseholdRecord, StoreError> {
    Ok(HouseholdRecord {
        id: columns.household()?,
        kind: columns.word()?,
        alias: columns.text()?,
        name: columns.text()?,
        msisdn: columns.msisdn_maybe()?,
        language: columns.word()?,
        meter: columns.meter_maybe()?,
        meter_key: columns.bytes()?,
        meter_epoch: columns.u32()?,
        export_rating_w: columns.u32()?,
        import_rating_w: columns.u32()?,
        pv_rated_w: columns.u32()?,
        feeder: columns.u16()?,
        chain_address: columns.bytes_maybe()?,
        enrolled_at: columns.time()?,
        version: columns.u64()?,
    })
}

pub(crate) fn households(connection: &Connection) -> Result<Vec<HouseholdRecord>, StoreError> {
    households!("ORDER BY id").all(connection, household_of)
}

pub(crate) fn household(
    connection: &Connection,
    id: HouseholdId,
) -> Result<Option<HouseholdRecord>, StoreError> {
    households!("WHERE id = ?").bind(i64::from(id.0)).one(connection, household_of)
}

pub(crate) fn households_of_number(
    connection: &Connection,
    msisdn: Msisdn,
) -> Result<Vec<HouseholdRecord>, StoreError> {
    let query = households!("WHERE msisdn = ? ORDER BY id").bind(int("phone number", msisdn.number())?);
    query.all(connection, household_of)
}

macro_rules! sessions {
    ($tail:literal) => {
        query(concat!(
            "SELECT token_hash, household, desk_role, operator, device, device_name, pin_at_us, created_at_us,
             expires_at_us, version FROM sessions ",
            $tail
        ))
    };
}

fn session_of(columns: &mut Columns<'_>) -> Result<SessionRecord, StoreError> {
    let token_hash = columns.bytes()?;
    let (household, desk) = (columns.household_maybe()?, columns.word_maybe()?);
    Ok(SessionRecord {
        token_hash,
        role: role_of(household, desk)?,
        operator: columns.text_maybe()?,
        device: columns.bytes()?,
        device_name: columns.text_maybe()?,
        pin_at: columns.time_maybe()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        version: columns.u64()?,
    })
}

fn role_of(household: Option<HouseholdId>, desk: Option<DeskRole>) -> Result<SessionRole, StoreError> {
    match (household, desk) {
        (Some(household), None) => Ok(SessionRole::Household(household)),
        (None, Some(role)) => Ok(SessionRole::Desk(role)),
        _ => Err(StoreError::Damaged { what: "a stored session is nobody's".to_owned() }),
    }
}

pub(crate) fn session(
    connection: &Connection,
    token_hash: [u8; 32],
) -> Result<Option<SessionRecord>, StoreError> {
    sessions!("WHERE token_hash = ?1").bind(token_hash).one(connection, session_of)
}

pub(crate) fn sessions_of(
    connection: &Connection,
    household: HouseholdId,
    at: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    sessions!("WHERE household = ?1 AND expires_at_us > ?2 ORDER BY created_at_us DESC, token_hash LIMIT ?3")
        .bind(i64::from(household.0))
        .bind(at.0)
        .bind(page(u32::MAX))
        .all(connection, session_of)
}

pub(crate) fn pending_callbacks(connection: &Connection, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
    let query = query(
        "SELECT id, kind, secret, body, source, received_at_us, outcome FROM callbacks WHERE outcome IS NULL
         ORDER BY id LIMIT ?",
    );
    query.bind(page(limit)).all(connection, |columns| {
        Ok(InboxRow {
            id: columns.u64()?,
            callback: NewCallback {
                kind: columns.word()?,
                secret: columns.text()?,
                body: columns.take()?,
                source: columns.text()?,
                received_at: columns.time()?,
            },
            outcome: columns.text_maybe()?,
        })
    })
}

pub(crate) fn setting(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let query = query("SELECT value FROM settings WHERE key = ?").bind(key.to_owned());
    query.one(connection, |columns| columns.text())
}
