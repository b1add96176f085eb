//! Collections, receipts and payouts.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_store::{
    CollectionRecord, CollectionState, PayoutRecord, PayoutState, ReceiptRecord, ReceiptUse, StoreError,
};
use jirani_units::{Cents, HouseholdId, OrderId, PayoutId, Receipt, Reference, Timestamp};
use rusqlite::Connection;

macro_rules! collections {
    ($tail:literal) => {
        query(concat!(
            "SELECT order_id, payer, msisdn, amount_cents, reference, secret, checkout_request_id, state,
             refusal_code, receipt, created_at_us, next_check_at_us, checks, version FROM collections ",
            $tail
        ))
    };
}

macro_rules! receipts {
    ($tail:literal) => {
        query(concat!(
            "SELECT number, receipt, amount_cents, paid_at_us, payer, used_for, used_id, received_at_us, version
             FROM receipts ",
            $tail
        ))
    };
}

macro_rules! payouts {
    ($tail:literal) => {
        query(concat!(
            "SELECT id, household, msisdn, amount_cents, sent_cents, charge_cents, originator_id, secret,
             conversation_id, state, failure_code, receipt, key, created_at_us, final_at_us, attempt, version FROM payouts ",
            $tail
        ))
    };
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("a stored {what}") }
}

fn collection_of(columns: &mut Columns<'_>) -> Result<CollectionRecord, StoreError> {
    let (order, payer, msisdn) = (OrderId(columns.u64()?), columns.household()?, columns.msisdn()?);
    let (amount, reference, secret) = (columns.cents()?, columns.parsed()?, columns.text()?);
    let checkout_request_id = columns.text_maybe()?;
    let (state, code) = (columns.text()?, columns.text_maybe()?);
    let state = match (state.as_str(), code) {
        ("planned", None) => CollectionState::Planned,
        ("send_unknown", None) => CollectionState::SendUnknown,
        ("pending", None) => CollectionState::Pending,
        ("receipt_awaited", None) => CollectionState::ReceiptAwaited,
        ("paid", None) => CollectionState::Paid,
        ("refused", Some(code)) => CollectionState::Refused { code },
        ("expired", None) => CollectionState::Expired,
        _ => return Err(damaged("collection's state")),
    };
    Ok(CollectionRecord {
        order,
        payer,
        msisdn,
        amount,
        reference,
        secret,
        checkout_request_id,
        state,
        receipt: columns.receipt_maybe()?,
        created_at: columns.time()?,
        next_check_at: columns.time_maybe()?,
        checks: columns.u32()?,
        version: columns.u64()?,
    })
}

fn numbered_receipt_of(columns: &mut Columns<'_>) -> Result<(u64, ReceiptRecord), StoreError> {
    let (number, receipt, amount) = (columns.u64()?, columns.parsed()?, columns.cents()?);
    let (paid_at, payer) = (columns.time()?, columns.household_maybe()?);
    let (used_for, used_id) = (columns.text()?, columns.u64_maybe()?);
    let used_for = match (used_for.as_str(), used_id) {
        ("order", Some(order)) => ReceiptUse::Order(OrderId(order)),
        ("settled", Some(order)) => ReceiptUse::Settled(OrderId(order)),
        ("balance", Some(id)) => {
            ReceiptUse::Balance(HouseholdId(u32::try_from(id).map_err(|_| damaged("receipt's household"))?))
        }
        ("suspense", None) => ReceiptUse::Suspense,
        ("reversed", None) => ReceiptUse::Reversed,
        _ => return Err(damaged("receipt's use")),
    };
    let (received_at, version) = (columns.time()?, columns.u64()?);
    Ok((number, ReceiptRecord { receipt, amount, paid_at, payer, used_for, received_at, version }))
}

fn receipt_of(columns: &mut Columns<'_>) -> Result<ReceiptRecord, StoreError> {
    numbered_receipt_of(columns).map(|(_, receipt)| receipt)
}

fn payout_of(columns: &mut Columns<'_>) -> Result<PayoutRecord, StoreError> {
    let (id, household, msisdn) = (PayoutId(columns.u64()?), columns.household()?, columns.msisdn()?);
    let (amount, sent, charge) = (columns.cents()?, columns.cents()?, columns.cents()?);
    let (originator_id, secret, conversation_id) = (columns.text()?, columns.text()?, columns.text_maybe()?);
    let (state, code) = (columns.text()?, columns.text_maybe()?);
    let state = match (state.as_str(), code) {
        ("planned", None) => PayoutState::Planned,
        ("unknown", None) => PayoutState::Unknown,
        ("accepted", None) => PayoutState::Accepted,
        ("paid", None) => PayoutState::Paid,
        ("failed", Some(code)) => PayoutState::Failed { code },
        _ => return Err(damaged("payout's state")),
    };
    Ok(PayoutRecord {
        id,
        household,
        msisdn,
        amount,
        sent,
        charge,
        originator_id,
        secret,
        conversation_id,
        state,
        receipt: columns.receipt_maybe()?,
        key: columns.text()?,
        created_at: columns.time()?,
        final_at: columns.time_maybe()?,
        attempt: columns.u32()?,
        version: columns.u64()?,
    })
}

pub(crate) fn collection(
    connection: &Connection,
    order: OrderId,
) -> Result<Option<CollectionRecord>, StoreError> {
    collections!("WHERE order_id = ?").bind(int("order", order.0)?).one(connection, collection_of)
}

pub(crate) fn collection_by_secret(
    connection: &Connection,
    secret: &str,
) -> Result<Option<CollectionRecord>, StoreError> {
    collections!("WHERE secret = ?").bind(secret.to_owned()).one(connection, collection_of)
}

pub(crate) fn collection_by_reference(
    connection: &Connection,
    reference: &Reference,
) -> Result<Option<CollectionRecord>, StoreError> {
    collections!("WHERE reference = ?").bind(reference.as_str().to_owned()).one(connection, collection_of)
}

pub(crate) fn live_collections(connection: &Connection) -> Result<Vec<CollectionRecord>, StoreError> {
    let query = collections!("WHERE state NOT IN ('paid', 'refused', 'expired') ORDER BY order_id");
    query.all(connection, collection_of)
}

pub(crate) fn receipt(
    connection: &Connection,
    receipt: &Receipt,
) -> Result<Option<ReceiptRecord>, StoreError> {
    receipts!("WHERE receipt = ?").bind(receipt.as_str().to_owned()).one(connection, receipt_of)
}

pub(crate) fn waiting_receipts(connection: &Connection) -> Result<Vec<ReceiptRecord>, StoreError> {
    receipts!("WHERE used_for = 'order' ORDER BY number").all(connection, receipt_of)
}

pub(crate) fn receipts_after(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, ReceiptRecord)>, StoreError> {
    let query = receipts!("WHERE number > ? ORDER BY number LIMIT ?");
    query.bind(int("receipt", after)?).bind(page(limit)).all(connection, numbered_receipt_of)
}

pub(crate) fn payout(connection: &Connection, id: PayoutId) -> Result<Option<PayoutRecord>, StoreError> {
    payouts!("WHERE id = ?").bind(int("payout", id.0)?).one(connection, payout_of)
}

pub(crate) fn payout_by_secret(
    connection: &Connection,
    secret: &str,
) -> Result<Option<PayoutRecord>, StoreError> {
    payouts!("WHERE secret = ?").bind(secret.to_owned()).one(connection, payout_of)
}

pub(crate) fn live_payouts(connection: &Connection) -> Result<Vec<PayoutRecord>, StoreError> {
    payouts!("WHERE state NOT IN ('paid', 'failed') ORDER BY id").all(connection, payout_of)
}

pub(crate) fn payouts_of(
    connection: &Connection,
    household: HouseholdId,
    limit: u32,
) -> Result<Vec<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE household = ? ORDER BY id DESC LIMIT ?");
    query.bind(i64::from(household.0)).bind(page(limit)).all(connection, payout_of)
}

pub(crate) fn payout_by_key(
    connection: &Connection,
    household: HouseholdId,
    key: &str,
) -> Result<Option<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE household = ? AND key = ?");
    query.bind(i64::from(household.0)).bind(key.to_owned()).one(connection, payout_of)
}

pub(crate) fn payouts_after(
    connection: &Connection,
    after: PayoutId,
    limit: u32,
) -> Result<Vec<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE id > ? ORDER BY id LIMIT ?");
    query.bind(int("payout", after.0)?).bind(page(limit)).all(connection, payout_of)
}

pub(crate) fn paid_out_since(connection: &Connection, since: Timestamp) -> Result<Cents, StoreError> {
    let query = query(
        "SELECT coalesce(sum(amount_cents), 0) FROM payouts WHERE created_at_us >= ? AND state <> 'failed'",
    );
    let sum = query.bind(since.0).one(connection, |columns| columns.cents())?;
    Ok(sum.unwrap_or_default())
}
