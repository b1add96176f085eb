//! Reads settled orders and the taxes account, and proves one by the other.

use super::line::{SaleLine, SellerKind, lines};
use super::{LINES_MAX, TaxExport, TaxesAccount};
use crate::error::StatementError;
use crate::period::Period;
use jirani_ledger::templates::orders;
use jirani_ledger::{Account, Kind, Reason};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{HouseholdKind, OrderRecord, OrderState, Store};
use jirani_units::{Cents, HouseholdId, OrderId, Timestamp};
use std::collections::{BTreeMap, HashSet};

/// A tax row of the ledger: its sequence and amount.
type TaxRows = BTreeMap<OrderId, (u64, Cents)>;

/// The list of sales settled in `period`, proven against the ledger. Fails, naming
/// the first order or row that does not fit, rather than tell what does not add up.
pub async fn tax_export(
    store: &dyn Store,
    period: Period,
    now: Timestamp,
) -> Result<TaxExport, StatementError> {
    if period.from() > now {
        return Err(StatementError::InTheFuture(period.label().to_owned()));
    }
    let operators = operators(store).await?;
    let is_operator = |seller| operators.contains(&seller);
    // Orders first, rows after: an order and its tax row are one commit, so that every order
    // read has its row by then. What was settled meanwhile shows as a row of an order not read.
    let mut sales = Sales::default();
    let mut after = OrderId(0);
    loop {
        let page = store.orders_after(after, PAGE_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for order in page.iter().filter(|order| is_in(order, &period)) {
            sales.take(order, is_operator)?;
        }
    }
    let (rows, account) = tax_rows(store, &period).await?;
    for id in rows.keys().filter(|id| !sales.of_order.contains_key(id)).copied().collect::<Vec<_>>() {
        if let Some(order) = store.order(id).await?.filter(|order| is_in(order, &period)) {
            sales.take(&order, is_operator)?;
        }
    }
    prove(&sales, &rows)?;
    let (mut neighbours, mut operator) = (Vec::new(), Vec::new());
    for (lines, _) in sales.of_order.into_values() {
        for line in lines {
            match line.seller_kind {
                SellerKind::Household => neighbours.push(line),
                SellerKind::Operator => operator.push(line),
            }
        }
    }
    let export = TaxExport { period, neighbours, operator, account };
    // Implied by every row and order having met; said once more of the sums.
    let told = export.sums().2.tax_cents;
    if told != account.sales_cents {
        return Err(StatementError::DoesNotAddUp {
            opening: Cents::ZERO,
            made: told,
            closing: account.sales_cents,
        });
    }
    Ok(export)
}

fn is_in(order: &OrderRecord, period: &Period) -> bool {
    order.state == OrderState::Settled && order.final_at.is_some_and(|at| period.holds(at))
}

/// Lines and tax of every order.
#[derive(Default)]
struct Sales {
    of_order: BTreeMap<OrderId, (Vec<SaleLine>, Cents)>,
    lines: usize,
}

impl Sales {
    fn take(
        &mut self,
        order: &OrderRecord,
        is_operator: impl Fn(HouseholdId) -> bool,
    ) -> Result<(), StatementError> {
        let (made, tax) = lines(order, is_operator)?;
        self.lines += made.len();
        if self.lines > LINES_MAX {
            return Err(StatementError::TooLong { limit: LINES_MAX });
        }
        self.of_order.insert(order.id, (made, tax));
        Ok(())
    }
}

/// Every order has the tax that the ledger has, and the ledger has tax of no other.
fn prove(sales: &Sales, rows: &TaxRows) -> Result<(), StatementError> {
    for (id, (_, tax)) in &sales.of_order {
        let (sequence, booked) = rows.get(id).copied().unwrap_or_default();
        if booked != *tax {
            let what = format!("its tax is {tax}, the ledger's taxes account has {booked}");
            return Err(StatementError::OrderDiffers { sequence, order: *id, what });
        }
    }
    match rows.iter().find(|(id, _)| !sales.of_order.contains_key(id)) {
        None => Ok(()),
        Some((id, (sequence, amount))) => Err(StatementError::OrderDiffers {
            sequence: *sequence,
            order: *id,
            what: format!("{amount} of tax for an order that was not settled in this period"),
        }),
    }
}

async fn operators(store: &dyn Store) -> Result<HashSet<HouseholdId>, StatementError> {
    let records = store.households().await?;
    let own = records.into_iter().filter(|record| record.kind != HouseholdKind::Home);
    Ok(own.map(|record| record.id).collect())
}

/// Tax rows of the period by order, and all that moved on the account in it.
async fn tax_rows(store: &dyn Store, period: &Period) -> Result<(TaxRows, TaxesAccount), StatementError> {
    let taxes = Account::OperatorTaxes;
    let (mut rows, mut moved) = (TaxRows::new(), TaxesAccount::default());
    let mut after = 0;
    loop {
        let page = store.journal_of_after(taxes, after, PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok((rows, moved)) };
        after = last.sequence;
        for row in page {
            let transfer = &row.transfer;
            if !period.holds(transfer.at) || !matches!(transfer.kind, Kind::Posted | Kind::Post(_)) {
                continue;
            }
            let signed = if transfer.credit == taxes { transfer.amount.0 } else { -transfer.amount.0 };
            match (transfer.reason, orders::order_of(transfer)) {
                (Reason::Tax, Some(order)) if signed > 0 => {
                    moved.sales_cents.0 += signed;
                    moved.rows += 1;
                    rows.insert(order, (row.sequence, transfer.amount));
                }
                (Reason::TaxPayment, _) => moved.paid_cents.0 -= signed,
                _ => moved.other_cents.0 += signed,
            }
        }
    }
}
