//! The role's paths: M-Pesa's, the site's, and those that tell how it is.

use super::Shared;
use super::file::{Arrival, FileError};
use super::serve::Peer;
use crate::door::{BODY_MAX, Door};
use crate::gate::HookRefusal;
use crate::wire::{
    ACKNOWLEDGED, Acknowledged, Ask, BATCH_MAX, Batch, CALLBACKS, Forgotten, WAIT_S_MAX, same_secret,
};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bytes of headers that are kept of one callback.
const HEADERS_MAX: usize = 4 * 1024;
/// Headers that hold somebody's secret are not kept.
const NOT_KEPT: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];
/// How long a callback's body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(15);

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let site = Router::new()
        .route(CALLBACKS, get(callbacks))
        .route(ACKNOWLEDGED, post(acknowledged))
        .route("/metrics", get(metrics))
        .layer(axum::middleware::from_fn_with_state(shared.clone(), only_the_site));
    Router::new()
        .route("/hooks/{*rest}", post(hook))
        .route("/health", get(|| async { Json(json!({"ok": true})) }))
        .route("/ready", get(ready))
        .merge(site)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared)
}

fn no(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}

/// A callback: source and rate before its body is read, disk before its answer.
async fn hook(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    uri: Uri,
    request: Request,
) -> Response {
    let source = match shared.gate.admit(peer.ip(), request.headers()) {
        Ok(source) => source,
        Err(HookRefusal::TooMany) => {
            return no(StatusCode::TOO_MANY_REQUESTS, "hooks.too_many", "Too many callbacks; come again.");
        }
        Err(_) => {
            return no(StatusCode::FORBIDDEN, "hooks.forbidden", "Callbacks are taken from M-Pesa only.");
        }
    };
    let Some((door, _)) = Door::of(uri.path()) else {
        shared.gate.refuse(HookRefusal::NoSuchDoor);
        return no(StatusCode::NOT_FOUND, "hooks.not_found", "There is no such page.");
    };
    let headers = kept_headers(request.headers());
    let read = <Bytes as axum::extract::FromRequest<()>>::from_request(request, &());
    let body: Result<Bytes, BytesRejection> = match tokio::time::timeout(ARRIVES_WITHIN, read).await {
        Ok(body) => body,
        Err(_) => return no(StatusCode::REQUEST_TIMEOUT, "hooks.slow", "The callback took too long."),
    };
    let Ok(body) = body else {
        shared.gate.refuse(HookRefusal::TooLong);
        return no(StatusCode::PAYLOAD_TOO_LARGE, "hooks.too_long", "The callback is too long.");
    };
    if let Door::Kept(_) = door {
        let arrival = Arrival {
            path: uri.path().to_owned(),
            source: source.to_string(),
            received_at: shared.clock.now(),
            headers,
            body: body.to_vec(),
        };
        if let Err(error) = shared.file.keep(arrival).await {
            shared.gate.refuse(HookRefusal::NotStored);
            tracing::error!(%error, "a callback was not kept and not acknowledged");
            return no(StatusCode::SERVICE_UNAVAILABLE, "hooks.not_stored", "Not taken; send it again.");
        }
    }
    Json(json!({"ResultCode": 0, "ResultDesc": "Accepted"})).into_response()
}

fn kept_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    let mut bytes = 0;
    for (name, value) in headers {
        let name = name.as_str();
        let Ok(value) = value.to_str() else { continue };
        bytes += name.len() + value.len();
        if bytes > HEADERS_MAX {
            break;
        }
        if !NOT_KEPT.contains(&name) {
            kept.insert(name.to_owned(), value.to_owned());
        }
    }
    kept
}

async fn only_the_site(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !same_secret(given, &shared.token) {
        return no(StatusCode::UNAUTHORIZED, "inbox.unauthorised", "The inbox's token is needed here.");
    }
    next.run(request).await
}

fn unreadable(error: &FileError) -> Response {
    tracing::error!(%error, "the inbox's file cannot be read");
    no(StatusCode::SERVICE_UNAVAILABLE, "inbox.file", "The inbox's file cannot be read now.")
}

/// Kept callbacks, at once or as soon as one comes.
async fn callbacks(State(shared): State<Arc<Shared>>, Query(ask): Query<Ask>) -> Response {
    let name = shared.file.name();
    let after = if ask.inbox.as_deref().is_none_or(|inbox| inbox == name) { ask.after } else { 0 };
    let limit = ask.limit.unwrap_or(BATCH_MAX).clamp(1, BATCH_MAX);
    let wait_s = ask.wait_s.unwrap_or(0).min(WAIT_S_MAX);
    let until = Instant::now() + Duration::from_secs(u64::from(wait_s));
    // Listens before it reads: what comes in between is heard.
    let mut last = shared.file.last();
    last.mark_unchanged();
    loop {
        let callbacks = match shared.file.after(after, limit, shared.clock.now()).await {
            Ok(callbacks) => callbacks,
            Err(error) => return unreadable(&error),
        };
        let nothing = callbacks.is_empty();
        let batch = Batch { inbox: name.to_owned(), callbacks };
        if !nothing || wait_s == 0 {
            return Json(batch).into_response();
        }
        let more = tokio::select! {
            more = timeout_at(until, last.changed()) => matches!(more, Ok(Ok(()))),
            () = shared.stop.cancelled() => false,
        };
        if !more {
            return Json(batch).into_response();
        }
    }
}

/// The site has them on disk.
async fn acknowledged(State(shared): State<Arc<Shared>>, Json(told): Json<Acknowledged>) -> Response {
    if told.inbox != shared.file.name() {
        return no(StatusCode::CONFLICT, "inbox.other_file", "These numbers belong to another inbox.");
    }
    if told.through > *shared.file.last().borrow() {
        return no(StatusCode::CONFLICT, "inbox.not_yet", "There is no callback of this number yet.");
    }
    match shared.file.forget_through(told.through).await {
        Ok(forgotten) => Json(Forgotten { forgotten }).into_response(),
        Err(error) => unreadable(&error),
    }
}

/// Whether callbacks are taken and fetched.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let level = match shared.file.level().await {
        Ok(level) => level,
        Err(error) => return unreadable(&error),
    };
    let age_s = level.oldest.map_or(0, |oldest| shared.clock.now().since(oldest));
    if level.bytes > shared.bytes_max / 5 * 4 {
        return no(
            StatusCode::SERVICE_UNAVAILABLE,
            "inbox.nearly_full",
            "The site must fetch its callbacks.",
        );
    }
    if age_s > i64::from(shared.alarm_after_s) {
        return no(
            StatusCode::SERVICE_UNAVAILABLE,
            "inbox.not_fetched",
            "The site has not fetched for long.",
        );
    }
    Json(json!({"ok": true})).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let level = match shared.file.level().await {
        Ok(level) => level,
        Err(error) => return unreadable(&error),
    };
    let age_s = level.oldest.map_or(0, |oldest| shared.clock.now().since(oldest).max(0));
    let mut text = shared.gate.metrics();
    let kept = *shared.file.last().borrow();
    let expired = shared.expired.load(Ordering::Relaxed);
    for (name, kind, help, value) in [
        ("kept_total", "counter", "Number of the last callback kept.", kept),
        ("waiting", "gauge", "Callbacks the site has not acknowledged.", level.waiting),
        ("waiting_bytes", "gauge", "Bytes of them.", level.bytes),
        ("oldest_seconds", "gauge", "Age of the oldest of them.", age_s.unsigned_abs()),
        ("expired_total", "counter", "Callbacks deleted unfetched.", expired),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP jirani_inbox_{name} {help}\n# TYPE jirani_inbox_{name} {kind}\njirani_inbox_{name} {value}"
        );
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
