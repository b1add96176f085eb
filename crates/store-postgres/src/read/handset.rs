//! Phones: PINs, and text messages of notices.

use super::affairs::notice_of;
use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::{HandsetRecord, MessageRecord, NoticeRecord, StoreError};
use jirani_units::{HouseholdId, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

macro_rules! messages {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT key, household, state, attempts, gateway_id, reason, at_us, version FROM messages ",
            $tail
        ))
    };
}

fn handset_of(row: &PgRow) -> Result<HandsetRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(HandsetRecord {
        household: columns.household()?,
        pin: columns.text_maybe()?,
        code: columns.text_maybe()?,
        code_until: columns.time_maybe()?,
        codes_sent: columns.u32()?,
        codes_since: columns.time()?,
        wrong: columns.u32()?,
        locked_until: columns.time_maybe()?,
        muted: columns.flag()?,
        version: columns.u64()?,
    })
}

fn message_of(row: &PgRow) -> Result<MessageRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(MessageRecord {
        key: columns.text()?,
        household: columns.household()?,
        state: columns.word()?,
        attempts: columns.u32()?,
        gateway_id: columns.text_maybe()?,
        reason: columns.text_maybe()?,
        at: columns.time()?,
        version: columns.u64()?,
    })
}

fn numbered_notice(row: &PgRow) -> Result<(u64, NoticeRecord), StoreError> {
    let mut columns = Columns::of(row);
    Ok((columns.u64()?, notice_of(&mut columns)?))
}

pub(crate) async fn handset(
    pool: &PgPool,
    household: HouseholdId,
) -> Result<Option<HandsetRecord>, StoreError> {
    let query = sqlx::query(
        "SELECT household, pin, code, code_until_us, codes_sent, codes_since_us, wrong, locked_until_us, muted, version
         FROM handsets WHERE household = $1",
    )
    .bind(i64::from(household.0));
    one(pool, query, handset_of).await
}

pub(crate) async fn message(pool: &PgPool, key: &str) -> Result<Option<MessageRecord>, StoreError> {
    let query = messages!("WHERE key = $1").bind(key.to_owned());
    one(pool, query, message_of).await
}

pub(crate) async fn message_by_gateway_id(
    pool: &PgPool,
    id: &str,
) -> Result<Option<MessageRecord>, StoreError> {
    let query = messages!("WHERE gateway_id = $1 LIMIT 1").bind(id.to_owned());
    one(pool, query, message_of).await
}

pub(crate) async fn messages_since(
    pool: &PgPool,
    household: HouseholdId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let query = sqlx::query(
        "SELECT count(*) FROM messages WHERE household = $1 AND at_us >= $2
         AND state IN ('unknown', 'sent', 'delivered')",
    )
    .bind(i64::from(household.0))
    .bind(since.0);
    let count = one(pool, query, |row| Columns::of(row).u64()).await?;
    Ok(count.unwrap_or(0))
}

pub(crate) async fn unsent_notices(
    pool: &PgPool,
    since: Timestamp,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, NoticeRecord)>, StoreError> {
    let query = sqlx::query(
        "SELECT number, key, household, code, en, sw, at_us FROM notices
         WHERE household IS NOT NULL AND at_us >= $1 AND number > $2
         AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.key = notices.key AND messages.state <> 'waiting')
         ORDER BY number LIMIT $3",
    )
    .bind(since.0)
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(page(limit));
    all(pool, query, numbered_notice).await
}
