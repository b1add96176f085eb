//! The client.

use crate::config::{DarajaConfig, DarajaConfigError};
use crate::http::{self, Exchange};
use crate::mpesa::{B2cAccepted, B2cRequest, Mpesa, QueryOutcome, SendError, StkAccepted, StkRequest};
use crate::nairobi;
use crate::reply::Reply;
use crate::secret::Secret;
use crate::token::Tokens;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_units::{Cents, Clock};
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::sync::Arc;
use url::Url;

/// What one prompt may ask for, in shillings.
const COLLECTION_SHILLINGS: RangeInclusive<i64> = 1..=250_000;
/// What one payout may send, in shillings.
const PAYOUT_SHILLINGS: RangeInclusive<i64> = 10..=250_000;

/// Daraja over HTTP.
pub struct DarajaClient {
    config: DarajaConfig,
    base: Url,
    credential: Secret,
    http: reqwest::Client,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

/// What M-Pesa said to our C2B addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum C2bRegistration {
    /// They are registered now.
    Registered,
    /// Some were registered before and stay; production takes them once.
    RegisteredBefore,
}

impl DarajaClient {
    /// Makes a client; sends nothing. Tokens and prompts are dated by `clock`.
    pub fn new(config: DarajaConfig, clock: Arc<dyn Clock>) -> Result<Self, DarajaConfigError> {
        config.check()?;
        let (base, tls) = config.checked_base()?;
        let credential = config.credential.blob()?;
        let http = http::client(&config, tls)?;
        let mut token_url = join(&base, "/oauth/v1/generate");
        token_url.set_query(Some("grant_type=client_credentials"));
        let tokens = Tokens::new(
            token_url,
            config.consumer_key.clone(),
            config.consumer_secret.clone(),
            Arc::clone(&clock),
        );
        Ok(Self { config, base, credential, http, tokens, clock })
    }

    /// Tells M-Pesa where confirmations (and validation requests, where they
    /// are switched on) go. Free of effects on money, so it may be repeated.
    pub async fn register_c2b_urls(
        &self,
        confirmation_url: &str,
        validation_url: &str,
    ) -> Result<C2bRegistration, SendError> {
        let body = json!({
            "ShortCode": self.config.shortcode,
            // Payments go through when our validation does not answer.
            "ResponseType": "Completed",
            "ConfirmationURL": confirmation_url,
            "ValidationURL": validation_url,
        });
        let reply = self.post("/mpesa/c2b/v2/registerurl", &body).await?;
        if reply.status() == 200 && reply.text("ResponseCode").is_some_and(|code| is_zero(&code)) {
            return Ok(C2bRegistration::Registered);
        }
        if reply.text("errorMessage").is_some_and(|text| text.contains("already registered")) {
            return Ok(C2bRegistration::RegisteredBefore);
        }
        Err(reply.send_error())
    }

    /// Posts once; once more only when the token was not accepted, which
    /// Daraja says before it looks at the request.
    async fn post(&self, path: &str, body: &Value) -> Result<Reply, SendError> {
        let mut first = true;
        loop {
            let token = self
                .tokens
                .get(&self.http)
                .await
                .map_err(|none| SendError::NotSent { code: none.code, message: none.message })?;
            let request = self.http.post(join(&self.base, path)).bearer_auth(token.expose()).json(body);
            match http::exchange(request).await {
                Exchange::Answer(reply) if first && reply.token_rejected() => {
                    first = false;
                    self.tokens.reject(&token);
                }
                Exchange::Answer(reply) => return Ok(reply),
                Exchange::NotSent(message) => {
                    return Err(SendError::NotSent { code: "mpesa.unreachable".to_owned(), message });
                }
                Exchange::NoAnswer(message) => return Err(SendError::Unknown { message }),
            }
        }
    }

    /// The password of a prompt or query, and the timestamp inside it.
    fn password(&self) -> (String, String) {
        let timestamp = nairobi::stamp(self.clock.now());
        let passkey = self.config.passkey.expose();
        (STANDARD.encode(format!("{}{passkey}{timestamp}", self.config.shortcode)), timestamp)
    }
}

#[async_trait]
impl Mpesa for DarajaClient {
    async fn stk_push(&self, request: StkRequest) -> Result<StkAccepted, SendError> {
        within(request.shillings, &COLLECTION_SHILLINGS)?;
        let (password, timestamp) = self.password();
        let msisdn = request.msisdn.number().to_string();
        let body = json!({
            "BusinessShortCode": self.config.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": request.shillings.to_string(),
            "PartyA": msisdn,
            "PartyB": self.config.shortcode,
            "PhoneNumber": msisdn,
            "CallBackURL": request.callback_url,
            "AccountReference": request.reference.as_str(),
            "TransactionDesc": "Electricity",
        });
        self.post("/mpesa/stkpush/v1/processrequest", &body).await?.stk_push()
    }

    async fn stk_query(&self, checkout_request_id: &str) -> QueryOutcome {
        let (password, timestamp) = self.password();
        let body = json!({
            "BusinessShortCode": self.config.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "CheckoutRequestID": checkout_request_id,
        });
        match self.post("/mpesa/stkpushquery/v1/query", &body).await {
            Ok(reply) => reply.stk_query(checkout_request_id),
            Err(error) => {
                tracing::debug!(%error, "an STK query got no answer");
                QueryOutcome::Pending
            }
        }
    }

    async fn b2c(&self, request: B2cRequest) -> Result<B2cAccepted, SendError> {
        within(request.shillings, &PAYOUT_SHILLINGS)?;
        let body = json!({
            "OriginatorConversationID": request.originator_id,
            "InitiatorName": self.config.initiator_name,
            "SecurityCredential": self.credential.expose(),
            "CommandID": "BusinessPayment",
            "Amount": request.shillings.to_string(),
            "PartyA": self.config.b2c_shortcode,
            "PartyB": request.msisdn.number().to_string(),
            "Remarks": "Energy sale",
            "QueueTimeOutURL": request.timeout_url,
            "ResultURL": request.result_url,
            // Daraja's own spelling.
            "Occassion": "Withdrawal",
        });
        self.post("/mpesa/b2c/v3/paymentrequest", &body).await?.b2c(&request.originator_id)
    }

    fn payout_charge(&self, shillings: i64) -> Cents {
        self.config.charges.charge(shillings)
    }
}

fn within(shillings: i64, range: &RangeInclusive<i64>) -> Result<(), SendError> {
    if range.contains(&shillings) {
        return Ok(());
    }
    Err(SendError::NotSent {
        code: "mpesa.amount_out_of_bounds".to_owned(),
        message: format!("M-Pesa takes KSh {} to {} here, not {shillings}", range.start(), range.end()),
    })
}

fn is_zero(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b == b'0')
}

/// Joins without losing a path of the base (a proxy may have one).
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url
}
