//! Tokens: one app, one valid token, 3600 seconds.

use super::App;
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_units::{Clock as _, Timestamp};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

const LIFETIME_S: i64 = 3_600;

/// The valid token. A new one ends the previous one, as Daraja's FAQ says.
#[derive(Default)]
pub struct Tokens(Mutex<Issued>);

#[derive(Default)]
struct Issued {
    count: u64,
    current: Option<(String, Timestamp)>,
    last_query: Option<Timestamp>,
}

/// Which words a family of APIs uses for a token it does not take.
#[derive(Clone, Copy)]
pub enum Family {
    /// STK and B2C.
    Express,
    /// C2B.
    C2b,
}

/// `GET /oauth/v1/generate?grant_type=client_credentials`.
pub async fn generate(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let expected = format!("{}:{}", app.config.consumer_key, app.config.consumer_secret);
    let given = header_text(&headers, header::AUTHORIZATION).and_then(|text| text.strip_prefix("Basic "));
    if given.and_then(|text| STANDARD.decode(text.trim()).ok()).as_deref() != Some(expected.as_bytes()) {
        return app.envelope(&Refusal::new(400, "400.008.01", "Invalid Authentication passed"));
    }
    let grant = query.unwrap_or_default();
    if !grant.split('&').any(|pair| pair == "grant_type=client_credentials") {
        return app.envelope(&Refusal::new(400, "400.008.02", "Invalid grant type passed"));
    }
    let token = {
        let mut issued = app.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = Draw::new(app.config.seed, Purpose::Token, app.start, issued.count).text(28);
        issued.current = Some((token.clone(), app.clock.now().plus_seconds(LIFETIME_S)));
        token
    };
    Json(json!({"access_token": token, "expires_in": "3599"})).into_response()
}

/// Checks the token, and that the body is said to be JSON.
pub fn check(app: &App, headers: &HeaderMap, family: Family) -> Result<(), Refusal> {
    let Some(given) =
        header_text(headers, header::AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "))
    else {
        return Err(Refusal::new(404, "404.001.04", "Invalid Authentication Header"));
    };
    let now = app.clock.now();
    let valid = {
        let issued = app.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        issued.current.as_ref().is_some_and(|(token, until)| token == given.trim() && now < *until)
    };
    if valid {
        return Ok(());
    }
    Err(match family {
        Family::Express => Refusal::new(404, "404.001.03", "Invalid Access Token"),
        Family::C2b => Refusal::new(400, "400.003.01", "Invalid Access Token"),
    })
}

/// The rate limit of queries, where one is set: no more than one per interval.
pub fn query_allowed(app: &App) -> bool {
    let Some(per_minute) = app.config.queries_per_minute else { return true };
    let interval_us = 60_000_000 / i64::from(per_minute.max(1));
    let now = app.clock.now();
    let mut issued = app.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
    let allowed = issued.last_query.is_none_or(|last| now.since(last) >= interval_us);
    if allowed {
        issued.last_query = Some(now);
    }
    allowed
}

pub fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
