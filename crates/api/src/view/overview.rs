//! The whole grid at a glance.

use super::{energy, tally};
use crate::app::App;
use crate::dto::config::ChainStateView;
use crate::dto::home::EnergyView;
use crate::dto::operator::{
    ChainTotals, CommunityPower, FeederView, MoneyTotals, OrderCount, OverviewView, PaymentCount, PayoutCount,
};
use crate::error::ApiError;
use crate::view::order::payment_view;
use jirani_ledger::Account;
use jirani_store::{AccountBalance, HouseholdKind, HouseholdRecord, ReadingRow};
use jirani_units::Timestamp;
use std::collections::BTreeSet;

/// Reads everything the operator's first screen shows.
pub async fn overview(app: &App) -> Result<OverviewView, ApiError> {
    let store = &app.deps.store;
    let now = app.now();
    let (households, latest, (chain_state, chain), orders, payouts, collections, balances, counts, findings) =
        tokio::try_join!(
            read(store.households()),
            read(store.latest_readings()),
            chain(app),
            tally::orders(app),
            tally::payouts(app),
            read(store.live_collections()),
            read(store.balances()),
            read(store.count_readings()),
            read(store.live_findings(now)),
        )?;
    let mut payments: Vec<PaymentCount> = Vec::new();
    for collection in &collections {
        let state = payment_view(collection).state;
        match payments.iter_mut().find(|count| count.state == state) {
            Some(count) => count.count += 1,
            None => payments.push(PaymentCount { state, count: 1 }),
        }
    }
    Ok(OverviewView {
        now: now.into(),
        power: power(&households, &latest),
        today: today(app, &households, now).await?,
        chain_state,
        chain,
        orders: orders.counts.into_iter().map(|(state, count)| OrderCount { state, count }).collect(),
        payments,
        payouts: payouts.counts.into_iter().map(|(state, count)| PayoutCount { state, count }).collect(),
        money: money(&balances),
        audit: app.last_audit(),
        readings: counts.0,
        quarantined: counts.1,
        held_households: crate::routes::findings::held(&findings),
        attested: feeders(app, &households).await?,
    })
}

async fn read<T, E: Into<ApiError>>(read: impl Future<Output = Result<T, E>>) -> Result<T, ApiError> {
    read.await.map_err(Into::into)
}

/// Meters in use only: a replaced one's last reading says nothing of now.
fn power(households: &[HouseholdRecord], latest: &[ReadingRow]) -> CommunityPower {
    let in_use: BTreeSet<_> = households.iter().filter_map(|household| household.meter).collect();
    let mut power = CommunityPower::default();
    for reading in latest.iter().filter(|reading| in_use.contains(&reading.meter)) {
        let power_w = i64::from(reading.power_w);
        power.export_w += power_w.max(0);
        power.import_w -= power_w.min(0);
        power.meters += 1;
        let at = reading.time.into();
        power.newest_at = power.newest_at.max(Some(at));
        power.oldest_at = Some(power.oldest_at.map_or(at, |oldest| oldest.min(at)));
    }
    power
}

async fn today(app: &App, households: &[HouseholdRecord], now: Timestamp) -> Result<EnergyView, ApiError> {
    let mut sum = EnergyView::default();
    for household in households {
        let EnergyView { generation_wh, import_wh, export_wh } =
            energy::live(app, household, now).await?.today;
        sum.generation_wh = sum.generation_wh.saturating_add(generation_wh);
        sum.import_wh = sum.import_wh.saturating_add(import_wh);
        sum.export_wh = sum.export_wh.saturating_add(export_wh);
    }
    Ok(sum)
}

/// The chain's state, and its totals where it can be read: the desk is needed most
/// when it cannot.
async fn chain(app: &App) -> Result<(ChainStateView, ChainTotals), ApiError> {
    let readiness = app.deps.chain.readiness().await;
    let totals = if readiness.state.serves() { chain_totals(app).await? } else { ChainTotals::default() };
    Ok((readiness.into(), totals))
}

async fn chain_totals(app: &App) -> Result<ChainTotals, ApiError> {
    let snapshot = app.deps.chain.snapshot().await?;
    let (transactions, compute_units, fees_lamports) = app.deps.store.outbox_totals().await?;
    Ok(ChainTotals {
        supply_wh: snapshot.supply_wh.0,
        vaults_wh: snapshot.vaults_wh.0,
        escrow_wh: snapshot.escrow_wh.0,
        wallets_wh: snapshot.wallets_wh.0,
        shortfall_wh: snapshot.households.iter().map(|(_, household)| household.shortfall_wh.0).sum(),
        transactions,
        compute_units,
        fees_lamports,
    })
}

fn money(balances: &[(Account, AccountBalance)]) -> MoneyTotals {
    let mut totals = MoneyTotals::default();
    for (account, balance) in balances {
        let (owed, held) = (balance.net().0, balance.debits.0 - balance.credits.0);
        match account {
            Account::MpesaCollection => totals.mpesa_collection_cents += held,
            Account::MpesaPayout => {
                totals.mpesa_payout_cents += held;
                totals.mpesa_payout_held_cents += balance.credits_held.0;
            }
            Account::MpesaCharges => totals.mpesa_charges_cents += held,
            Account::OperatorFloat
            | Account::OperatorFees
            | Account::OperatorSales
            | Account::OperatorSweeps
            | Account::Rounding => {
                totals.operator_cents += owed;
            }
            Account::OperatorTaxes => totals.taxes_cents += owed,
            Account::CollectionsUnallocated | Account::OrdersClearing => totals.clearing_cents += owed,
            Account::Suspense => totals.suspense_cents += owed,
            Account::ReversalsReceivable(_) => totals.receivable_cents += held,
            Account::Household(_) => totals.balances_cents += owed,
        }
    }
    totals
}

async fn feeders(app: &App, households: &[HouseholdRecord]) -> Result<Vec<FeederView>, ApiError> {
    let metered = households.iter().filter(|household| household.kind != HouseholdKind::Loss);
    let feeders: BTreeSet<u16> = metered.map(|household| household.feeder).collect();
    let mut views = Vec::with_capacity(feeders.len());
    for feeder in feeders {
        let last = app.deps.store.last_attested_slot(feeder).await?;
        views.push(FeederView { feeder, attested_through: last.map(|slot| slot.end.into()) });
    }
    Ok(views)
}
