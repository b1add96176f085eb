//! The operator's dated prices.

use super::reviews::operator_name;
use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::tariff::{TariffRequest, TariffVersionView};
use crate::error::ApiError;
use crate::extract::{IdempotencyKey, Json};
use axum::extract::State;
use jirani_settlement::list_tariffs;

/// All prices that were ever announced, in the order of announcements, each with its time.
#[utoipa::path(
    get,
    path = "/api/v1/operator/tariffs",
    tag = "operator",
    responses((status = 200, body = Vec<TariffVersionView>))
)]
pub async fn tariffs(State(app): State<App>) -> Result<Json<Vec<TariffVersionView>>, ApiError> {
    let listed = list_tariffs(&app.deps.store.tariffs().await?, app.now());
    Ok(Json(listed.into_iter().map(Into::into).collect()))
}

/// Announces prices, in place of all that were announced for then or later. Every home is
/// told. What is in force, and what is ordered until then, stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/operator/tariffs",
    tag = "operator",
    params(IdempotencyKey),
    request_body = TariffRequest,
    responses(
        (status = 200, body = TariffVersionView),
        (status = 409, body = crate::Problem),
        (status = 422, body = crate::Problem)
    )
)]
pub async fn announce_tariff(
    State(app): State<App>,
    who: SignedIn,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<TariffRequest>,
) -> Result<Json<TariffVersionView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let trading = app.deps.trading.clone();
    let (from, tariff) = (request.from.0, request.tariff());
    let announced = async move { trading.announce_tariff(operator, key, from, tariff).await };
    let number = app.to_the_end(announced).await?.number;
    let listed = list_tariffs(&app.deps.store.tariffs().await?, app.now());
    let announced = listed.into_iter().find(|listed| listed.record.number == number);
    let announced = announced.ok_or_else(|| ApiError::internal("an announced tariff is gone"))?;
    Ok(Json(announced.into()))
}
