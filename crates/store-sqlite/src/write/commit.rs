//! The changes of one commit: the transfers together, then the records in order.

use super::cache::Cache;
use super::{
    accounts, affairs, bills, call, callback, finding, handset, ledger, market, meters, money, people,
    readings, reconciliation, tariff,
};
use jirani_ledger::Transfer;
use jirani_store::{Change, Committed, StoreError};
use rusqlite::Connection;

pub(super) fn apply(
    connection: &Connection,
    cache: &mut Cache,
    changes: &[Change],
) -> Result<Committed, StoreError> {
    let transfers: Vec<(usize, &Transfer)> = changes
        .iter()
        .enumerate()
        .filter_map(|(index, change)| match change {
            Change::Post(transfer) => Some((index, transfer)),
            _ => None,
        })
        .collect();
    // Transfers do not depend on records, nor records on transfers: together they
    // stand or fall, so their order within a commit cannot be seen from outside.
    let postings = ledger::post(connection, cache, &transfers)?;
    for change in changes {
        match change {
            Change::Post(_) => {}
            Change::Household(record) => people::household(connection, record)?,
            Change::Offer(record) => market::offer(connection, record)?,
            Change::Order(record) => market::order(connection, record)?,
            Change::Rules(record) => call::rules(connection, record)?,
            Change::Call(record) => call::call(connection, record)?,
            Change::Collection(record) => money::collection(connection, record)?,
            Change::Receipt(record) => money::receipt(connection, record)?,
            Change::Payout(record) => money::payout(connection, record)?,
            Change::Reversal(record) => affairs::reversal(connection, record)?,
            Change::Review(record) => affairs::review(connection, record)?,
            Change::Relay(record) => affairs::relay(connection, record)?,
            Change::Proposal(record) => reconciliation::proposal(connection, record)?,
            Change::Reconciliation(record) => reconciliation::reconciliation(connection, record)?,
            Change::Notice(record) => affairs::notice(connection, record)?,
            Change::Handset(record) => handset::handset(connection, record)?,
            Change::Message(record) => handset::message(connection, record)?,
            Change::Session(record) => people::session(connection, record)?,
            Change::Operator(record) => accounts::operator(connection, record)?,
            Change::Act(record) => accounts::act(connection, record)?,
            Change::SlotBills(record) => bills::slot_bills(connection, record)?,
            Change::DayBill(record) => bills::day_bill(connection, record)?,
            Change::Curtailment(record) => bills::curtailment(connection, record)?,
            Change::Shortfall(record) => bills::shortfall(connection, record)?,
            Change::Step(record) => bills::step(connection, record)?,
            Change::Tariff(record) => tariff::tariff(connection, record)?,
            Change::Finding(record) => finding::finding(connection, record)?,
            Change::Meter(record) => meters::meter(connection, record)?,
            Change::MeterEvent(row) => meters::event(connection, row)?,
            Change::Span(span) => meters::span(connection, span)?,
            Change::LastReading { meter, last } => readings::still_last(cache, *meter, *last)?,
            Change::AttestedMeter(record) => super::trust::attested_meter(connection, record)?,
            Change::InboxDone { id, outcome } => callback::done(connection, *id, outcome)?,
            Change::Setting { key, value } => people::setting(connection, key, value)?,
        }
    }
    Ok(Committed { postings })
}
