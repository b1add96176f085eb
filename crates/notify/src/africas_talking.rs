//! Africa's Talking: its form, its answer, its reports.
//!
//! Sources: the gateway's own documentation of `/version1/messaging` (form `username`, `to`,
//! `message`, `from`, `enqueue`; header `apiKey`; answer `SMSMessageData.Recipients[]` with
//! `statusCode`, `messageId`), and its list of status codes. What it answers is not
//! signed and not versioned: whatever is not understood is *unknown*, never *not taken*.

use crate::sms::{Sms, SmsOutcome};
use async_trait::async_trait;
use jirani_store::MessageState;
use jirani_units::Msisdn;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, StatusCode, redirect, retry};
use serde::Deserialize;
use std::time::Duration;
use url::form_urlencoded;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer read, in bytes.
const ANSWER_MAX: usize = 16 * 1024;

/// How to reach it.
#[derive(Clone)]
pub struct AfricasTalkingConfig {
    /// `https://api.africastalking.com`, or `https://api.sandbox.africastalking.com`.
    pub base_url: String,
    /// The account; `sandbox` in the sandbox.
    pub username: String,
    /// The account's key.
    pub api_key: String,
    /// The sender's name or short code; empty for the gateway's own.
    pub sender: String,
}

/// The gateway cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The system has no TLS, or no certificates.
    #[error("sms.client: no HTTPS client could be made ({0}); check the system's certificates")]
    Client(String),
}

/// The gateway.
pub struct AfricasTalking {
    config: AfricasTalkingConfig,
    client: Client,
}

impl AfricasTalking {
    /// Prepares; nothing is sent.
    pub fn new(config: AfricasTalkingConfig) -> Result<Self, GatewayError> {
        // Never repeats a request by itself: not on a redirect, not on a failure.
        let builder = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_idle_timeout(Duration::from_secs(15))
            .timeout(PATIENCE);
        // Plain http goes to this machine only, in tests.
        let tls = config.base_url.starts_with("https://");
        let builder =
            if tls { builder.https_only(true) } else { builder.tls_danger_accept_invalid_certs(true) };
        let client = builder.build().map_err(|error| GatewayError::Client(error.to_string()))?;
        Ok(Self { config, client })
    }

    fn form(&self, to: &str, text: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("username", &self.config.username);
        form.append_pair("to", to).append_pair("message", text);
        if !self.config.sender.is_empty() {
            form.append_pair("from", &self.config.sender);
        }
        form.finish()
    }
}

#[async_trait]
impl Sms for AfricasTalking {
    async fn send(&self, to: Msisdn, text: &str, _id: &str) -> SmsOutcome {
        let url = format!("{}/version1/messaging", self.config.base_url.trim_end_matches('/'));
        let to = format!("+{}", to.number());
        let form = self.form(&to, text);
        let request = self
            .client
            .post(url)
            .header("apiKey", &self.config.api_key)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send();
        let mut response = match request.await {
            Ok(response) => response,
            // Without a connection nothing can have been taken.
            Err(error) if error.is_connect() || error.is_builder() => {
                return SmsOutcome::NotTaken { reason: "no connection to the gateway".into() };
            }
            Err(error) => {
                let what = if error.is_timeout() { "no answer in time" } else { "the connection broke" };
                return SmsOutcome::Unknown { reason: what.into() };
            }
        };
        let status = response.status();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_MAX => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return SmsOutcome::Unknown { reason: "the answer is too long".into() },
                Ok(None) => break,
                Err(_) => return SmsOutcome::Unknown { reason: "the answer broke off".into() },
            }
        }
        read(status, &body)
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SMSMessageData")]
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "Recipients", default)]
    recipients: Vec<Recipient>,
    #[serde(rename = "Message", default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    status_code: u16,
    #[serde(default)]
    message_id: String,
}

/// What an answer says of our one message.
fn read(status: StatusCode, body: &[u8]) -> SmsOutcome {
    match status.as_u16() {
        200..=299 => {}
        // Refused before anything of it was read: the key, the form, the rate.
        400 | 401 | 403 | 404 | 429 => {
            return SmsOutcome::NotTaken { reason: format!("the gateway answered {}", status.as_u16()) };
        }
        code => return SmsOutcome::Unknown { reason: format!("the gateway answered {code}") },
    }
    let unreadable = || SmsOutcome::Unknown { reason: "the answer cannot be read".into() };
    let Ok(Answer { data }) = serde_json::from_slice::<Answer>(body) else { return unreadable() };
    match data.recipients.as_slice() {
        [one] => outcome(one),
        // The whole request was refused: its message is a word such as InvalidSenderId.
        [] if data.message == "InvalidSenderId" => SmsOutcome::NotTaken { reason: "invalid sender".into() },
        _ => unreadable(),
    }
}

fn outcome(recipient: &Recipient) -> SmsOutcome {
    let refused = |reason: &str| SmsOutcome::Refused { reason: reason.to_owned() };
    let not_taken = |reason: &str| SmsOutcome::NotTaken { reason: reason.to_owned() };
    match recipient.status_code {
        100..=102 if is_id(&recipient.message_id) => SmsOutcome::Sent { id: recipient.message_id.clone() },
        402 => not_taken("invalid sender"),
        403 => refused("invalid number"),
        404 => refused("unsupported number"),
        405 => not_taken("the account has no credit"),
        406 => refused("opted out"),
        407 => refused("no route"),
        409 => refused("do not disturb"),
        502 => refused("rejected by the network"),
        // 401 is held for a look at risk, 500 and 501 are its own failures: it may yet go out.
        code => SmsOutcome::Unknown { reason: format!("status {code}") },
    }
}

/// An id that fits our records.
fn is_id(id: &str) -> bool {
    (1..=80).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// What a delivery report's status means; `None` while it is under way.
pub fn reported(status: &str) -> Option<MessageState> {
    match status {
        "Success" => Some(MessageState::Delivered),
        "Failed" | "Rejected" | "AbsentSubscriber" | "Expired" => Some(MessageState::Refused),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: u16, id: &str) -> SmsOutcome {
        let body = format!(
            r#"{{"SMSMessageData":{{"Message":"Sent to 1/1 Total Cost: KES 0.8000","Recipients":[{{"statusCode":{code},"number":"+254712345678","status":"s","cost":"KES 0.8000","messageId":"{id}"}}]}}}}"#
        );
        read(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn a_taken_message_has_the_gateways_id() {
        for code in [100, 101, 102] {
            assert_eq!(answered(201, code, "ATXid_1"), SmsOutcome::Sent { id: "ATXid_1".into() });
        }
        assert!(matches!(answered(201, 101, "a b"), SmsOutcome::Unknown { .. }));
    }

    #[test]
    fn only_what_was_certainly_not_taken_may_go_again() {
        for (status, code) in [(400, 101), (401, 101), (429, 101), (201, 402), (201, 405)] {
            let outcome = answered(status, code, "x");
            assert!(matches!(outcome, SmsOutcome::NotTaken { .. }), "{status} {code} {outcome:?}");
        }
        for code in [403, 404, 406, 407, 409, 502] {
            assert!(matches!(answered(201, code, "x"), SmsOutcome::Refused { .. }), "{code}");
        }
        for (status, code) in
            [(500, 101), (502, 101), (302, 101), (201, 401), (201, 500), (201, 501), (201, 7)]
        {
            assert!(matches!(answered(status, code, "x"), SmsOutcome::Unknown { .. }), "{status} {code}");
        }
        for body in ["", "{}", "null", r#"{"SMSMessageData":{"Message":"m","Recipients":[]}}"#] {
            assert!(
                matches!(read(StatusCode::CREATED, body.as_bytes()), SmsOutcome::Unknown { .. }),
                "{body}"
            );
        }
        let sender = br#"{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}"#;
        assert!(matches!(read(StatusCode::CREATED, sender), SmsOutcome::NotTaken { .. }));
    }
}
