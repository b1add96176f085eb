//! Messages, and the payouts' queue.

use crate::app::App;
use crate::auth::Own;
use crate::dto::notice::{NoticeView, PayoutQueueView};
use crate::error::ApiError;
use crate::extract::{Json, Page, Query};
use axum::extract::State;
use jirani_store::Language;

/// What the household was told of its money, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/notices",
    tag = "household",
    params(Page),
    responses((status = 200, body = Vec<NoticeView>))
)]
pub async fn my_notices(
    State(app): State<App>,
    Own(household): Own,
    Query(page): Query<Page>,
) -> Result<Json<Vec<NoticeView>>, ApiError> {
    let store = &app.deps.store;
    let record = store.household(household).await?.ok_or_else(|| ApiError::not_found("household"))?;
    let notices = store.notices_of(Some(household), page.limit()).await?;
    Ok(Json(notices.into_iter().map(|notice| NoticeView::of(notice, record.language)).collect()))
}

/// What the operator was told, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/notices",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<NoticeView>))
)]
pub async fn operator_notices(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<NoticeView>>, ApiError> {
    let notices = app.deps.store.notices_of(None, page.limit()).await?;
    Ok(Json(notices.into_iter().map(|notice| NoticeView::of(notice, Language::En)).collect()))
}

/// Whether payouts go out now.
#[utoipa::path(
    get,
    path = "/api/v1/operator/payouts/queue",
    tag = "operator",
    responses((status = 200, body = PayoutQueueView))
)]
pub async fn payout_queue(State(app): State<App>) -> Result<Json<PayoutQueueView>, ApiError> {
    Ok(Json(app.deps.trading.payout_queue().await?))
}

/// Lets payouts go out again after M-Pesa refused the operator's API user: one first,
/// then the others. A queue that is not stopped stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/operator/payouts/resume",
    tag = "operator",
    responses((status = 200, body = PayoutQueueView))
)]
pub async fn resume_payouts(State(app): State<App>) -> Result<Json<PayoutQueueView>, ApiError> {
    let trading = app.deps.trading.clone();
    Ok(Json(app.to_the_end(async move { trading.resume_payouts().await }).await?))
}
