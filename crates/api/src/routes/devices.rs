//! The devices on which a household is signed in.

use crate::accounts::pin::end;
use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::account::DeviceView;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use axum::extract::State;
use axum::http::StatusCode;

/// Where the household is signed in, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/devices",
    tag = "household",
    responses((status = 200, body = Vec<DeviceView>))
)]
pub async fn devices(
    State(app): State<App>,
    Own(household): Own,
    who: SignedIn,
) -> Result<Json<Vec<DeviceView>>, ApiError> {
    let sessions = app.deps.store.sessions_of(household, app.now()).await?;
    let views = sessions.into_iter().map(|session| DeviceView {
        id: hex::encode(session.device),
        name: session.device_name,
        created_at: session.created_at.into(),
        expires_at: session.expires_at.into(),
        this_one: session.token_hash == who.token_hash,
    });
    Ok(Json(views.collect()))
}

/// Signs one of them out.
#[utoipa::path(
    delete,
    path = "/api/v1/me/devices/{id}",
    tag = "household",
    params(("id" = String, Path, description = "The device.")),
    responses((status = 204), (status = 404, body = crate::Problem))
)]
pub async fn sign_out_device(
    State(app): State<App>,
    Own(household): Own,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let now = app.now();
    let sessions = app.deps.store.sessions_of(household, now).await?;
    let session = sessions.into_iter().find(|session| hex::encode(session.device) == id);
    let session = session.ok_or_else(|| ApiError::not_found("device"))?;
    end(&app, session.token_hash, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs all others out.
#[utoipa::path(delete, path = "/api/v1/me/devices", tag = "household", responses((status = 204)))]
pub async fn sign_out_others(
    State(app): State<App>,
    Own(household): Own,
    who: SignedIn,
) -> Result<StatusCode, ApiError> {
    let now = app.now();
    let sessions = app.deps.store.sessions_of(household, now).await?;
    for other in sessions.into_iter().filter(|session| session.token_hash != who.token_hash) {
        end(&app, other.token_hash, now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
