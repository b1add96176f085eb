//! Calls of slots.

use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::call::{CallView, CallsView};
use crate::error::ApiError;
use crate::extract::{Json, Query};
use axum::extract::State;
use jirani_settlement::{CallBook, draws_setting};
use jirani_store::SessionRole;
use jirani_units::Slot;
use serde::Deserialize;
use utoipa::IntoParams;

/// Whose calls, and how many.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CallsPage {
    /// Feeder; the household's own if not said, 1 for the operator.
    pub feeder: Option<u16>,
    /// At most this many: 1 to 200, 50 if not said.
    pub limit: Option<u32>,
}

/// What was traded in the last slots by rules and open offers, at which price, and what the
/// draw between equals hung on.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    tag = "market",
    params(CallsPage),
    responses((status = 200, body = CallsView))
)]
pub async fn calls(
    State(app): State<App>,
    who: SignedIn,
    Query(page): Query<CallsPage>,
) -> Result<Json<CallsView>, ApiError> {
    let feeder = match (page.feeder, who.role) {
        (Some(feeder), _) => feeder,
        (None, SessionRole::Household(household)) => {
            let record = app.deps.store.household(household).await?;
            record.ok_or_else(|| ApiError::not_found("household"))?.feeder
        }
        (None, SessionRole::Desk(_)) => 1,
    };
    let slot = Slot::containing(app.now(), app.config.slot_length_s);
    let draws_bound_by = app.deps.store.setting(&draws_setting(slot)).await?;
    let stored = app.deps.store.calls(feeder, page.limit.unwrap_or(50).clamp(1, 200)).await?;
    let mut calls = Vec::with_capacity(stored.len());
    for call in &stored {
        let book = CallBook::read(&call.book).map_err(|error| {
            ApiError::internal(format!("the call of {} cannot be read: {error}", call.slot.start))
        })?;
        calls.push(CallView::of(call, &book));
    }
    Ok(Json(CallsView { feeder, draws_bound_by, calls }))
}
