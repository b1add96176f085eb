//! A session begins: always with a new token, so that nobody can have prepared it.

use crate::app::App;
use crate::auth::origin::COOKIE;
use crate::dto::session::SessionView;
use crate::error::ApiError;
use crate::extract::Json;
use axum::http::{HeaderName, header};
use axum::response::AppendHeaders;
use jirani_store::{Change, SessionRecord, SessionRole, StoreError};

/// Tokens drawn again when one is taken: only a seed used twice makes that happen.
const DRAWS_MAX: usize = 64;

/// Whose session, and how long.
pub struct Opening {
    /// Who.
    pub role: SessionRole,
    /// The name at the desk.
    pub operator: Option<String>,
    /// What the owner calls the device.
    pub device_name: Option<String>,
    /// Seconds of the service clock until it ends.
    pub lasts_s: u32,
}

/// The token once in the body, for programs, and once as a cookie that no page's script sees.
pub type Opened = (AppendHeaders<[(HeaderName, String); 1]>, Json<SessionView>);

/// Begins a session.
pub async fn open(app: &App, opening: Opening) -> Result<Opened, ApiError> {
    let now = app.now();
    let Opening { role, operator, device_name, lasts_s } = opening;
    for _ in 0..DRAWS_MAX {
        let token = app.deps.tokens.draw();
        let session = SessionRecord {
            token_hash: token.hash(),
            role,
            operator: operator.clone(),
            device: app.deps.tokens.salt(),
            device_name: device_name.clone(),
            pin_at: None,
            created_at: now,
            expires_at: now.plus_seconds(i64::from(lasts_s)),
            version: 0,
        };
        match app.deps.store.commit(vec![Change::Session(session)]).await {
            Ok(_) => {}
            Err(StoreError::Conflict { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        let household_id = match role {
            SessionRole::Household(household) => Some(household.0),
            SessionRole::Desk(_) => None,
        };
        let cookie = cookie_of(app, token.as_str(), lasts_s);
        let token = token.as_str().to_owned();
        let view = SessionView { token, role: role.into(), household_id, operator_name: operator };
        return Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(view)));
    }
    Err(ApiError::internal("every token drawn was taken: the seed of the tokens was used before"))
}

/// The cookie's line; an age of nothing removes it.
pub fn cookie_of(app: &App, value: &str, max_age_s: u32) -> String {
    let secure = if app.config.secure_cookies { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}")
}
