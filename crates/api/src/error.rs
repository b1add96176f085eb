//! The one error of the API, and the one place that gives it an HTTP status.
//!
//! Internals go to the log under the request id; the answer says only that
//! something went wrong and which id to quote.

use crate::ports::{TradingError, TradingFault};
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jirani_chain::{ChainError, Readiness};
use jirani_statement::{InvalidPeriod, StatementError};
use jirani_store::StoreError;
use std::borrow::Cow;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    /// For the log only.
    internal: Option<String>,
}

impl ApiError {
    /// An error with its status.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), internal: None }
    }

    /// The request cannot be read.
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// There is no such thing, or it is somebody else's: the two look alike.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "api.not_found", format!("There is no such {what}."))
    }

    /// Too many requests.
    pub fn too_many(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
    }

    /// What a domain error says of itself: `code: sentence`.
    pub(crate) fn coded(status: StatusCode, text: &str) -> Self {
        let (code, message) = split_code(text).unwrap_or(("api.refused", text));
        Self::new(status, code.to_owned(), message.to_owned())
    }

    /// Our own fault; `internal` goes to the log.
    pub fn internal(internal: impl Into<String>) -> Self {
        Self {
            internal: Some(internal.into()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "api.internal",
                "Something went wrong on our side. Try again, and quote the request id if it stays.",
            )
        }
    }

    /// A neighbour does not answer; `internal` goes to the log.
    fn unavailable(code: &'static str, message: &'static str, internal: impl Into<String>) -> Self {
        Self { internal: Some(internal.into()), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message) }
    }

    /// The store keeps nothing now.
    pub(crate) fn keeps_nothing(error: &StoreError) -> Self {
        Self::unavailable(
            "store.unavailable",
            "The database keeps nothing now: it is full, locked, read-only or lost, the log says which. \
             Nothing is acknowledged until it does.",
            error.to_string(),
        )
    }

    /// The chain takes no work now: its state is the code.
    pub(crate) fn chain_state(readiness: Readiness) -> Self {
        // The cause stays out of the log: it may hold the node's URL, and that a password.
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("chain.{}", readiness.state.word()),
            readiness.sentence,
        )
    }

    /// HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the log may know and the answer may not.
    pub(crate) fn for_log(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// A sentence a person can act on, in English.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for ApiError {
    /// Only the status: the outermost layer knows the request id and writes the body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Splits `code: sentence`, the way all domain errors print.
fn split_code(text: &str) -> Option<(&str, &str)> {
    let (code, message) = text.split_once(": ")?;
    let well_formed = code.contains('.')
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
    well_formed.then_some((code, message))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Refused { refusal, .. } => {
                let refusal = refusal.to_string();
                let (code, message) = split_code(&refusal).unwrap_or(("ledger.refused", &refusal));
                Self::new(StatusCode::CONFLICT, code.to_owned(), message.to_owned())
            }
            StoreError::Conflict { .. } => Self {
                internal: Some(text),
                ..Self::new(
                    StatusCode::CONFLICT,
                    "store.conflict",
                    "Somebody else changed this at the same moment. Look again and repeat if you still want to.",
                )
            },
            StoreError::Damaged { .. } | StoreError::OutOfRange { .. } => Self::internal(text),
            StoreError::Unavailable { .. } => Self::unavailable(
                "store.unavailable",
                "Our records cannot be read at the moment. Try again in a minute.",
                text,
            ),
        }
    }
}

impl From<InvalidPeriod> for ApiError {
    fn from(error: InvalidPeriod) -> Self {
        let text = error.to_string();
        let (code, message) = split_code(&text).unwrap_or(("statement.invalid_period", &text));
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code.to_owned(), message.to_owned())
    }
}

impl From<StatementError> for ApiError {
    fn from(error: StatementError) -> Self {
        let text = error.to_string();
        let status = match error {
            StatementError::Store(error) => return error.into(),
            StatementError::NoHousehold(_) => return Self::not_found("household"),
            StatementError::InTheFuture(_) | StatementError::TooLong { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StatementError::TooBusy => StatusCode::SERVICE_UNAVAILABLE,
            _ => return Self::internal(text),
        };
        let (code, message) = split_code(&text).unwrap_or(("statement.refused", &text));
        Self::new(status, code.to_owned(), message.to_owned())
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        let text = error.to_string();
        match error {
            ChainError::NotReady(_) | ChainError::Unsigned { .. } => Self::unavailable(
                "chain.not_ready",
                "The chain is not set up for this grid yet. Nothing is lost; the operator has to look.",
                text,
            ),
            ChainError::Unreachable(_) => Self::unavailable(
                "chain.unreachable",
                "The chain does not answer at the moment. Nothing is lost; try again in a minute.",
                text,
            ),
            ChainError::Store(error) => error.into(),
            ChainError::Damaged(_) | ChainError::InvalidWork(_) => Self::internal(text),
        }
    }
}

impl From<TradingError> for ApiError {
    fn from(error: TradingError) -> Self {
        let status = match error.fault {
            TradingFault::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            TradingFault::NotFound => StatusCode::NOT_FOUND,
            TradingFault::Conflict => StatusCode::CONFLICT,
            TradingFault::Limited => StatusCode::TOO_MANY_REQUESTS,
            TradingFault::Unavailable => {
                let text = error.to_string();
                return Self {
                    internal: Some(text),
                    ..Self::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        error.code,
                        "A part we depend on does not answer at the moment. Repeat with the same key: nothing is done twice.",
                    )
                };
            }
            TradingFault::Internal => return Self::internal(error.to_string()),
        };
        Self::new(status, error.code, error.message)
    }
}

const TOO_LARGE: &str = "The request is larger than this door takes.";

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "api.content_type",
                "Send JSON, with the header Content-Type: application/json.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "api.body_too_large", TOO_LARGE)
            }
            _ => Self::bad_request("api.body_invalid", rejection.body_text()),
        }
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "api.body_too_large", TOO_LARGE)
            }
            _ => Self::bad_request("api.body_invalid", "The request's body did not arrive whole."),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::not_found("thing")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("api.query_invalid", rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn internals_reach_the_log_and_never_the_answer() {
        let error = ApiError::from(StoreError::Damaged { what: "row 7 of table secrets".into() });
        let body = Problem::of(&error, "r-1");
        assert_eq!((error.status().as_u16(), body.code.as_str()), (500, "api.internal"));
        assert!(!body.detail.contains("secrets"));
        assert!(error.for_log().unwrap().contains("secrets"));
    }

    #[test]
    fn a_refusal_of_the_ledger_keeps_its_code_and_sentence() {
        let error = ApiError::from(StoreError::Refused {
            index: 0,
            refusal: jirani_ledger::Refusal::InsufficientBalance,
        });
        assert_eq!(error.code(), "ledger.insufficient_balance");
        assert_eq!(Problem::of(&error, "r").detail, "the available balance is too small");
    }
}
