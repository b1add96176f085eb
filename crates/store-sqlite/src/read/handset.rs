//! Phones: PINs, and text messages of notices.

use super::affairs::notice_of;
use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::{HandsetRecord, MessageRecord, NoticeRecord, StoreError};
use jirani_units::{HouseholdId, Timestamp};
use rusqlite::Connection;

macro_rules! messages {
    ($tail:literal) => {
        query(concat!(
            "SELECT key, household, state, attempts, gateway_id, reason, at_us, version FROM messages ",
            $tail
        ))
    };
}

fn handset_of(columns: &mut Columns<'_>) -> Result<HandsetRecord, StoreError> {
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

fn message_of(columns: &mut Columns<'_>) -> Result<MessageRecord, StoreError> {
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

fn numbered_notice(columns: &mut Columns<'_>) -> Result<(u64, NoticeRecord), StoreError> {
    Ok((columns.u64()?, notice_of(columns)?))
}

pub(crate) fn handset(
    connection: &Connection,
    household: HouseholdId,
) -> Result<Option<HandsetRecord>, StoreError> {
    let query = query(
        "SELECT household, pin, code, code_until_us, codes_sent, codes_since_us, wrong, locked_until_us, muted, version
         FROM handsets WHERE household = ?1",
    )
    .bind(i64::from(household.0));
    query.one(connection, handset_of)
}

pub(crate) fn message(connection: &Connection, key: &str) -> Result<Option<MessageRecord>, StoreError> {
    let query = messages!("WHERE key = ?1").bind(key.to_owned());
    query.one(connection, message_of)
}

pub(crate) fn message_by_gateway_id(
    connection: &Connection,
    id: &str,
) -> Result<Option<MessageRecord>, StoreError> {
    let query = messages!("WHERE gateway_id = ?1 LIMIT 1").bind(id.to_owned());
    query.one(connection, message_of)
}

pub(crate) fn messages_since(
    connection: &Connection,
    household: HouseholdId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let query = query(
        "SELECT count(*) FROM messages WHERE household = ?1 AND at_us >= ?2
         AND state IN ('unknown', 'sent', 'delivered')",
    )
    .bind(i64::from(household.0))
    .bind(since.0);
    let count = query.one(connection, |columns| columns.u64())?;
    Ok(count.unwrap_or(0))
}

pub(crate) fn unsent_notices(
    connection: &Connection,
    since: Timestamp,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, NoticeRecord)>, StoreError> {
    let query = query(
        "SELECT number, key, household, code, en, sw, at_us FROM notices INDEXED BY notices_at
         WHERE household IS NOT NULL AND at_us >= ?1 AND number > ?2
         AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.key = notices.key AND messages.state <> 'waiting')
         ORDER BY number LIMIT ?3",
    )
    .bind(since.0)
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(page(limit));
    query.all(connection, numbered_notice)
}
