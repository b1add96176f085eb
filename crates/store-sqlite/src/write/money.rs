//! Collections, receipts and payouts.

use super::people::{versioned, write_record};
use crate::fault::int;
use crate::sql::query;
use jirani_store::{
    CollectionRecord, CollectionState, PayoutRecord, PayoutState, ReceiptRecord, ReceiptUse, StoreError,
};
use rusqlite::Connection;

pub(super) fn collection(connection: &Connection, record: &CollectionRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO collections (payer, msisdn, amount_cents, reference, secret, checkout_request_id, state,
         refusal_code, receipt, created_at_us, next_check_at_us, checks, order_id, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 + 1)",
        "UPDATE collections SET payer = ?1, msisdn = ?2, amount_cents = ?3, reference = ?4, secret = ?5,
         checkout_request_id = ?6, state = ?7, refusal_code = ?8, receipt = ?9, created_at_us = ?10,
         next_check_at_us = ?11, checks = ?12, version = version + 1 WHERE order_id = ?13 AND version = ?14",
    )?;
    let (state, code) = match &record.state {
        CollectionState::Planned => ("planned", None),
        CollectionState::SendUnknown => ("send_unknown", None),
        CollectionState::Pending => ("pending", None),
        CollectionState::ReceiptAwaited => ("receipt_awaited", None),
        CollectionState::Paid => ("paid", None),
        CollectionState::Refused { code } => ("refused", Some(code.clone())),
        CollectionState::Expired => ("expired", None),
    };
    let query = query(sql)
        .bind(i64::from(record.payer.0))
        .bind(int("phone number", record.msisdn.number())?)
        .bind(record.amount.0)
        .bind(record.reference.as_str().to_owned())
        .bind(record.secret.clone())
        .bind(record.checkout_request_id.clone())
        .bind(state)
        .bind(code)
        .bind(record.receipt.as_ref().map(|receipt| receipt.as_str().to_owned()))
        .bind(record.created_at.0)
        .bind(record.next_check_at.map(|at| at.0))
        .bind(i64::from(record.checks))
        .bind(int("order", record.order.0)?)
        .bind(version);
    write_record(connection, query, || format!("the collection of order {}", record.order))
}

pub(super) fn receipt(connection: &Connection, record: &ReceiptRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO receipts (amount_cents, paid_at_us, payer, used_for, used_id, received_at_us, receipt, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 + 1)",
        "UPDATE receipts SET amount_cents = ?1, paid_at_us = ?2, payer = ?3, used_for = ?4, used_id = ?5,
         received_at_us = ?6, version = version + 1 WHERE receipt = ?7 AND version = ?8",
    )?;
    let (used_for, used_id) = match record.used_for {
        ReceiptUse::Order(order) => ("order", Some(int("order", order.0)?)),
        ReceiptUse::Settled(order) => ("settled", Some(int("order", order.0)?)),
        ReceiptUse::Balance(household) => ("balance", Some(i64::from(household.0))),
        ReceiptUse::Suspense => ("suspense", None),
        ReceiptUse::Reversed => ("reversed", None),
    };
    let query = query(sql)
        .bind(record.amount.0)
        .bind(record.paid_at.0)
        .bind(record.payer.map(|payer| i64::from(payer.0)))
        .bind(used_for)
        .bind(used_id)
        .bind(record.received_at.0)
        .bind(record.receipt.as_str().to_owned())
        .bind(version);
    write_record(connection, query, || format!("receipt {}", record.receipt))
}

pub(super) fn payout(connection: &Connection, record: &PayoutRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO payouts (household, msisdn, amount_cents, sent_cents, charge_cents, originator_id, secret,
         conversation_id, state, failure_code, receipt, key, created_at_us, final_at_us, attempt, id, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 + 1)",
        "UPDATE payouts SET household = ?1, msisdn = ?2, amount_cents = ?3, sent_cents = ?4, charge_cents = ?5,
         originator_id = ?6, secret = ?7, conversation_id = ?8, state = ?9, failure_code = ?10, receipt = ?11,
         key = ?12, created_at_us = ?13, final_at_us = ?14, attempt = ?15, version = version + 1
         WHERE id = ?16 AND version = ?17",
    )?;
    let (state, code) = match &record.state {
        PayoutState::Planned => ("planned", None),
        PayoutState::Unknown => ("unknown", None),
        PayoutState::Accepted => ("accepted", None),
        PayoutState::Paid => ("paid", None),
        PayoutState::Failed { code } => ("failed", Some(code.clone())),
    };
    let query = query(sql)
        .bind(i64::from(record.household.0))
        .bind(int("phone number", record.msisdn.number())?)
        .bind(record.amount.0)
        .bind(record.sent.0)
        .bind(record.charge.0)
        .bind(record.originator_id.clone())
        .bind(record.secret.clone())
        .bind(record.conversation_id.clone())
        .bind(state)
        .bind(code)
        .bind(record.receipt.as_ref().map(|receipt| receipt.as_str().to_owned()))
        .bind(record.key.clone())
        .bind(record.created_at.0)
        .bind(record.final_at.map(|at| at.0))
        .bind(i64::from(record.attempt))
        .bind(int("payout", record.id.0)?)
        .bind(version);
    write_record(connection, query, || format!("payout {}", record.id))
}
