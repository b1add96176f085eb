//! Bills, what was not produced, and the walk of who owes energy.

use crate::columns::Columns;
use crate::fault::page;
use crate::sql::query;
use jirani_market::bill::Total;
use jirani_store::{
    CurtailmentRecord, DayBillRecord, ShortfallRecord, SlotBillsRecord, StepRecord, StoreError,
};
use jirani_units::{HouseholdId, Slot, Timestamp};
use rusqlite::Connection;

macro_rules! slot_bills {
    ($tail:literal) => {
        query(concat!(
            "SELECT feeder, end_us, length_s, attested_at_us, bills, report FROM slot_bills ",
            $tail
        ))
    };
}

macro_rules! curtailments {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, feeder, slot_end_us, household, energy_wh, reason, note, recorded_by, at_us,
             coalesce(key, '') FROM curtailments ",
            $tail
        ))
    };
}

fn slot_bills_of(columns: &mut Columns<'_>) -> Result<SlotBillsRecord, StoreError> {
    let (feeder, end, length_s, attested_at) =
        (columns.u16()?, columns.time()?, columns.u32()?, columns.time()?);
    let slot = Slot { start: end.plus_seconds(-i64::from(length_s)), length_s };
    let (bills, report) = (columns.text()?, columns.text()?);
    SlotBillsRecord::unpacked(feeder, slot, attested_at, &bills, &report)
}

fn day_bill_of(columns: &mut Columns<'_>) -> Result<DayBillRecord, StoreError> {
    Ok(DayBillRecord {
        household: columns.household()?,
        day: columns.take()?,
        import: columns.wh()?,
        export: columns.wh()?,
        total: Total {
            bought: columns.wh()?,
            sold: columns.wh()?,
            own_use: columns.wh()?,
            shortfall: columns.wh()?,
            paid: columns.cents()?,
            fee: columns.cents()?,
            tax: columns.cents()?,
            received: columns.cents()?,
            owed: columns.cents()?,
            gain: columns.cents()?,
        },
    })
}

fn curtailment_of(columns: &mut Columns<'_>) -> Result<CurtailmentRecord, StoreError> {
    Ok(CurtailmentRecord {
        number: columns.u64()?,
        feeder: columns.u16()?,
        slot_end: columns.time()?,
        household: columns.household()?,
        energy: columns.wh()?,
        reason: columns.word()?,
        note: columns.text()?,
        by: columns.text()?,
        at: columns.time()?,
        key: columns.text()?,
    })
}

fn shortfall_of(columns: &mut Columns<'_>) -> Result<ShortfallRecord, StoreError> {
    Ok(ShortfallRecord { account: columns.json()?, journal: columns.u64()?, version: columns.u64()? })
}

fn step_of(columns: &mut Columns<'_>) -> Result<StepRecord, StoreError> {
    Ok(StepRecord { step: columns.json()?, note: columns.text()? })
}

pub(crate) fn last(
    connection: &Connection,
    feeder: u16,
    whole: bool,
) -> Result<Option<SlotBillsRecord>, StoreError> {
    let query = if whole {
        slot_bills!("WHERE feeder = ?1 AND whole = 1 ORDER BY end_us DESC LIMIT 1")
    } else {
        slot_bills!("WHERE feeder = ?1 ORDER BY end_us DESC LIMIT 1")
    };
    query.bind(i64::from(feeder)).one(connection, slot_bills_of)
}

pub(crate) fn of_slots(
    connection: &Connection,
    feeder: u16,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<SlotBillsRecord>, StoreError> {
    // No slot is longer than a day: its end bounds the search, its start decides.
    let query = slot_bills!(
        "WHERE feeder = ?1 AND end_us > ?2 AND end_us - length_s * 1000000 >= ?2
         AND end_us <= ?4 AND end_us - length_s * 1000000 < ?3 ORDER BY end_us LIMIT ?5"
    );
    let latest = to.0.saturating_add(86_400_000_000);
    let query = query.bind(i64::from(feeder)).bind(from.0).bind(to.0).bind(latest).bind(page(limit));
    query.all(connection, slot_bills_of)
}

pub(crate) fn of_days(
    connection: &Connection,
    household: HouseholdId,
    from: i64,
    to: i64,
) -> Result<Vec<DayBillRecord>, StoreError> {
    let query = query(
        "SELECT household, day, import_wh, export_wh, bought_wh, sold_wh, own_use_wh, shortfall_wh, paid_cents,
         fee_cents, tax_cents, received_cents, owed_cents, gain_cents FROM day_bills
         WHERE household = ?1 AND day >= ?2 AND day <= ?3 ORDER BY day LIMIT ?4",
    );
    let query = query.bind(i64::from(household.0)).bind(from).bind(to).bind(page(u32::MAX));
    query.all(connection, day_bill_of)
}

pub(crate) fn curtailments(
    connection: &Connection,
    feeder: u16,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<CurtailmentRecord>, StoreError> {
    let query = curtailments!(
        "WHERE feeder = ?1 AND slot_end_us > ?2 AND slot_end_us <= ?3 ORDER BY number LIMIT ?4"
    );
    let query = query.bind(i64::from(feeder)).bind(from.0).bind(to.0).bind(page(u32::MAX));
    query.all(connection, curtailment_of)
}

pub(crate) fn curtailment_by_key(
    connection: &Connection,
    household: HouseholdId,
    key: &str,
) -> Result<Option<CurtailmentRecord>, StoreError> {
    let query = curtailments!("WHERE household = ?1 AND key = ?2");
    query.bind(i64::from(household.0)).bind(key.to_owned()).one(connection, curtailment_of)
}

pub(crate) fn shortfalls(connection: &Connection) -> Result<Vec<ShortfallRecord>, StoreError> {
    let query = query("SELECT account, journal, version FROM shortfalls ORDER BY household");
    query.all(connection, shortfall_of)
}

pub(crate) fn shortfall(
    connection: &Connection,
    household: HouseholdId,
) -> Result<Option<ShortfallRecord>, StoreError> {
    let query = query("SELECT account, journal, version FROM shortfalls WHERE household = ?1");
    query.bind(i64::from(household.0)).one(connection, shortfall_of)
}

pub(crate) fn steps_of(
    connection: &Connection,
    household: HouseholdId,
    limit: u32,
) -> Result<Vec<StepRecord>, StoreError> {
    let query =
        query("SELECT step, note FROM shortfall_steps WHERE household = ?1 ORDER BY number DESC LIMIT ?2");
    query.bind(i64::from(household.0)).bind(page(limit)).all(connection, step_of)
}
