//! What handlers take from a request, with our own errors.

use crate::error::ApiError;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jirani_units::JSON_INTEGER_MAX;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// A JSON body, in or out.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A body as it came.
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(Self(Bytes::from_request(request, state).await?))
    }
}

/// What stands in the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// What stands after the question mark.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

/// A number in the path, small enough for JSON.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub struct Id(pub u64);

impl TryFrom<u64> for Id {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number > JSON_INTEGER_MAX { Err("no such number") } else { Ok(Self(number)) }
    }
}

/// How much of a list to answer with.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// At most this many: 1 to 200, 50 if not said.
    pub limit: Option<u32>,
}

impl Page {
    /// The limit, within bounds.
    pub fn limit(self) -> u32 {
        self.limit.unwrap_or(50).clamp(1, 200)
    }
}

/// The caller's own name for what it wants done: sent again with the same key,
/// a request is not done again but answered with what it did.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// 1 to 64 letters, digits, `-`, `_`, `.`, `:` or `/`; a UUID will do.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 64)]
    pub key: String,
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(ApiError::bad_request(
                "api.idempotency_key_missing",
                "Send a header Idempotency-Key with a new value for every new wish, and the same value to repeat one.",
            ));
        };
        let well_formed = |key: &&str| {
            (1..=64).contains(&key.len())
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b))
        };
        match value.to_str().ok().filter(well_formed) {
            Some(key) => Ok(Self { key: key.to_owned() }),
            None => Err(ApiError::bad_request(
                "api.idempotency_key_invalid",
                "An Idempotency-Key has 1 to 64 letters, digits, '-', '_', '.', ':' or '/'.",
            )),
        }
    }
}
