//! Bills, what was not produced, and the walk of who owes energy.

use super::people::{versioned, write_record};
use crate::fault::int;
use jirani_store::words::Word as _;
use jirani_store::{
    CurtailmentRecord, DayBillRecord, ShortfallRecord, SlotBillsRecord, StepRecord, StoreError,
};
use sqlx::PgConnection;

pub(super) async fn slot_bills(
    connection: &mut PgConnection,
    record: &SlotBillsRecord,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO slot_bills (feeder, end_us, length_s, attested_at_us, bills, whole, report)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(i64::from(record.feeder))
    .bind(record.slot.end().0)
    .bind(i64::from(record.slot.length_s))
    .bind(record.attested_at.0)
    .bind(record.packed())
    .bind(i64::from(record.is_whole()))
    .bind(record.packed_report());
    write_record(connection, query, || {
        format!("the bills of feeder {} at {}", record.feeder, record.slot.end())
    })
    .await
}

pub(super) async fn day_bill(
    connection: &mut PgConnection,
    record: &DayBillRecord,
) -> Result<(), StoreError> {
    let total = &record.total;
    let query = sqlx::query(
        "INSERT INTO day_bills (household, day, import_wh, export_wh, bought_wh, sold_wh, own_use_wh, shortfall_wh,
         paid_cents, fee_cents, tax_cents, received_cents, owed_cents, gain_cents)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(i64::from(record.household.0))
    .bind(record.day)
    .bind(int("energy", record.import.0)?)
    .bind(int("energy", record.export.0)?)
    .bind(int("energy", total.bought.0)?)
    .bind(int("energy", total.sold.0)?)
    .bind(int("energy", total.own_use.0)?)
    .bind(int("energy", total.shortfall.0)?)
    .bind(total.paid.0)
    .bind(total.fee.0)
    .bind(total.tax.0)
    .bind(total.received.0)
    .bind(total.owed.0)
    .bind(total.gain.0);
    write_record(connection, query, || {
        format!("the bill of household {} for day {}", record.household, record.day)
    })
    .await
}

pub(super) async fn curtailment(
    connection: &mut PgConnection,
    record: &CurtailmentRecord,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO curtailments (number, feeder, slot_end_us, household, energy_wh, reason, note, recorded_by, at_us,
         key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(int("curtailment", record.number)?)
    .bind(i64::from(record.feeder))
    .bind(record.slot_end.0)
    .bind(i64::from(record.household.0))
    .bind(int("energy", record.energy.0)?)
    .bind(record.reason.word())
    .bind(record.note.clone())
    .bind(record.by.clone())
    .bind(record.at.0)
    .bind(record.key.clone());
    write_record(connection, query, || format!("curtailment {}", record.number)).await
}

pub(super) async fn shortfall(
    connection: &mut PgConnection,
    record: &ShortfallRecord,
) -> Result<(), StoreError> {
    let household = record.account.household;
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO shortfalls (account, journal, household, version) VALUES ($1, $2, $3, $4 + 1)",
        "UPDATE shortfalls SET account = $1, journal = $2, version = version + 1
         WHERE household = $3 AND version = $4",
    )?;
    let query = sqlx::query(sql)
        .bind(text(&record.account)?)
        .bind(int("journal row", record.journal)?)
        .bind(i64::from(household.0))
        .bind(version);
    write_record(connection, query, || format!("the standing of household {household}")).await
}

pub(super) async fn step(connection: &mut PgConnection, record: &StepRecord) -> Result<(), StoreError> {
    let step = &record.step;
    let query =
        sqlx::query("INSERT INTO shortfall_steps (household, number, step, note) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(step.household.0))
            .bind(int("step", step.number)?)
            .bind(text(step)?)
            .bind(record.note.clone());
    write_record(connection, query, || format!("step {} of household {}", step.number, step.household)).await
}

fn text(record: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record)
        .map_err(|error| StoreError::Damaged { what: format!("a record that cannot be written: {error}") })
}
