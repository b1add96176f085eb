//! Reads the synchronous answers of every Daraja API.
//!
//! The same error code means different things, so the table below reads code
//! and message together, and says "not sent" only where it is certain.

mod asked;
mod pull;
mod qr;

use crate::mpesa::{B2cAccepted, QueryOutcome, SendError, StkAccepted};
use crate::secret::Secret;
use crate::{callback, codes};
use serde_json::Value;
use std::time::Duration;

/// The longest lifetime of a token that is believed, in seconds.
const LONGEST_S: i64 = 24 * 3_600;

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    retry_after: Option<Duration>,
    json: Value,
}

impl Reply {
    /// A body that is not JSON is kept as "says nothing". Its length is bounded
    /// by whoever received it.
    pub fn new(status: u16, body: &[u8]) -> Self {
        Self { status, retry_after: None, json: serde_json::from_slice(body).unwrap_or(Value::Null) }
    }

    /// With the seconds of a `Retry-After` header.
    #[must_use]
    pub fn with_retry_after(self, header: Option<&str>) -> Self {
        let seconds = header.and_then(|text| text.trim().parse().ok());
        Self { retry_after: seconds.map(Duration::from_secs), ..self }
    }

    /// How long the gateway tells us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The token of an OAuth answer and its lifetime in seconds: text or number,
    /// 0 when unreadable, never above a day.
    pub fn token(&self) -> Option<(Secret, i64)> {
        let token = self.text("access_token").filter(|_| self.status == 200)?;
        let lifetime = self.text("expires_in").and_then(|text| text.parse().ok()).unwrap_or(0);
        Some((Secret::from(token), lifetime.clamp(0, LONGEST_S)))
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A field as text, whether it came as text or number.
    pub fn text(&self, key: &str) -> Option<String> {
        callback::text(self.json.get(key))
    }

    fn error_code(&self) -> String {
        self.text("errorCode")
            .or_else(|| callback::text(self.json.pointer("/fault/detail/errorcode")))
            .unwrap_or_default()
    }

    fn error_message(&self) -> String {
        self.text("errorMessage")
            .or_else(|| callback::text(self.json.pointer("/fault/faultstring")))
            .or_else(|| self.text("ResponseDescription"))
            .unwrap_or_default()
    }

    /// Whether something was taken on, or may have been: such an answer is never a
    /// reason to send again, whatever else it says.
    fn took_something(&self) -> bool {
        self.accepted() || ["CheckoutRequestID", "ConversationID"].iter().any(|id| self.text(id).is_some())
    }

    /// Whether the gateway cut us off before it looked at the request.
    pub fn cut_off(&self) -> bool {
        let code = self.error_code();
        (self.status == 429
            || code.starts_with("policies.ratelimit.")
            || self.error_message().contains("Spike Arrest"))
            && !self.took_something()
    }

    /// Whether our token was not accepted, by code or text: the HTTP status
    /// differs from one API to the next.
    pub fn token_rejected(&self) -> bool {
        if self.took_something() {
            return false;
        }
        let code = self.error_code();
        matches!(code.as_str(), "404.001.03" | "400.003.01" | "401.002.01" | "401.003.01" | "401.001")
            || code == "keymanagement.service.invalid_access_token"
            || self.error_message().contains("Invalid Access Token")
    }

    /// What a refused or strange answer to a request that moves money means.
    pub fn send_error(&self) -> SendError {
        let (code, message) = (self.error_code(), self.error_message());
        if message.contains("Duplicate OriginatorConversationID") {
            return SendError::Duplicate;
        }
        let not_sent = match code.as_str() {
            // The gateway or the first check of the fields said no.
            "400.002.02" | "400.002.05" | "400.003.02" | "404.001.01" | "404.001.04" | "404.003.01"
            | "405.001" | "500.003.02" | "500.003.03" => true,
            // One code, several meanings.
            "500.001.1001" => ["Merchant does not exist", "Wrong credentials", "Unable to lock subscriber"]
                .iter()
                .any(|known| message.contains(known)),
            _ => {
                self.token_rejected()
                    || self.status == 429
                    || message.contains("no apiproduct match found")
                    || code.starts_with("policies.ratelimit.")
            }
        };
        if not_sent {
            let code = if code.is_empty() { self.status.to_string() } else { code };
            return SendError::NotSent { code, message };
        }
        let seen = if code.is_empty() { String::new() } else { format!(", code {code}") };
        SendError::Unknown { message: format!("HTTP {}{seen}: {message}", self.status) }
    }

    fn accepted(&self) -> bool {
        self.status == 200 && self.text("ResponseCode").as_deref() == Some("0")
    }

    /// The answer to an STK Push.
    pub fn stk_push(&self) -> Result<StkAccepted, SendError> {
        match self.text("CheckoutRequestID") {
            Some(checkout_request_id) if self.accepted() => Ok(StkAccepted { checkout_request_id }),
            _ => Err(self.send_error()),
        }
    }

    /// The answer to an STK query for this prompt.
    pub fn stk_query(&self, checkout_request_id: &str) -> QueryOutcome {
        if !self.accepted() || self.text("CheckoutRequestID").is_some_and(|id| id != checkout_request_id) {
            return QueryOutcome::Pending;
        }
        match self.text("ResultCode") {
            Some(code) if code == "0" => QueryOutcome::Paid,
            Some(code) if codes::prompt_refusal(&code).is_some() => QueryOutcome::Refused { code },
            _ => QueryOutcome::Pending,
        }
    }

    /// The answer to a B2C request with this id of ours.
    pub fn b2c(&self, originator_id: &str) -> Result<B2cAccepted, SendError> {
        let ours = self.text("OriginatorConversationID").is_none_or(|echo| echo == originator_id);
        match self.text("ConversationID") {
            Some(conversation_id) if ours && self.accepted() => Ok(B2cAccepted { conversation_id }),
            _ => Err(self.send_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reply;
    use crate::mpesa::{QueryOutcome, SendError};
    use serde_json::json;

    fn envelope(status: u16, code: &str, message: &str) -> Reply {
        let body = json!({"requestId": "1c5b-4ba8", "errorCode": code, "errorMessage": message});
        Reply::new(status, body.to_string().as_bytes())
    }

    #[test]
    fn only_certain_refusals_count_as_not_sent() {
        for (status, code, message) in [
            (400, "400.002.02", "Bad Request - Invalid PhoneNumber"),
            (404, "404.001.03", "Invalid Access Token"),
            (500, "500.001.1001", "Unable to lock subscriber, a transaction is already in process"),
            (500, "500.001.1001", "[MerchantValidate] - Wrong credentials"),
            (500, "500.003.02", "Error Occurred: Spike Arrest Violation"),
            (429, "", ""),
        ] {
            let error = envelope(status, code, message).send_error();
            assert!(matches!(error, SendError::NotSent { .. }), "{code} {message}: {error:?}");
        }
        for (status, code, message) in [
            (500, "500.001.1001", ""),
            (500, "500.003.1001", "Internal server error"),
            (500, "500.002.1001", "System internal error."),
            (502, "", ""),
            (400, "", ""),
        ] {
            let error = envelope(status, code, message).send_error();
            assert!(matches!(error, SendError::Unknown { .. }), "{code} {message}: {error:?}");
        }
    }

    #[test]
    fn an_html_page_or_an_empty_yes_is_unknown() {
        for body in
            ["<html>Bad Gateway</html>", "", "{}", "[]", r#"{"ResponseCode":"0"}"#, r#"{"ResponseCode":"1"}"#]
        {
            let reply = Reply::new(200, body.as_bytes());
            assert!(matches!(reply.stk_push(), Err(SendError::Unknown { .. })), "{body}");
            assert!(matches!(reply.b2c("po-1"), Err(SendError::Unknown { .. })), "{body}");
        }
    }

    #[test]
    fn a_repeated_payout_is_a_duplicate_in_both_shapes() {
        let text = "Duplicate OriginatorConversationID.";
        assert_eq!(envelope(500, "500.002.1001", text).b2c("po-1"), Err(SendError::Duplicate));
        let ok = json!({"ResponseCode": "1", "ResponseDescription": text, "ConversationID": "AG_1"});
        assert_eq!(Reply::new(200, ok.to_string().as_bytes()).b2c("po-1"), Err(SendError::Duplicate));
    }

    #[test]
    fn a_yes_for_somebody_elses_payout_is_unknown() {
        let other =
            json!({"ResponseCode": "0", "ConversationID": "AG_1", "OriginatorConversationID": "po-2"});
        let reply = Reply::new(200, other.to_string().as_bytes());
        assert!(matches!(reply.b2c("po-1"), Err(SendError::Unknown { .. })));
    }

    #[test]
    fn a_query_decides_only_by_the_closed_list() {
        let answer = |code: serde_json::Value| {
            let body = json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1", "ResultCode": code});
            Reply::new(200, body.to_string().as_bytes()).stk_query("ws_CO_1")
        };
        assert_eq!(answer(json!("0")), QueryOutcome::Paid);
        assert_eq!(answer(json!(0)), QueryOutcome::Paid);
        assert_eq!(answer(json!("1032")), QueryOutcome::Refused { code: "1032".to_owned() });
        for code in [json!("4999"), json!(4999), json!(""), json!(null), json!("7")] {
            assert_eq!(answer(code), QueryOutcome::Pending);
        }
        for (status, code, message) in [
            (500, "500.001.1001", "The transaction is being processed"),
            (200, "500.001.1001", ""),
            (400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"),
            (429, "500.003.02", "Error Occurred: Spike Arrest Violation"),
        ] {
            assert_eq!(envelope(status, code, message).stk_query("ws_CO_1"), QueryOutcome::Pending);
        }
    }

    #[test]
    fn a_rejected_token_is_known_by_code_or_text_in_every_family() {
        for (status, code) in
            [(404, "404.001.03"), (400, "400.003.01"), (401, "401.002.01"), (401, "401.001")]
        {
            assert!(envelope(status, code, "").token_rejected(), "{code}");
        }
        assert!(envelope(400, "400.008.99", "Invalid Access Token").token_rejected());
        assert!(!envelope(400, "400.002.02", "Bad Request - Invalid Amount").token_rejected());
    }
}
