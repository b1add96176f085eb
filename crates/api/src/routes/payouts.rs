//! Payouts.

use super::market::cents;
use crate::accounts::pin;
use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::payout::{PayoutQuoteView, PayoutRequest, PayoutStateView, PayoutView};
use crate::error::ApiError;
use crate::extract::{Id, IdempotencyKey, Json, Page, Path, Query};
use crate::guard::wait::{Wait, wait_for};
use axum::extract::State;
use jirani_store::Event;
use jirani_units::{HouseholdId, PayoutId};
use serde::Deserialize;
use utoipa::IntoParams;

/// How long to wait, and for what.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PayoutWait {
    /// Answer once the payout has come this far, or ended otherwise.
    pub wait_state: Option<PayoutStateView>,
    /// Answer after so many milliseconds of real time in any case; at most 25000.
    pub wait_ms: Option<u32>,
}

/// The household's payouts, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/payouts",
    tag = "money",
    params(Page),
    responses((status = 200, body = Vec<PayoutView>))
)]
pub async fn my_payouts(
    State(app): State<App>,
    Own(household): Own,
    Query(page): Query<Page>,
) -> Result<Json<Vec<PayoutView>>, ApiError> {
    let payouts = app.deps.store.payouts_of(household, page.limit()).await?;
    Ok(Json(payouts.iter().map(PayoutView::from).collect()))
}

/// What a payout would send and cost. Nothing is held.
#[utoipa::path(
    post,
    path = "/api/v1/me/payouts/quote",
    tag = "money",
    request_body = PayoutRequest,
    responses((status = 200, body = PayoutQuoteView))
)]
pub async fn quote_payout(
    State(app): State<App>,
    Own(household): Own,
    Json(request): Json<PayoutRequest>,
) -> Result<Json<PayoutQuoteView>, ApiError> {
    let (sent, charge) = app.deps.trading.payout_quote(household, cents(request.amount_cents)).await?;
    let (hint_en, hint_sw) =
        app.deps.trading.payout_hint(household, cents(request.amount_cents)).await?.unzip();
    Ok(Json(PayoutQuoteView {
        amount_cents: sent.0.saturating_add(charge.0),
        sent_cents: sent.0,
        charge_cents: charge.0,
        hint_en,
        hint_sw,
    }))
}

/// Withdraws to the household's own number. The amount is held until the outcome is known.
#[utoipa::path(
    post,
    path = "/api/v1/me/payouts",
    tag = "money",
    params(IdempotencyKey),
    request_body = PayoutRequest,
    responses((status = 200, body = PayoutView))
)]
pub async fn request_payout(
    State(app): State<App>,
    Own(household): Own,
    who: SignedIn,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<PayoutRequest>,
) -> Result<Json<PayoutView>, ApiError> {
    pin::given(&app, who).await?;
    let trading = app.deps.trading.clone();
    let payout = app
        .to_the_end(async move { trading.request_payout(household, cents(request.amount_cents), key).await })
        .await?;
    Ok(Json((&payout).into()))
}

/// One payout; may wait for it to come further.
#[utoipa::path(
    get,
    path = "/api/v1/me/payouts/{id}",
    tag = "money",
    params(("id" = u64, Path, description = "The payout."), PayoutWait),
    responses((status = 200, body = PayoutView))
)]
pub async fn my_payout(
    State(app): State<App>,
    Own(household): Own,
    Path(Id(id)): Path<Id>,
    Query(wait): Query<PayoutWait>,
) -> Result<Json<PayoutView>, ApiError> {
    let payout = PayoutId(id);
    let wanted = wait.wait_state.map(PayoutStateView::rank);
    let wait = Wait { ms: wait.wait_ms.filter(|_| wanted.is_some()) };
    let far_enough = |view: &PayoutView| wanted.is_none_or(|wanted| view.state.rank() >= wanted);
    let is_about = |event: &Event| matches!(event, Event::Payout(changed, _) if *changed == payout);
    wait_for(&app, wait, is_about, far_enough, || own_payout(&app, household, payout)).await.map(Json)
}

async fn own_payout(app: &App, household: HouseholdId, id: PayoutId) -> Result<PayoutView, ApiError> {
    let payout = app.deps.store.payout(id).await?.filter(|payout| payout.household == household);
    Ok((&payout.ok_or_else(|| ApiError::not_found("payout"))?).into())
}
