//! Around every request: its id, its errors' bodies, the count of work under
//! way, and how long it may take.

use crate::app::App;
use crate::error::ApiError;
use crate::problem::Problem;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a request may take; a wait for a state ends before.
const PATIENCE: Duration = Duration::from_secs(30);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, and its error, if it ends in one, a body.
pub async fn identify(State(app): State<App>, request: Request, next: Next) -> Response {
    let number = app.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("{}-{number}", app.request_prefix);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_api = path.starts_with("/api/");
    let mut response = next.run(request).await;
    let status = response.status();
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        match error.for_log() {
            Some(internal) => {
                tracing::error!(request_id = %id, %method, path = loggable(&path), %status, internal, "request failed");
            }
            None => {
                tracing::debug!(request_id = %id, %method, path = loggable(&path), %status, code = error.code(), "request refused");
            }
        }
        let mut with_body = Problem::of(&error, &id).answer(status);
        with_body.headers_mut().extend(response.headers_mut().drain().filter_map(|(name, value)| {
            // The empty body's own length and type do not fit the new one.
            name.filter(|name| *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE)
                .map(|name| (name, value))
        }));
        response = with_body;
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// A path of these doors holds a secret.
fn loggable(path: &str) -> &str {
    let doors = [("/hooks/", "/hooks/.."), ("/ussd/", "/ussd/.."), ("/sms/", "/sms/..")];
    doors.iter().find(|(door, _)| path.starts_with(door)).map_or(path, |(_, shown)| shown)
}

/// Counts the request as work under way until it is answered. Live streams and
/// waits for a state stand outside, or simulated time would stand still.
pub async fn busy(State(app): State<App>, request: Request, next: Next) -> Response {
    let _busy = app.deps.clock.busy();
    next.run(request).await
}

/// Ends what takes too long. What was begun about money goes on by itself.
pub async fn patience(request: Request, next: Next) -> Result<Response, ApiError> {
    tokio::time::timeout(PATIENCE, next.run(request)).await.map_err(|_| {
        ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "api.timeout",
            "This took too long. Look whether it has happened before you repeat it, and repeat it with the same key.",
        )
    })
}

/// Where a request came from: the address of the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| ApiError::internal("a request without an address reached a handler"))
    }
}
