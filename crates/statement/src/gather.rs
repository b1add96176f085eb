//! Reads a household's account from the store, from its first row to its newest, page
//! by page, and proves the whole of it on the way.

use crate::compose::{Composer, Place, Statement};
use crate::error::StatementError;
use crate::line::What;
use crate::period::Period;
use jirani_ledger::templates::orders;
use jirani_ledger::{Account, Transfer};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{HouseholdRecord, OrderRecord, OrderState, PayWith, Store};
use jirani_units::{HouseholdId, OrderId, Timestamp, Wh};

/// How often the balance is compared again because rows came in meanwhile.
const TRIES: usize = 64;

/// Whose statement it is, as the document names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The household.
    pub household: HouseholdId,
    /// Its name.
    pub name: String,
    /// Who makes the statement: the mini-grid's name.
    pub issuer: String,
}

/// A household's statement over `period`, as of `now`.
pub async fn statement(
    store: &dyn Store,
    household: HouseholdId,
    period: Period,
    now: Timestamp,
) -> Result<(HouseholdRecord, Statement), StatementError> {
    let record = store.household(household).await?.ok_or(StatementError::NoHousehold(household))?;
    if period.from() > now {
        return Err(StatementError::InTheFuture(period.label().to_owned()));
    }
    let account = Account::Household(household);
    let mut composer = Composer::new(account, period.clone());
    let mut tries = 0;
    loop {
        take_rows(store, account, household, &mut composer).await?;
        let stored = store.balance(account).await?;
        if stored == composer.counted() {
            break;
        }
        // Rows may have come between the two questions; without any, the balance is wrong.
        let newer = store.journal_of_after(account, composer.through(), 1).await?;
        if newer.is_empty() {
            let counted = composer.counted();
            return Err(StatementError::BalanceDiffers { account, stored, counted });
        }
        tries += 1;
        if tries == TRIES {
            return Err(StatementError::TooBusy);
        }
    }
    take_payments(store, household, &period, &mut composer).await?;
    Ok((record, composer.finish()?))
}

async fn take_rows(
    store: &dyn Store,
    account: Account,
    household: HouseholdId,
    composer: &mut Composer,
) -> Result<(), StatementError> {
    loop {
        let rows = store.journal_of_after(account, composer.through(), PAGE_MAX).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            if let Place::Within(Some(place)) = composer.row(row.sequence, &row.transfer)? {
                let (bought, sold) = energy(store, household, row.sequence, &row.transfer).await?;
                composer.energy(place, bought, sold);
            }
        }
    }
}

/// Energy bought and sold with a row, as its order has it.
async fn energy(
    store: &dyn Store,
    household: HouseholdId,
    sequence: u64,
    transfer: &Transfer,
) -> Result<(Wh, Wh), StatementError> {
    let what = What::of(transfer);
    let (What::Bought(id) | What::Returned(id) | What::Sold(id)) = what else {
        return Ok((Wh::ZERO, Wh::ZERO));
    };
    let differs = |what: &str| StatementError::OrderDiffers { sequence, order: id, what: what.to_owned() };
    let order = store.order(id).await?.ok_or_else(|| differs("there is no such order"))?;
    if matches!(what, What::Sold(_)) {
        let place = orders::fill_of(transfer).map(|(_, place)| usize::from(place));
        let fill = place.and_then(|place| order.fills.get(place));
        let fill = fill.filter(|fill| fill.seller == household);
        let fill = fill.ok_or_else(|| differs("it has no such fill of this seller"))?;
        return Ok((Wh::ZERO, Wh(u64::from(fill.energy_wh))));
    }
    if order.buyer != household || order.due != transfer.amount {
        return Err(differs("another buyer or another due"));
    }
    Ok((order.energy_wh(), Wh::ZERO))
}

/// Orders of the household's that M-Pesa paid and that were settled in the period.
async fn take_payments(
    store: &dyn Store,
    household: HouseholdId,
    period: &Period,
    composer: &mut Composer,
) -> Result<(), StatementError> {
    let mut after = OrderId(0);
    loop {
        let page = store.orders_of_after(household, after, PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for order in page.iter().filter(|order| settled_by_mpesa(order)) {
            let Some(at) = order.final_at.filter(|at| period.holds(*at)) else { continue };
            let collection = store.collection(order.id).await?;
            let receipt = collection.and_then(|collection| collection.receipt);
            composer.paid_by_mpesa(at, order.id, order.due, order.energy_wh(), receipt)?;
        }
    }
}

fn settled_by_mpesa(order: &OrderRecord) -> bool {
    order.state == OrderState::Settled && order.pay_with == PayWith::Mpesa
}
