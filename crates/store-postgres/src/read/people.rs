//! Households, sessions, callbacks and named values.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_store::{
    DeskRole, HouseholdRecord, InboxRow, NewCallback, SessionRecord, SessionRole, StoreError,
};
use jirani_units::{HouseholdId, Msisdn, Timestamp};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! households {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT id, kind, alias, name, msisdn, language, meter, meter_key, meter_epoch, export_rating_w,
             import_rating_w, pv_rated_w, feeder, chain_address, enrolled_at_us, version FROM households ",
            $tail
        ))
    };
}

fn household_of(row: &PgRow) -> Result<HouseholdRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn households(pool: &PgPool) -> Result<Vec<HouseholdRecord>, StoreError> {
    all(pool, households!("ORDER BY id"), household_of).await
}

pub(crate) async fn household(pool: &PgPool, id: HouseholdId) -> Result<Option<HouseholdRecord>, StoreError> {
    one(pool, households!("WHERE id = $1").bind(i64::from(id.0)), household_of).await
}

pub(crate) async fn households_of_number(
    pool: &PgPool,
    msisdn: Msisdn,
) -> Result<Vec<HouseholdRecord>, StoreError> {
    let query = households!("WHERE msisdn = $1 ORDER BY id").bind(int("phone number", msisdn.number())?);
    all(pool, query, household_of).await
}

macro_rules! sessions {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT token_hash, household, desk_role, operator, device, device_name, pin_at_us, created_at_us,
             expires_at_us, version FROM sessions ",
            $tail
        ))
    };
}

fn session_of(row: &PgRow) -> Result<SessionRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn session(
    pool: &PgPool,
    token_hash: [u8; 32],
) -> Result<Option<SessionRecord>, StoreError> {
    one(pool, sessions!("WHERE token_hash = $1").bind(token_hash.to_vec()), session_of).await
}

pub(crate) async fn sessions_of(
    pool: &PgPool,
    household: HouseholdId,
    at: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    let query = sessions!(
        "WHERE household = $1 AND expires_at_us > $2 ORDER BY created_at_us DESC, token_hash LIMIT $3"
    );
    all(pool, query.bind(i64::from(household.0)).bind(at.0).bind(page(u32::MAX)), session_of).await
}

pub(crate) async fn pending_callbacks(pool: &PgPool, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
    let query = sqlx::query(
        "SELECT id, kind, secret, body, source, received_at_us, outcome FROM callbacks WHERE outcome IS NULL
         ORDER BY id LIMIT $1",
    );
    all(pool, query.bind(page(limit)), |row| {
        let mut columns = Columns::of(row);
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
    .await
}

pub(crate) async fn setting(pool: &PgPool, key: &str) -> Result<Option<String>, StoreError> {
    let query = sqlx::query("SELECT value FROM settings WHERE key = $1").bind(key.to_owned());
    one(pool, query, |row| Columns::of(row).text()).await
}
