//! The operator's own money between its shortcodes.

use super::market::cents;
use super::reviews::operator_name;
use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::float::{FloatMoveView, FloatRequest};
use crate::error::ApiError;
use crate::extract::{IdempotencyKey, Json, Page, Query};
use axum::extract::State;

/// Moves of float from the PayBill to the payout shortcode, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/float",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<FloatMoveView>))
)]
pub async fn float_moves(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<FloatMoveView>>, ApiError> {
    Ok(Json(app.deps.trading.float_moves(page.limit()).await?))
}

/// Moves float from the PayBill to the payout shortcode. One move at a time; what M-Pesa
/// never says of one, two operators decide at the review desk.
#[utoipa::path(
    post,
    path = "/api/v1/operator/float",
    tag = "operator",
    params(IdempotencyKey),
    request_body = FloatRequest,
    responses(
        (status = 200, body = FloatMoveView),
        (status = 409, body = crate::Problem),
        (status = 422, body = crate::Problem)
    )
)]
pub async fn move_float(
    State(app): State<App>,
    who: SignedIn,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<FloatRequest>,
) -> Result<Json<FloatMoveView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let trading = app.deps.trading.clone();
    let moved = async move { trading.move_float(operator, cents(request.amount_cents), key).await };
    Ok(Json(app.to_the_end(moved).await?))
}
