//! An order together with its collection.

use super::names::Names;
use crate::app::App;
use crate::dto::order::{OrderView, PaymentStateView, PaymentView};
use crate::error::ApiError;
use jirani_store::{CollectionRecord, CollectionState, OrderRecord, PayWith};

/// Where a payment stands, and M-Pesa's code if it said no.
pub fn payment_view(collection: &CollectionRecord) -> PaymentView {
    let state = match &collection.state {
        CollectionState::Planned => PaymentStateView::Sending,
        // Before anybody had to ask, the answer is merely on its way.
        CollectionState::SendUnknown if collection.checks == 0 => PaymentStateView::Sending,
        CollectionState::SendUnknown => PaymentStateView::Unknown,
        CollectionState::Pending => PaymentStateView::Prompt,
        CollectionState::ReceiptAwaited => PaymentStateView::ReceiptAwaited,
        CollectionState::Paid => PaymentStateView::Paid,
        CollectionState::Refused { .. } => PaymentStateView::Refused,
        CollectionState::Expired => PaymentStateView::Expired,
    };
    let code = match &collection.state {
        CollectionState::Refused { code } => Some(code.clone()),
        _ => None,
    };
    PaymentView { state, code }
}

/// One order.
pub async fn order_view(app: &App, order: &OrderRecord) -> Result<OrderView, ApiError> {
    let names = Names::of_fills(app, &order.fills).await?;
    with_names(app, order, &names).await
}

/// Several orders.
pub async fn order_views(app: &App, orders: &[OrderRecord]) -> Result<Vec<OrderView>, ApiError> {
    let fills: Vec<_> = orders.iter().flat_map(|order| order.fills.iter().copied()).collect();
    let names = Names::of_fills(app, &fills).await?;
    let mut views = Vec::with_capacity(orders.len());
    for order in orders {
        views.push(with_names(app, order, &names).await?);
    }
    Ok(views)
}

async fn with_names(app: &App, order: &OrderRecord, names: &Names) -> Result<OrderView, ApiError> {
    let collection = match order.pay_with {
        PayWith::Mpesa => app.deps.store.collection(order.id).await?,
        PayWith::Balance => None,
    };
    let collect_cents = match (&collection, order.pay_with) {
        (Some(collection), _) => collection.amount.0,
        (None, PayWith::Mpesa) => order.due.shillings_up().saturating_mul(100),
        (None, PayWith::Balance) => order.due.0,
    };
    Ok(OrderView {
        id: order.id.0,
        state: order.state.into(),
        energy_wh: order.energy_wh().0,
        due_cents: order.due.0,
        collect_cents,
        pay_with: order.pay_with.into(),
        fills: names.fills(&order.fills),
        deadline: order.deadline.map(Into::into),
        receipt: collection.as_ref().and_then(|c| c.receipt.as_ref()).map(ToString::to_string),
        release_reason: order.release_reason.map(Into::into),
        refusal: order.refusal.clone(),
        payment: collection.as_ref().map(payment_view),
        placed_signature: order.placed_signature.clone(),
        final_signature: order.final_signature.clone(),
        created_at: order.created_at.into(),
        final_at: order.final_at.map(Into::into),
    })
}
