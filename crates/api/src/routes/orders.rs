//! Orders.

use super::market::{cents, want};
use crate::accounts::pin;
use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::order::{OrderRequest, OrderStateView, OrderView};
use crate::error::ApiError;
use crate::extract::{Id, IdempotencyKey, Json, Page, Path, Query};
use crate::guard::wait::{Wait, wait_for};
use crate::view::order::{order_view, order_views};
use axum::extract::State;
use jirani_store::{Event, PayWith};
use jirani_units::{HouseholdId, OrderId};
use serde::Deserialize;
use utoipa::IntoParams;

/// How long to wait, and for what.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OrderWait {
    /// Answer once the order has come this far, or ended otherwise.
    pub wait_state: Option<OrderStateView>,
    /// Answer after so many milliseconds of real time in any case; at most 25000.
    pub wait_ms: Option<u32>,
}

/// The household's orders, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/orders",
    tag = "market",
    params(Page),
    responses((status = 200, body = Vec<OrderView>))
)]
pub async fn my_orders(
    State(app): State<App>,
    Own(buyer): Own,
    Query(page): Query<Page>,
) -> Result<Json<Vec<OrderView>>, ApiError> {
    let orders = app.deps.store.orders_of(buyer, page.limit()).await?;
    Ok(Json(order_views(&app, &orders).await?))
}

/// Buys. Answers once the order is on chain and its payment is under way.
#[utoipa::path(
    post,
    path = "/api/v1/me/orders",
    tag = "market",
    params(IdempotencyKey),
    request_body = OrderRequest,
    responses((status = 200, body = OrderView))
)]
pub async fn place_order(
    State(app): State<App>,
    Own(buyer): Own,
    who: SignedIn,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<OrderRequest>,
) -> Result<Json<OrderView>, ApiError> {
    let want = want(request.energy_wh, request.amount_cents)?;
    let pay_with: PayWith = request.pay_with.into();
    // M-Pesa asks for a PIN of its own.
    if pay_with == PayWith::Balance {
        pin::given(&app, who).await?;
    }
    let max_due = request.max_due_cents.map(cents);
    let trading = app.deps.trading.clone();
    let order =
        app.to_the_end(async move { trading.place_order(buyer, want, pay_with, max_due, key).await }).await?;
    Ok(Json(order_view(&app, &order).await?))
}

/// One order; may wait for it to come further.
#[utoipa::path(
    get,
    path = "/api/v1/me/orders/{id}",
    tag = "market",
    params(("id" = u64, Path, description = "The order."), OrderWait),
    responses((status = 200, body = OrderView))
)]
pub async fn my_order(
    State(app): State<App>,
    Own(buyer): Own,
    Path(Id(id)): Path<Id>,
    Query(wait): Query<OrderWait>,
) -> Result<Json<OrderView>, ApiError> {
    let order = OrderId(id);
    let wanted = wait.wait_state.map(OrderStateView::rank);
    let wait = Wait { ms: wait.wait_ms.filter(|_| wanted.is_some()) };
    let far_enough = |view: &OrderView| wanted.is_none_or(|wanted| view.state.rank() >= wanted);
    let is_about = |event: &Event| matches!(event, Event::Order(changed, _) if *changed == order);
    wait_for(&app, wait, is_about, far_enough, || own_order(&app, buyer, order)).await.map(Json)
}

async fn own_order(app: &App, buyer: HouseholdId, id: OrderId) -> Result<OrderView, ApiError> {
    let order = app.deps.store.order(id).await?.filter(|order| order.buyer == buyer);
    order_view(app, &order.ok_or_else(|| ApiError::not_found("order"))?).await
}
