//! Collections, receipts and payouts.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_store::{
    CollectionRecord, CollectionState, PayoutRecord, PayoutState, ReceiptRecord, ReceiptUse, StoreError,
};
use jirani_units::{Cents, HouseholdId, OrderId, PayoutId, Receipt, Reference, Timestamp};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! collections {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT order_id, payer, msisdn, amount_cents, reference, secret, checkout_request_id, state,
             refusal_code, receipt, created_at_us, next_check_at_us, checks, version FROM collections ",
            $tail
        ))
    };
}

macro_rules! receipts {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT number, receipt, amount_cents, paid_at_us, payer, used_for, used_id, received_at_us, version
             FROM receipts ",
            $tail
        ))
    };
}

macro_rules! payouts {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT id, household, msisdn, amount_cents, sent_cents, charge_cents, originator_id, secret,
             conversation_id, state, failure_code, receipt, key, created_at_us, final_at_us, attempt, version FROM payouts ",
            $tail
        ))
    };
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("a stored {what}") }
}

fn collection_of(row: &PgRow) -> Result<CollectionRecord, StoreError> {
    let mut columns = Columns::of(row);
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

fn numbered_receipt_of(row: &PgRow) -> Result<(u64, ReceiptRecord), StoreError> {
    let mut columns = Columns::of(row);
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

fn receipt_of(row: &PgRow) -> Result<ReceiptRecord, StoreError> {
    numbered_receipt_of(row).map(|(_, receipt)| receipt)
}

fn payout_of(row: &PgRow) -> Result<PayoutRecord, StoreError> {
    let mut columns = Columns::of(row);
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

pub(crate) async fn collection(
    pool: &PgPool,
    order: OrderId,
) -> Result<Option<CollectionRecord>, StoreError> {
    one(pool, collections!("WHERE order_id = $1").bind(int("order", order.0)?), collection_of).await
}

pub(crate) async fn collection_by_secret(
    pool: &PgPool,
    secret: &str,
) -> Result<Option<CollectionRecord>, StoreError> {
    one(pool, collections!("WHERE secret = $1").bind(secret.to_owned()), collection_of).await
}

pub(crate) async fn collection_by_reference(
    pool: &PgPool,
    reference: &Reference,
) -> Result<Option<CollectionRecord>, StoreError> {
    one(pool, collections!("WHERE reference = $1").bind(reference.as_str().to_owned()), collection_of).await
}

pub(crate) async fn live_collections(pool: &PgPool) -> Result<Vec<CollectionRecord>, StoreError> {
    let query = collections!("WHERE state NOT IN ('paid', 'refused', 'expired') ORDER BY order_id");
    all(pool, query, collection_of).await
}

pub(crate) async fn receipt(pool: &PgPool, receipt: &Receipt) -> Result<Option<ReceiptRecord>, StoreError> {
    one(pool, receipts!("WHERE receipt = $1").bind(receipt.as_str().to_owned()), receipt_of).await
}

pub(crate) async fn waiting_receipts(pool: &PgPool) -> Result<Vec<ReceiptRecord>, StoreError> {
    all(pool, receipts!("WHERE used_for = 'order' ORDER BY number"), receipt_of).await
}

pub(crate) async fn receipts_after(
    pool: &PgPool,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, ReceiptRecord)>, StoreError> {
    let query = receipts!("WHERE number > $1 ORDER BY number LIMIT $2");
    all(pool, query.bind(int("receipt", after)?).bind(page(limit)), numbered_receipt_of).await
}

pub(crate) async fn payout(pool: &PgPool, id: PayoutId) -> Result<Option<PayoutRecord>, StoreError> {
    one(pool, payouts!("WHERE id = $1").bind(int("payout", id.0)?), payout_of).await
}

pub(crate) async fn payout_by_secret(
    pool: &PgPool,
    secret: &str,
) -> Result<Option<PayoutRecord>, StoreError> {
    one(pool, payouts!("WHERE secret = $1").bind(secret.to_owned()), payout_of).await
}

pub(crate) async fn live_payouts(pool: &PgPool) -> Result<Vec<PayoutRecord>, StoreError> {
    all(pool, payouts!("WHERE state NOT IN ('paid', 'failed') ORDER BY id"), payout_of).await
}

pub(crate) async fn payouts_of(
    pool: &PgPool,
    household: HouseholdId,
    limit: u32,
) -> Result<Vec<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE household = $1 ORDER BY id DESC LIMIT $2");
    all(pool, query.bind(i64::from(household.0)).bind(page(limit)), payout_of).await
}

pub(crate) async fn payout_by_key(
    pool: &PgPool,
    household: HouseholdId,
    key: &str,
) -> Result<Option<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE household = $1 AND key = $2");
    one(pool, query.bind(i64::from(household.0)).bind(key.to_owned()), payout_of).await
}

pub(crate) async fn payouts_after(
    pool: &PgPool,
    after: PayoutId,
    limit: u32,
) -> Result<Vec<PayoutRecord>, StoreError> {
    let query = payouts!("WHERE id > $1 ORDER BY id LIMIT $2");
    all(pool, query.bind(int("payout", after.0)?).bind(page(limit)), payout_of).await
}

pub(crate) async fn paid_out_since(pool: &PgPool, since: Timestamp) -> Result<Cents, StoreError> {
    let query = sqlx::query(
        "SELECT coalesce(sum(amount_cents), 0)::bigint FROM payouts WHERE created_at_us >= $1 AND state <> 'failed'",
    );
    let sum = one(pool, query.bind(since.0), |row| Columns::of(row).cents()).await?;
    Ok(sum.unwrap_or_default())
}
