//! Households' rules, the calls of slots, and what calls look back at.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_store::{CallRecord, RulesRecord, StoreError};
use jirani_units::{Cents, HouseholdId, Slot, Timestamp, Wh};
use rusqlite::Connection;

macro_rules! calls {
    ($tail:literal) => {
        query(concat!(
            "SELECT feeder, slot_start_us, slot_length_s, state, book, carried_out, made_at_us, done_at_us, version
             FROM calls ",
            $tail
        ))
    };
}

fn rules_of(columns: &mut Columns<'_>) -> Result<RulesRecord, StoreError> {
    Ok(RulesRecord { household: columns.household()?, rules: columns.json()?, version: columns.u64()? })
}

fn call_of(columns: &mut Columns<'_>) -> Result<CallRecord, StoreError> {
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

pub(crate) fn rules(
    connection: &Connection,
    household: HouseholdId,
) -> Result<Option<RulesRecord>, StoreError> {
    let query = query("SELECT household, rules, version FROM rules WHERE household = ?");
    query.bind(i64::from(household.0)).one(connection, rules_of)
}

pub(crate) fn all_rules(connection: &Connection) -> Result<Vec<RulesRecord>, StoreError> {
    query("SELECT household, rules, version FROM rules ORDER BY household").all(connection, rules_of)
}

pub(crate) fn call(
    connection: &Connection,
    feeder: u16,
    slot_start: Timestamp,
) -> Result<Option<CallRecord>, StoreError> {
    let query = calls!("WHERE feeder = ? AND slot_start_us = ?").bind(i64::from(feeder)).bind(slot_start.0);
    query.one(connection, call_of)
}

pub(crate) fn calls(connection: &Connection, feeder: u16, limit: u32) -> Result<Vec<CallRecord>, StoreError> {
    let query = calls!("WHERE feeder = ? ORDER BY slot_start_us DESC LIMIT ?");
    query.bind(i64::from(feeder)).bind(page(limit)).all(connection, call_of)
}

pub(crate) fn live(connection: &Connection) -> Result<Vec<CallRecord>, StoreError> {
    let query = calls!("WHERE state <> 'done' ORDER BY slot_start_us, feeder LIMIT ?");
    query.bind(page(jirani_store::verbs::PAGE_MAX)).all(connection, call_of)
}

pub(crate) fn spent_by_rule(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<(HouseholdId, Cents)>, StoreError> {
    let query = query(
        "SELECT buyer, sum(due_cents) FROM orders INDEXED BY orders_of_rules
         WHERE substr(key, 1, 5) = '@buy/' AND created_at_us >= ? AND state NOT IN ('refused', 'released')
         GROUP BY buyer ORDER BY buyer",
    );
    query.bind(since.0).all(connection, |columns| Ok((columns.household()?, columns.cents()?)))
}

pub(crate) fn bought_between(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(HouseholdId, Wh)>, StoreError> {
    let query = query(
        "SELECT buyer, sum(energy_wh) FROM orders INDEXED BY orders_settled JOIN fills ON order_id = id
         WHERE state = 'settled' AND final_at_us >= ? AND final_at_us < ? GROUP BY buyer ORDER BY buyer",
    );
    query.bind(from.0).bind(to.0).all(connection, |columns| Ok((columns.household()?, columns.wh()?)))
}
