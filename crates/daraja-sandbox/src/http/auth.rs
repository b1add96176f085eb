//! Tokens: one app, one valid token, 3600 seconds.

use super::App;
use crate::action::{Canned, Target};
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use crate::world::{Verdict, Whom};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_units::{Clock as _, Timestamp};
use serde_json::{Value, json};
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

impl Tokens {
    /// Ends the valid token, if there is one.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).current = None;
    }
}

/// Which words a family of APIs uses for a token it does not take.
#[derive(Clone, Copy)]
pub enum Family {
    /// STK, B2C, B2B, reversal, QR.
    Express,
    /// C2B, transaction status.
    C2b,
    /// Account balance.
    Balance,
    /// Pull transactions.
    Pull,
}

impl Family {
    /// The refusal of a token.
    pub fn refusal(self) -> Refusal {
        let (status, code) = match self {
            Self::Express => (404, "404.001.03"),
            Self::C2b => (400, "400.003.01"),
            Self::Balance => (401, "401.002.01"),
            Self::Pull => (401, "401.001"),
        };
        Refusal::new(status, code, "Invalid Access Token")
    }
}

/// `GET /oauth/v1/generate?grant_type=client_credentials`.
pub async fn generate(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let result = try_generate(&app, query.as_deref().unwrap_or_default(), &headers).await;
    app.conclude(Family::Express, result).await
}

async fn try_generate(app: &App, query: &str, headers: &HeaderMap) -> Result<Verdict<Value>, Refusal> {
    let Some(given) =
        header_text(headers, header::AUTHORIZATION).and_then(|text| text.strip_prefix("Basic "))
    else {
        return Err(Refusal::new(400, "400.008.01", "Invalid Authentication passed"));
    };
    let expected = format!("{}:{}", app.config.consumer_key, app.config.consumer_secret);
    if STANDARD.decode(given.trim()).ok().as_deref() != Some(expected.as_bytes()) {
        // Wrong keys are answered without a word.
        return Ok(Verdict::Instead(Canned::Raw(400, "application/json", String::new())));
    }
    if !query.split('&').any(|pair| pair == "grant_type=client_credentials") {
        return Err(Refusal::new(400, "400.008.02", "Invalid grant type passed"));
    }
    let asked = app.core.ask(None, |world| {
        let mut taken_on = false;
        let verdict = world.answer(Target::OauthResponse, Whom::default(), |_, _| {
            taken_on = true;
            Ok(((), 0))
        });
        (verdict, taken_on)
    });
    let (verdict, taken_on) = asked.await?;
    if !taken_on {
        return Ok(verdict.map(|()| Value::Null));
    }
    let token = {
        let mut issued = app.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = Draw::new(app.config.seed, Purpose::Token, app.start, issued.count).text(28);
        issued.current = Some((token.clone(), app.clock.now().plus_seconds(LIFETIME_S)));
        token
    };
    Ok(verdict.map(|()| json!({"access_token": token, "expires_in": "3599"})))
}

/// Checks the token.
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
    if valid { Ok(()) } else { Err(family.refusal()) }
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
