//! Around M-Pesa's doors: who may call, how often, and what is counted.

use crate::app::App;
use crate::error::ApiError;
use crate::guard::request::Peer;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use jirani_inbox::HookRefusal;
use std::net::IpAddr;

/// Where a callback came from: behind a proxy of ours, the hop before it.
#[derive(Clone, Copy, Debug)]
pub struct Source(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| ApiError::internal("a callback that did not pass the gate reached a handler"))
    }
}

/// Source and rate, before anything of the body is read; afterwards counts what
/// was refused behind the gate.
pub async fn gate(
    State(app): State<App>,
    Peer(peer): Peer,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match app.gate.admit(peer.ip(), request.headers()) {
        Ok(source) => request.extensions_mut().insert(Source(source)),
        Err(HookRefusal::TooMany) => {
            return Err(ApiError::too_many(
                "hooks.too_many",
                "Too many callbacks from one source; come again.",
            ));
        }
        Err(_) => {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "hooks.foreign_source",
                "Callbacks are taken from M-Pesa's addresses only. Set [hooks] allowed if they changed.",
            ));
        }
    };
    let response = next.run(request).await;
    let refusal = match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Some(HookRefusal::TooLong),
        StatusCode::NOT_FOUND => Some(HookRefusal::NoSuchDoor),
        status if status.is_server_error() => Some(HookRefusal::NotStored),
        _ => None,
    };
    if let Some(refusal) = refusal {
        app.gate.refuse(refusal);
    }
    Ok(response)
}
