//! A household's history.

use crate::app::App;
use crate::auth::Own;
use crate::dto::movement::MovementView;
use crate::error::ApiError;
use crate::extract::{Json, Page, Query};
use crate::view::movements as view;
use axum::extract::State;

/// What happened, newest first: trades, payouts, credits, and each day's attested energy.
#[utoipa::path(
    get,
    path = "/api/v1/me/movements",
    tag = "household",
    params(Page),
    responses((status = 200, body = Vec<MovementView>))
)]
pub async fn movements(
    State(app): State<App>,
    Own(household): Own,
    Query(page): Query<Page>,
) -> Result<Json<Vec<MovementView>>, ApiError> {
    let record =
        app.deps.store.household(household).await?.ok_or_else(|| ApiError::not_found("household"))?;
    Ok(Json(view::newest(&app, &record, page.limit(), app.now()).await?))
}
