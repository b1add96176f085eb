//! The operator's tables.

use super::energy::attested_through;
use super::order::payment_view;
use super::tally;
use crate::app::App;
use crate::dto::operator::{CollectionRow, HouseholdRow, PaymentsView, PayoutRow, QuarantineView};
use crate::dto::payout::PayoutView;
use crate::error::ApiError;
use jirani_ledger::Account;
use jirani_store::{CollectionRecord, OrderRecord, PayWith, PayoutRecord};
use jirani_units::{OrderId, PayoutId, Trust};
use std::collections::{BTreeMap, BTreeSet};

/// All records with what their meters, the chain and the ledger say of them.
pub async fn households(app: &App) -> Result<Vec<HouseholdRow>, ApiError> {
    let store = &app.deps.store;
    let records = store.households().await?;
    let on_chain: BTreeMap<_, _> = app.deps.chain.snapshot().await?.households.into_iter().collect();
    let readings: BTreeMap<_, _> =
        store.latest_readings().await?.into_iter().map(|reading| (reading.meter, reading)).collect();
    let attested: BTreeSet<_> =
        store.attested_meters().await?.into_iter().map(|record| record.meter).collect();
    let balances: BTreeMap<_, _> = store.balances().await?.into_iter().collect();
    let rows = records.into_iter().map(|record| {
        let reading = record.meter.and_then(|meter| readings.get(&meter));
        let chain = on_chain.get(&record.id);
        HouseholdRow {
            id: record.id.0,
            kind: record.kind.into(),
            name: record.name,
            alias: record.alias,
            msisdn_masked: record.msisdn.map(jirani_units::Msisdn::masked),
            meter_id: record.meter.map(|meter| meter.to_string()),
            meter_trust: record.meter.map(|meter| {
                if attested.contains(&meter) { Trust::GatewayAttested } else { Trust::DeviceSigned }.into()
            }),
            feeder: record.feeder,
            pv_rated_w: record.pv_rated_w,
            power_w: reading.map(|reading| reading.power_w),
            power_at: reading.map(|reading| reading.time.into()),
            vault_wh: chain.map_or(0, |chain| chain.vault_wh.0),
            shortfall_wh: chain.map_or(0, |chain| chain.shortfall_wh.0),
            balance_cents: balances.get(&Account::Household(record.id)).map_or(0, |balance| balance.net().0),
            chain_address: record.chain_address.map(|_| app.deps.chain.household_address(record.id)),
            attested_through: attested_through(chain),
        }
    });
    Ok(rows.collect())
}

/// The newest `limit` orders by M-Pesa with their collections, and payouts.
/// Numbers have few gaps, so the last `limit` numbers hold about as many things.
pub async fn payments(app: &App, limit: u32) -> Result<PaymentsView, ApiError> {
    let store = &app.deps.store;
    let (last_order, last_payout) = (tally::orders(app).await?.last, tally::payouts(app).await?.last);
    let back = |last: u64| last.saturating_sub(u64::from(limit));
    let mut collections = Vec::new();
    for order in store.orders_after(OrderId(back(last_order)), limit).await?.iter().rev() {
        if order.pay_with == PayWith::Mpesa
            && let Some(collection) = store.collection(order.id).await?
        {
            collections.push(collection_row(order, &collection));
        }
    }
    let payouts = store.payouts_after(PayoutId(back(last_payout)), limit).await?;
    Ok(PaymentsView { collections, payouts: payouts.iter().rev().map(payout_row).collect() })
}

fn collection_row(order: &OrderRecord, collection: &CollectionRecord) -> CollectionRow {
    let payment = payment_view(collection);
    CollectionRow {
        order_id: order.id.0,
        household_id: collection.payer.0,
        msisdn_masked: collection.msisdn.masked(),
        amount_cents: collection.amount.0,
        reference: collection.reference.to_string(),
        state: payment.state,
        code: payment.code,
        order_state: order.state.into(),
        receipt: collection.receipt.as_ref().map(ToString::to_string),
        created_at: collection.created_at.into(),
        next_check_at: collection.next_check_at.map(Into::into),
    }
}

fn payout_row(payout: &PayoutRecord) -> PayoutRow {
    let view = PayoutView::from(payout);
    PayoutRow {
        id: view.id,
        household_id: payout.household.0,
        msisdn_masked: payout.msisdn.masked(),
        sent_cents: view.sent_cents,
        charge_cents: view.charge_cents,
        state: view.state,
        code: view.code,
        receipt: view.receipt,
        created_at: view.created_at,
        final_at: view.final_at,
    }
}

/// Readings that were not accepted, newest first.
pub async fn quarantine(app: &App, limit: u32) -> Result<Vec<QuarantineView>, ApiError> {
    let rows = app.deps.store.quarantine(limit).await?;
    Ok(rows
        .into_iter()
        .map(|(id, row)| QuarantineView {
            id,
            meter_id: row.meter.map(|meter| meter.to_string()),
            code: row.code,
            detail: row.detail,
            size_bytes: row.bytes.len() as u64,
            received_at: row.received_at.into(),
        })
        .collect())
}
