//! Signing in and out. In a demonstration anybody picks whom to be; elsewhere
//! these doors do not exist.

use crate::app::App;
use crate::auth::SignedIn;
use crate::auth::opening::{Opening, cookie_of, open};
use crate::dto::household::DemoHousehold;
use crate::dto::session::{SessionRequest, SessionView};
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::request::Peer;
use crate::routes::reviews::UNNAMED;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use jirani_store::{Change, DeskRole, SessionRecord, SessionRole, StoreError};
use jirani_units::HouseholdId;
use tokio::time::Instant;

fn demo_only(app: &App) -> Result<(), ApiError> {
    if app.config.demo { Ok(()) } else { Err(ApiError::not_found("page")) }
}

/// Whom one may be in a demonstration.
#[utoipa::path(
    get,
    path = "/api/v1/demo/households",
    tag = "session",
    responses((status = 200, body = Vec<DemoHousehold>))
)]
pub async fn demo_households(State(app): State<App>) -> Result<Json<Vec<DemoHousehold>>, ApiError> {
    demo_only(&app)?;
    let households = app.deps.store.households().await?;
    Ok(Json(
        households
            .into_iter()
            .map(|household| DemoHousehold {
                id: household.id.0,
                name: household.name,
                alias: household.alias,
                kind: household.kind.into(),
                pv_rated_w: household.pv_rated_w,
            })
            .collect(),
    ))
}

/// Signs in as a household or as the operator, in a demonstration.
#[utoipa::path(
    post,
    path = "/api/v1/demo/session",
    tag = "session",
    request_body = SessionRequest,
    responses((status = 200, body = SessionView))
)]
pub async fn sign_in(
    State(app): State<App>,
    Peer(peer): Peer,
    Json(request): Json<SessionRequest>,
) -> Result<impl IntoResponse, ApiError> {
    demo_only(&app)?;
    if !app.sign_ins.take(peer.ip(), Instant::now()) {
        return Err(ApiError::too_many(
            "api.too_many_sign_ins",
            "Too many sign-ins from your network. Wait a minute and try again.",
        ));
    }
    let mut operator = None;
    let role = match request {
        SessionRequest {
            household_id: Some(id),
            operator: None | Some(false),
            operator_name: None,
            role: None,
        } => {
            let household = HouseholdId(id);
            if app.deps.store.household(household).await?.is_none() {
                return Err(ApiError::not_found("household"));
            }
            SessionRole::Household(household)
        }
        SessionRequest { household_id: None, operator: Some(true), operator_name, role } => {
            operator = Some(operator_name.unwrap_or_else(|| UNNAMED.to_owned()));
            SessionRole::Desk(role.map_or(DeskRole::All, DeskRole::from))
        }
        _ => {
            return Err(ApiError::bad_request(
                "api.body_invalid",
                "Say either {\"household_id\": 1} or {\"operator\": true}.",
            ));
        }
    };
    if operator.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(ApiError::bad_request(
            "api.body_invalid",
            "An operator's name has 1 to 40 letters, digits, spaces, . - or '.",
        ));
    }
    if let Some(name) = &operator
        && app.deps.store.operator(name).await?.is_some()
    {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "api.name_taken",
            "This is the name of an account. Sign in with its password, or choose another name.",
        ));
    }
    open(&app, Opening { role, operator, device_name: None, lasts_s: app.config.session_s }).await
}

/// Signs out: the token is worth nothing from now on.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(State(app): State<App>, who: SignedIn) -> Result<impl IntoResponse, ApiError> {
    if let Some(session) = app.deps.store.session(who.token_hash).await? {
        let ended = SessionRecord { expires_at: app.now(), ..session };
        match app.deps.store.commit(vec![Change::Session(ended)]).await {
            // Somebody else ended it at the same moment.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie_of(&app, "", 0))])))
}

/// Whether it can stand at the review desk for a person.
fn is_name(name: &str) -> bool {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'');
    !name.is_empty() && name.trim() == name && name.chars().count() <= 40 && name.chars().all(is_fine)
}
