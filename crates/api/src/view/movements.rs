//! A household's history, merged from what it bought, sold, withdrew and was
//! credited, and what its meter earned and cost day by day.

use crate::app::App;
use crate::dto::movement::{MovementKind, MovementView};
use crate::error::ApiError;
use crate::view::days::{self, DayEnergy};
use jirani_ledger::{Account, Kind, Reason};
use jirani_market::Fill;
use jirani_store::{
    HouseholdRecord, JournalRow, OrderRecord, OrderState, PayWith, PayoutRecord, PayoutState,
};
use jirani_units::{HouseholdId, Timestamp};

/// Days of attested energy shown at most: as many as slots of a quarter of an
/// hour fit into one answer of the store.
const DAYS_MAX: u32 = 10;
/// Journal rows looked through for credits, for every movement asked for.
const ROWS_PER_MOVEMENT: u32 = 8;

/// The newest `limit` movements, newest first.
pub async fn newest(
    app: &App,
    household: &HouseholdRecord,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<MovementView>, ApiError> {
    let id = household.id;
    let store = &app.deps.store;
    let rows = limit.saturating_mul(ROWS_PER_MOVEMENT).min(1_000);
    // Two lines a day: half as many days as lines can be seen.
    let days = limit.div_ceil(2).clamp(1, DAYS_MAX);
    let (bought, sold, payouts, journal, days) = tokio::join!(
        store.orders_of(id, limit),
        store.sales_of(id, limit),
        store.payouts_of(id, limit),
        store.journal_of(Account::Household(id), rows),
        days::attested(app, household, days, now),
    );
    let mut movements = Vec::new();
    for order in bought? {
        movements.push(purchase(app, &order).await?);
    }
    movements.extend(sold?.iter().filter(|order| order.state == OrderState::Settled).flat_map(|order| {
        let own = order.fills.iter().filter(move |fill| fill.seller == id);
        own.map(move |fill| sale(order, fill))
    }));
    movements.extend(payouts?.iter().map(payout));
    movements.extend(journal?.iter().filter_map(|row| credit(row, id)));
    movements.extend(days?.iter().flat_map(energy));
    movements.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.kind.cmp(&b.kind)).then_with(|| b.id.cmp(&a.id)));
    movements.truncate(limit as usize);
    Ok(movements)
}

fn blank(id: String, at: Timestamp, kind: MovementKind, title: String, state: &str) -> MovementView {
    MovementView {
        id,
        at: at.into(),
        kind,
        title,
        energy_wh: None,
        amount_cents: None,
        state: state.to_owned(),
        signature: None,
        receipt: None,
        order_id: None,
        payout_id: None,
    }
}

async fn purchase(app: &App, order: &OrderRecord) -> Result<MovementView, ApiError> {
    let energy = order.energy_wh();
    let at = order.final_at.unwrap_or(order.created_at);
    let (state, title) = match order.state {
        OrderState::Planned => ("planned", format!("Buying {energy}")),
        OrderState::AwaitingPayment => ("awaiting_payment", format!("Buying {energy}: waiting for payment")),
        OrderState::ReceiptAwaited => {
            ("receipt_awaited", format!("Buying {energy}: paid, waiting for the receipt"))
        }
        OrderState::Paid => ("paid", format!("Buying {energy}: paid")),
        OrderState::Settled => ("settled", format!("Bought {energy}")),
        OrderState::Releasing => ("releasing", format!("Giving up {energy}")),
        OrderState::Released => ("released", format!("Gave up {energy}: not paid")),
        OrderState::Refused => ("refused", format!("Could not buy {energy}")),
    };
    let mut line = blank(format!("order/{}", order.id), at, MovementKind::Bought, title, state);
    // Only what has moved is counted; a line of an order that came to nothing says so in words.
    if order.state == OrderState::Settled {
        line.energy_wh = signed(energy.0);
        line.amount_cents = Some(-order.due.0);
    }
    line.signature = order.final_signature.clone().or_else(|| order.placed_signature.clone());
    line.order_id = Some(order.id.0);
    if order.pay_with == PayWith::Mpesa
        && let Some(collection) = app.deps.store.collection(order.id).await?
    {
        line.receipt = collection.receipt.as_ref().map(ToString::to_string);
    }
    Ok(line)
}

fn sale(order: &OrderRecord, fill: &Fill) -> MovementView {
    let energy = jirani_units::Wh(u64::from(fill.energy_wh));
    let mut line = blank(
        format!("sale/{}/{}", order.id, fill.offer),
        order.final_at.unwrap_or(order.created_at),
        MovementKind::Sold,
        format!("Sold {energy} at {}", fill.price),
        "settled",
    );
    line.energy_wh = signed(energy.0).map(|wh| -wh);
    // The seller's share as the ledger has it: floored.
    line.amount_cents = signed(fill.price.millicents(fill.energy_wh) / 1_000);
    line.signature.clone_from(&order.final_signature);
    line
}

fn payout(payout: &PayoutRecord) -> MovementView {
    let (state, title) = match &payout.state {
        PayoutState::Planned => ("planned", format!("Withdrawing {}", payout.sent)),
        PayoutState::Unknown => {
            ("unknown", format!("Withdrawing {}: waiting for M-Pesa's word", payout.sent))
        }
        PayoutState::Accepted => ("accepted", format!("Withdrawing {}: M-Pesa is paying", payout.sent)),
        PayoutState::Paid => ("paid", format!("Withdrew {}", payout.sent)),
        PayoutState::Failed { .. } => ("failed", format!("Could not withdraw {}", payout.sent)),
    };
    let at = payout.final_at.unwrap_or(payout.created_at);
    let mut line = blank(format!("payout/{}", payout.id), at, MovementKind::Payout, title, state);
    if !matches!(payout.state, PayoutState::Failed { .. }) {
        line.amount_cents = Some(-payout.amount.0);
    }
    line.receipt = payout.receipt.as_ref().map(ToString::to_string);
    line.payout_id = Some(payout.id.0);
    line
}

/// Only what no order and no payout already says.
fn credit(row: &JournalRow, household: HouseholdId) -> Option<MovementView> {
    let transfer = &row.transfer;
    if !matches!(transfer.kind, Kind::Posted | Kind::Post(_)) {
        return None;
    }
    let (kind, title) = match transfer.reason {
        Reason::Credit => (MovementKind::Credit, "Became balance"),
        Reason::Reversal => (MovementKind::Reversal, "M-Pesa took a payment back"),
        _ => return None,
    };
    let title = format!("{title} ({})", transfer.memo);
    let mut line = blank(format!("journal/{}", row.sequence), transfer.at, kind, title, "posted");
    let gained = transfer.credit == Account::Household(household);
    line.amount_cents = Some(if gained { transfer.amount.0 } else { -transfer.amount.0 });
    Some(line)
}

fn energy(day: &DayEnergy) -> impl Iterator<Item = MovementView> + use<> {
    let line = |kind, word: &str, title: String, energy_wh: Option<i64>| {
        let mut line = blank(format!("day/{}/{word}", day.day), day.at, kind, title, "attested");
        line.energy_wh = energy_wh;
        line.signature.clone_from(&day.signature);
        line
    };
    let minted = (day.export.0 > 0).then(|| {
        let title = format!("Sent {} into the grid", day.export);
        line(MovementKind::Minted, "minted", title, signed(day.export.0))
    });
    let burned = (day.import.0 > 0).then(|| {
        let title = format!("Drew {} from the grid", day.import);
        line(MovementKind::Burned, "burned", title, signed(day.import.0).map(|wh| -wh))
    });
    minted.into_iter().chain(burned)
}

fn signed(amount: u64) -> Option<i64> {
    i64::try_from(amount).ok()
}
