//! Households' rules, the calls of slots, and what calls look back at.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::page;
use jirani_store::{CallRecord, RulesRecord, StoreError};
use jirani_units::{Cents, HouseholdId, Slot, Timestamp, Wh};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! calls {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT feeder, slot_start_us, slot_length_s, state, book, carried_out, made_at_us, done_at_us, version
             FROM calls ",
            $tail
        ))
    };
}

fn rules_of(row: &PgRow) -> Result<RulesRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(RulesRecord { household: columns.household()?, rules: columns.json()?, version: columns.u64()? })
}

fn call_of(row: &PgRow) -> Result<CallRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(CallRecord {
        feeder: columns.u16()?,
        slot: Slot { start: columns.time()?, length_s: columns.u32()? },
        state: columns.word()?,
        book: columns.text()?,
        carried_out: columns.text()?,
        made_at: columns.time()?,
        done_at: columns.time_maybe()?,
        version: columns.u64()?,
    })
}

pub(crate) async fn rules(pool: &PgPool, household: HouseholdId) -> Result<Option<RulesRecord>, StoreError> {
    let query = sqlx::query("SELECT household, rules, version FROM rules WHERE household = $1");
    one(pool, query.bind(i64::from(household.0)), rules_of).await
}

pub(crate) async fn all_rules(pool: &PgPool) -> Result<Vec<RulesRecord>, StoreError> {
    all(pool, sqlx::query("SELECT household, rules, version FROM rules ORDER BY household"), rules_of).await
}

pub(crate) async fn call(
    pool: &PgPool,
    feeder: u16,
    slot_start: Timestamp,
) -> Result<Option<CallRecord>, StoreError> {
    let query = calls!("WHERE feeder = $1 AND slot_start_us = $2").bind(i64::from(feeder)).bind(slot_start.0);
    one(pool, query, call_of).await
}

pub(crate) async fn calls(pool: &PgPool, feeder: u16, limit: u32) -> Result<Vec<CallRecord>, StoreError> {
    let query = calls!("WHERE feeder = $1 ORDER BY slot_start_us DESC LIMIT $2");
    all(pool, query.bind(i64::from(feeder)).bind(page(limit)), call_of).await
}

pub(crate) async fn live(pool: &PgPool) -> Result<Vec<CallRecord>, StoreError> {
    let query = calls!("WHERE state <> 'done' ORDER BY slot_start_us, feeder LIMIT $1");
    all(pool, query.bind(page(jirani_store::verbs::PAGE_MAX)), call_of).await
}

pub(crate) async fn spent_by_rule(
    pool: &PgPool,
    since: Timestamp,
) -> Result<Vec<(HouseholdId, Cents)>, StoreError> {
    let query = sqlx::query(
        "SELECT buyer, sum(due_cents)::bigint FROM orders
         WHERE substr(key, 1, 5) = '@buy/' AND created_at_us >= $1 AND state NOT IN ('refused', 'released')
         GROUP BY buyer ORDER BY buyer",
    );
    all(pool, query.bind(since.0), |row| {
        let mut columns = Columns::of(row);
        Ok((columns.household()?, columns.cents()?))
    })
    .await
}

pub(crate) async fn bought_between(
    pool: &PgPool,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(HouseholdId, Wh)>, StoreError> {
    let query = sqlx::query(
        "SELECT buyer, sum(energy_wh)::bigint FROM orders JOIN fills ON order_id = id
         WHERE state = 'settled' AND final_at_us >= $1 AND final_at_us < $2 GROUP BY buyer ORDER BY buyer",
    );
    all(pool, query.bind(from.0).bind(to.0), |row| {
        let mut columns = Columns::of(row);
        Ok((columns.household()?, columns.wh()?))
    })
    .await
}
