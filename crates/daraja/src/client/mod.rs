//! The client: what it holds, and how one request goes out.

mod requests;

use crate::ask::OwnShortcode;
use crate::config::{DarajaConfig, DarajaConfigError};
use crate::http::{self, Exchange};
use crate::mpesa::SendError;
use crate::nairobi;
use crate::options::{CollectsBy, DarajaOptions};
use crate::pace::Turns;
use crate::reply::Reply;
use crate::secret::Secret;
use crate::token::Tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_units::Clock;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// Daraja over HTTP.
pub struct DarajaClient {
    config: DarajaConfig,
    collects_by: CollectsBy,
    base: Url,
    payout_user: User,
    collection_user: User,
    http: reqwest::Client,
    tokens: Tokens,
    turns: Turns,
    clock: Arc<dyn Clock>,
}

/// An API user, ready to be sent.
#[derive(Clone)]
struct User {
    name: String,
    credential: Secret,
}

/// One of our shortcodes and who acts for it.
struct Actor<'a> {
    shortcode: &'a str,
    /// 4 for a shortcode, 2 for a till.
    identifier_type: &'static str,
    user: &'a User,
}

impl DarajaClient {
    /// Makes a client for a PayBill whose payout shortcode's API user does all;
    /// sends nothing. Tokens and prompts are dated by `clock`.
    pub fn new(config: DarajaConfig, clock: Arc<dyn Clock>) -> Result<Self, DarajaConfigError> {
        Self::with_options(config, DarajaOptions::default(), clock)
    }

    /// Makes a client; sends nothing.
    pub fn with_options(
        config: DarajaConfig,
        options: DarajaOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DarajaConfigError> {
        config.check()?;
        options.check(&config)?;
        let (base, tls) = config.checked_base()?;
        let payout_user = User { name: config.initiator_name.clone(), credential: config.credential.blob()? };
        let collection_user = match options.collection_initiator {
            Some(initiator) => User { credential: initiator.credential.blob()?, name: initiator.name },
            None => payout_user.clone(),
        };
        let http = http::client(&config, tls)?;
        let mut token_url = join(&base, "/oauth/v1/generate");
        token_url.set_query(Some("grant_type=client_credentials"));
        let tokens = Tokens::new(
            token_url,
            config.consumer_key.clone(),
            config.consumer_secret.clone(),
            Arc::clone(&clock),
        );
        let (collects_by, turns) = (options.collects_by, Turns::new(options.pace));
        Ok(Self { config, collects_by, base, payout_user, collection_user, http, tokens, turns, clock })
    }

    /// Posts once. Once more only when the token was not accepted, and again in
    /// its turn when the gateway cut us off: both say that the request itself was
    /// not looked at.
    async fn post(&self, path: &str, body: &Value) -> Result<Reply, SendError> {
        let deadline = self.turns.deadline();
        let mut token_rejected = false;
        let mut cut_off = None;
        loop {
            if let Err(error) = self.turns.take(deadline).await {
                // The gateway's own words say more than ours.
                return cut_off.ok_or(error);
            }
            let token = self
                .tokens
                .get(&self.http)
                .await
                .map_err(|none| SendError::NotSent { code: none.code, message: none.message })?;
            let request = self.http.post(join(&self.base, path)).bearer_auth(token.expose()).json(body);
            match http::exchange(request).await {
                Exchange::Answer(reply) if !token_rejected && reply.token_rejected() => {
                    token_rejected = true;
                    self.tokens.reject(&token);
                }
                Exchange::Answer(reply) if reply.cut_off() => {
                    self.turns.cut_off(reply.retry_after());
                    cut_off = Some(reply);
                }
                Exchange::Answer(reply) => {
                    self.turns.passed();
                    return Ok(reply);
                }
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

    fn actor(&self, of: OwnShortcode) -> Actor<'_> {
        let (shortcode, user) = match of {
            OwnShortcode::Collection => (&self.config.shortcode, &self.collection_user),
            OwnShortcode::Payout => (&self.config.b2c_shortcode, &self.payout_user),
        };
        let identifier_type = match (of, &self.collects_by) {
            (OwnShortcode::Collection, CollectsBy::Till { .. }) => "2",
            _ => "4",
        };
        Actor { shortcode, identifier_type, user }
    }
}

/// Joins without losing a path of the base (a proxy may have one).
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url
}
