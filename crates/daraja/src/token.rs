//! The OAuth token: one for all requests, fetched by one at a time.
//!
//! Asking for a new token makes the previous one invalid, so parallel
//! refreshes would throw each other out.

use crate::http::{self, Exchange};
use crate::secret::Secret;
use jirani_units::{Clock, Timestamp};
use reqwest::Client;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use url::Url;

/// A token is given up this long before it ends, in seconds.
const EARLY_S: i64 = 60;

/// No token could be had; so nothing was asked with it.
#[derive(Clone, Debug)]
pub struct NoToken {
    /// Daraja's code, or ours.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Keeps the token.
pub struct Tokens {
    url: Url,
    consumer_key: String,
    consumer_secret: Secret,
    clock: Arc<dyn Clock>,
    turn: Semaphore,
    current: Mutex<Option<Token>>,
}

struct Token {
    text: Secret,
    good_until: Timestamp,
}

impl Tokens {
    pub fn new(url: Url, consumer_key: String, consumer_secret: Secret, clock: Arc<dyn Clock>) -> Self {
        Self { url, consumer_key, consumer_secret, clock, turn: Semaphore::new(1), current: Mutex::default() }
    }

    /// The token, fetched if there is none that lasts.
    pub async fn get(&self, client: &Client) -> Result<Secret, NoToken> {
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        // Never closed; were it, fetching twice would do no harm.
        let _turn = self.turn.acquire().await.ok();
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        let token = self.fetch(client).await?;
        let text = token.text.clone();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(text)
    }

    /// Forgets a token that M-Pesa did not take; a newer one stays.
    pub fn reject(&self, token: &Secret) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|held| held.text.expose() == token.expose()) {
            *current = None;
        }
    }

    fn cached(&self) -> Option<Secret> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|token| self.clock.now() < token.good_until).map(|token| token.text.clone())
    }

    async fn fetch(&self, client: &Client) -> Result<Token, NoToken> {
        let asked_at = self.clock.now();
        let request =
            client.get(self.url.clone()).basic_auth(&self.consumer_key, Some(self.consumer_secret.expose()));
        let reply = match http::exchange(request).await {
            Exchange::Answer(reply) => reply,
            Exchange::NotSent(message) | Exchange::NoAnswer(message) => {
                return Err(NoToken { code: "mpesa.unreachable".to_owned(), message });
            }
        };
        let Some((text, lifetime_s)) = reply.token() else {
            return Err(NoToken {
                code: reply.text("errorCode").unwrap_or_else(|| reply.status().to_string()),
                message: reply.text("errorMessage").unwrap_or_else(|| {
                    "M-Pesa gave no token; check the consumer key and secret, and that they belong to this \
                     environment"
                        .to_owned()
                }),
            });
        };
        let good_s = (lifetime_s - EARLY_S).max(lifetime_s / 2);
        Ok(Token { text, good_until: asked_at.plus_seconds(good_s) })
    }
}
