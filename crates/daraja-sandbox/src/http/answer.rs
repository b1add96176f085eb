//! How a Daraja request is answered: as it deserves, or as was ordered.

use super::auth::Family;
use super::{App, Vanished};
use crate::action::Canned;
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use crate::world::Verdict;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A body, or why there is none (too long, cut off).
pub type Body = Result<Bytes, BytesRejection>;

/// How long an answer waits for its callback to be sent before it, in seconds
/// of real time: longer than a callback may take.
const CALLBACK_FIRST_S: u64 = 20;

impl App {
    /// An id for a request.
    pub fn new_id(&self) -> String {
        let nth = self.requests.fetch_add(1, Ordering::Relaxed);
        Draw::new(self.config.seed, Purpose::Id, self.start, nth).dashed()
    }

    /// Daraja's error envelope.
    pub fn envelope(&self, refusal: &Refusal) -> Response {
        let body = json!({
            "requestId": self.new_id(),
            "errorCode": refusal.code,
            "errorMessage": refusal.message,
        });
        let mut response = (status(refusal.status), Json(body)).into_response();
        if refusal.status == 429 {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("12"));
        }
        response
    }

    /// The answer to a Daraja request.
    pub async fn conclude(&self, family: Family, result: Result<Verdict<Value>, Refusal>) -> Response {
        let answer = match result {
            Err(refusal) | Ok(Verdict::Instead(Canned::Envelope(refusal))) => return self.envelope(&refusal),
            Ok(Verdict::Answer(answer)) => answer,
            Ok(Verdict::AfterCallback(answer, told)) => {
                // Whether it was told or not, in the end there is an answer.
                let _ = tokio::time::timeout(Duration::from_secs(CALLBACK_FIRST_S), told).await;
                answer
            }
            Ok(Verdict::Instead(Canned::Raw(code, kind, body))) => {
                return (status(code), [(header::CONTENT_TYPE, kind)], body).into_response();
            }
            Ok(Verdict::TokenEnded) => {
                self.tokens.end();
                return self.envelope(&family.refusal());
            }
            Ok(Verdict::Vanish) => {
                let mut response = StatusCode::NO_CONTENT.into_response();
                response.extensions_mut().insert(Vanished);
                return response;
            }
        };
        match answer {
            Ok(body) => Json(body).into_response(),
            Err(refusal) => self.envelope(&refusal),
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
