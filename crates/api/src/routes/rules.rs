//! What a household has the market do for it.

use crate::app::App;
use crate::auth::Own;
use crate::dto::rules::{RulesRequest, RulesView};
use crate::error::ApiError;
use crate::extract::Json;
use axum::extract::State;

/// The household's rules.
#[utoipa::path(get, path = "/api/v1/me/rules", tag = "market", responses((status = 200, body = RulesView)))]
pub async fn my_rules(State(app): State<App>, Own(household): Own) -> Result<Json<RulesView>, ApiError> {
    Ok(Json(app.deps.trading.rules(household).await?.into()))
}

/// Sets the household's rules in the place of the old ones, which stay when these are refused.
#[utoipa::path(
    put,
    path = "/api/v1/me/rules",
    tag = "market",
    request_body = RulesRequest,
    responses((status = 200, body = RulesView))
)]
pub async fn set_rules(
    State(app): State<App>,
    Own(household): Own,
    Json(request): Json<RulesRequest>,
) -> Result<Json<RulesView>, ApiError> {
    let trading = app.deps.trading.clone();
    let (sell, buy) = (request.sell.map(Into::into), request.buy.map(Into::into));
    let rules = app.to_the_end(async move { trading.set_rules(household, sell, buy).await }).await?;
    Ok(Json(Some(rules).into()))
}
