//! What anybody may know.

use crate::app::App;
use crate::dto::config::{ConfigView, Health, NextTariffView, ReadyView};
use crate::error::ApiError;
use crate::extract::Json;
use axum::extract::State;

/// The process runs.
#[utoipa::path(get, path = "/health", tag = "public", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { ok: true })
}

/// Store and chain answer and take work. 503 with `store.unavailable` while nothing would
/// be kept, or with the chain's state in the code (`chain.rpc_down`) while work has to wait.
#[utoipa::path(get, path = "/ready", tag = "public", responses((status = 200, body = ReadyView)))]
pub async fn ready(State(app): State<App>) -> Result<Json<ReadyView>, ApiError> {
    app.deps.store.writable().await.map_err(|error| ApiError::keeps_nothing(&error))?;
    let readiness = app.deps.chain.readiness().await;
    if !readiness.state.serves() {
        return Err(ApiError::chain_state(readiness));
    }
    Ok(Json(ReadyView { ok: true, chain: readiness.into() }))
}

/// Settings of this deployment that screens need.
#[utoipa::path(get, path = "/api/v1/config", tag = "public", responses((status = 200, body = ConfigView)))]
pub async fn show_config(State(app): State<App>) -> Json<ConfigView> {
    let config = &app.config;
    let (order_window_s, order_grace_s) = app.deps.chain.order_window_s();
    let now = app.now();
    let next = config.tariffs.next_change(now);
    Json(ConfigView {
        demo: config.demo,
        now: now.into(),
        slot_length_s: config.slot_length_s,
        speed: config.speed,
        tariff: (&config.tariffs.at(now)).into(),
        next_tariff: next
            .map(|next| NextTariffView { from: next.from.into(), tariff: (&next.tariff).into() }),
        place: config.place,
        phones_url: config.phones_url.clone(),
        cluster: config.cluster.clone(),
        order_window_s,
        order_grace_s,
    })
}
