//! The changes of one commit: the transfers together, then the records in order.

use super::cache::Cache;
use super::{
    accounts, affairs, bills, call, callback, finding, handset, ledger, market, meters, money, people,
    readings, reconciliation, tariff,
};
use jirani_ledger::Transfer;
use jirani_store::{Change, Committed, StoreError};
use sqlx::PgConnection;

pub(super) async fn apply(
    connection: &mut PgConnection,
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
    let postings = ledger::post(connection, cache, &transfers).await?;
    for change in changes {
        match change {
            Change::Post(_) => {}
            Change::Household(record) => people::household(connection, record).await?,
            Change::Offer(record) => market::offer(connection, record).await?,
            Change::Order(record) => market::order(connection, record).await?,
            Change::Rules(record) => call::rules(connection, record).await?,
            Change::Call(record) => call::call(connection, record).await?,
            Change::Collection(record) => money::collection(connection, record).await?,
            Change::Receipt(record) => money::receipt(connection, record).await?,
            Change::Payout(record) => money::payout(connection, record).await?,
            Change::Reversal(record) => affairs::reversal(connection, record).await?,
            Change::Review(record) => affairs::review(connection, record).await?,
            Change::Relay(record) => affairs::relay(connection, record).await?,
            Change::Proposal(record) => reconciliation::proposal(connection, record).await?,
            Change::Reconciliation(record) => reconciliation::reconciliation(connection, record).await?,
            Change::Notice(record) => affairs::notice(connection, record).await?,
            Change::Handset(record) => handset::handset(connection, record).await?,
            Change::Message(record) => handset::message(connection, record).await?,
            Change::Session(record) => people::session(connection, record).await?,
            Change::Operator(record) => accounts::operator(connection, record).await?,
            Change::Act(record) => accounts::act(connection, record).await?,
            Change::SlotBills(record) => bills::slot_bills(connection, record).await?,
            Change::DayBill(record) => bills::day_bill(connection, record).await?,
            Change::Curtailment(record) => bills::curtailment(connection, record).await?,
            Change::Shortfall(record) => bills::shortfall(connection, record).await?,
            Change::Step(record) => bills::step(connection, record).await?,
            Change::Tariff(record) => tariff::tariff(connection, record).await?,
            Change::Finding(record) => finding::finding(connection, record).await?,
            Change::Meter(record) => meters::meter(connection, record).await?,
            Change::MeterEvent(row) => meters::event(connection, row).await?,
            Change::Span(span) => meters::span(connection, span).await?,
            Change::LastReading { meter, last } => readings::still_last(cache, *meter, *last)?,
            Change::AttestedMeter(record) => super::trust::attested_meter(connection, record).await?,
            Change::InboxDone { id, outcome } => callback::done(connection, *id, outcome).await?,
            Change::Setting { key, value } => people::setting(connection, key, value).await?,
        }
    }
    Ok(Committed { postings })
}
