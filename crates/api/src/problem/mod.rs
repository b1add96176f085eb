//! What an error looks like on the wire: problem details (RFC 9457), in both languages.
//!
//! The English sentence is the one of the error itself. The Kiswahili one is found by the
//! code and the shape of the English sentence ([`kiswahili`]), whose numbers and times it
//! takes over, so that an amount is never said twice in two ways.

mod kiswahili;

use crate::error::ApiError;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The content type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Problem details of RFC 9457, with our stable code and both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The kind of problem: `urn:jirani:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the status means, in English: `Conflict`.
    pub title: &'static str,
    /// The HTTP status again, for whoever keeps only the body.
    pub status: u16,
    /// Stable code, `market.offer_gone`.
    pub code: String,
    /// A sentence a person can act on, in English.
    pub detail: String,
    /// The same in Kiswahili.
    pub detail_sw: String,
    /// For questions to the operator.
    pub request_id: String,
}

impl Problem {
    /// The problem of an error of the request with this id.
    pub fn of(error: &ApiError, request_id: &str) -> Self {
        Self {
            kind: format!("urn:jirani:problem:{}", error.code()),
            title: error.status().canonical_reason().unwrap_or("Error"),
            status: error.status().as_u16(),
            code: error.code().to_owned(),
            detail: error.message().to_owned(),
            detail_sw: kiswahili::of(error.code(), error.message()),
            request_id: request_id.to_owned(),
        }
    }

    /// The answer.
    pub fn answer(&self, status: StatusCode) -> Response {
        let content_type = [(axum::http::header::CONTENT_TYPE, CONTENT_TYPE)];
        // INVARIANT: text and numbers always become JSON; without them the status still says it.
        let body = serde_json::to_vec(self).unwrap_or_default();
        (status, content_type, body).into_response()
    }
}
