//! The site's side: fetches callbacks from the role and stores them here.
//!
//! Fetch, store each, write the position, acknowledge: whatever is killed in
//! between, the same callbacks come again and nothing is lost. A callback that
//! comes twice is what M-Pesa does too; the settlement service takes it once,
//! by its receipt and its payment's state.

use crate::cursor::{Cursor, CursorError, Position};
use crate::door::{BODY_MAX, Door};
use crate::wire::{
    ACKNOWLEDGED, ANSWER_MAX, Acknowledged, BATCH_MAX, Batch, CALLBACKS, Kept, TOKEN_MIN, WAIT_S_MAX,
};
use async_trait::async_trait;
use jirani_store::NewCallback;
use jirani_units::Clock;
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};
use zeroize::Zeroizing;

/// Pauses after failures, growing from the first to the last.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long an answer may take above the wait that was asked for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Whoever stores callbacks at the site.
#[async_trait]
pub trait Receive: Send + Sync {
    /// Stores it; durable on return. Fails with a sentence when it is not, and is
    /// then asked again.
    async fn receive(&self, callback: NewCallback) -> Result<(), String>;
}

/// Settings.
pub struct PullerConfig {
    /// The role's address, `https://inbox.example.co.ke`; plain http only to this
    /// machine.
    pub url: String,
    /// The bearer secret, the same as the role's.
    pub token: Zeroizing<String>,
    /// Where to keep how far it has read.
    pub position: PathBuf,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InboxUrlError {
    /// Not an address we may send the secret to.
    #[error(
        "mpesa.inbox_url: `{0}` is not an https address; plain http is allowed only to this machine \
         (http://127.0.0.1:PORT)"
    )]
    Url(String),
    /// The bearer secret can be guessed.
    #[error(
        "mpesa.inbox_token: the inbox's token has fewer than {TOKEN_MIN} characters; set the one the role has"
    )]
    Token,
    /// The position cannot be read.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// TLS or the HTTP client cannot be set up.
    #[error("mpesa.inbox_client: cannot set up HTTPS ({0}); are the system's root certificates installed?")]
    Client(String),
}

/// Fetches callbacks until cancelled.
pub struct Puller {
    base: Url,
    token: Zeroizing<String>,
    http: Client,
    cursor: Cursor,
    /// The position has not been acknowledged, or nobody knows.
    owes: bool,
    clock: Arc<dyn Clock>,
    fetched: Arc<AtomicU64>,
}

/// Why a round ended early; the next tries again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the inbox does not answer: {0}")]
    Silent(String),
    #[error("the inbox refuses: HTTP {0}; do [mpesa] inbox_token and the role's [inbox] token agree?")]
    Refused(StatusCode),
    #[error("the inbox's answer cannot be read")]
    Unreadable,
    #[error("{0}")]
    NotStored(String),
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

impl Puller {
    /// Checks the settings and reads the position; asks nothing yet.
    pub fn new(config: PullerConfig, clock: Arc<dyn Clock>) -> Result<Self, InboxUrlError> {
        if config.token.len() < TOKEN_MIN {
            return Err(InboxUrlError::Token);
        }
        let (base, tls) = checked(&config.url)?;
        let builder = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(u64::from(WAIT_S_MAX)) + ANSWERS_WITHIN);
        // Plain http goes to this machine only, and then TLS is never spoken.
        let builder =
            if tls { builder.https_only(true) } else { builder.tls_danger_accept_invalid_certs(true) };
        let http = builder.build().map_err(|error| InboxUrlError::Client(error.to_string()))?;
        let cursor = Cursor::open(&config.position)?;
        let owes = !cursor.position().inbox.is_empty();
        Ok(Self { base, token: config.token, http, cursor, owes, clock, fetched: Arc::default() })
    }

    /// How many callbacks were fetched and stored since the start.
    pub fn fetched(&self) -> Arc<AtomicU64> {
        self.fetched.clone()
    }

    /// Fetches until cancelled; failures are logged and tried again.
    pub async fn run(mut self, site: Arc<dyn Receive>, cancel: CancellationToken) {
        let mut pause = PAUSE;
        while !cancel.is_cancelled() {
            let fetched = tokio::select! {
                () = cancel.cancelled() => return,
                fetched = self.fetch() => fetched,
            };
            // Storing is not cut off: a round that has begun ends.
            let round = match fetched {
                Ok(batch) => self.take(batch, site.as_ref()).await,
                Err(trouble) => Err(trouble),
            };
            match round {
                Ok(()) => pause = PAUSE,
                Err(trouble) => {
                    tracing::warn!(%trouble, "callbacks wait in the inbox");
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn fetch(&mut self) -> Result<Batch, Trouble> {
        if self.owes {
            self.acknowledge().await?;
        }
        let position = self.cursor.position();
        let mut url = self.at(CALLBACKS);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("after", &position.through.to_string());
            if !position.inbox.is_empty() {
                query.append_pair("inbox", &position.inbox);
            }
            query.append_pair("limit", &BATCH_MAX.to_string());
            query.append_pair("wait_s", &WAIT_S_MAX.to_string());
        }
        let body = self.ask(self.http.get(url)).await?;
        serde_json::from_slice(&body).map_err(|_| Trouble::Unreadable)
    }

    async fn take(&mut self, batch: Batch, site: &dyn Receive) -> Result<(), Trouble> {
        let Some(last) = batch.callbacks.last().map(|kept| kept.seq) else { return Ok(()) };
        for kept in &batch.callbacks {
            if let Some(callback) = self.callback(kept) {
                site.receive(callback).await.map_err(Trouble::NotStored)?;
                self.fetched.fetch_add(1, Ordering::Relaxed);
            } else {
                tracing::warn!(
                    seq = kept.seq,
                    "the inbox holds something that is no callback; it is left out"
                );
            }
        }
        self.cursor.advance(Position { inbox: batch.inbox, through: last })?;
        self.owes = true;
        self.acknowledge().await
    }

    async fn acknowledge(&mut self) -> Result<(), Trouble> {
        let Position { inbox, through } = self.cursor.position().clone();
        let told = Acknowledged { inbox, through };
        match self.ask(self.http.post(self.at(ACKNOWLEDGED)).json(&told)).await {
            // A new file at the role: nothing of the old one is there to be forgotten.
            Ok(_) | Err(Trouble::Refused(StatusCode::CONFLICT)) => {
                self.owes = false;
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// As if it had come through a door of the site's own, when it came.
    fn callback(&self, kept: &Kept) -> Option<NewCallback> {
        let Some((Door::Kept(kind), secret)) = Door::of(&kept.path) else { return None };
        if kept.body.len() > BODY_MAX {
            return None;
        }
        let age_s = i64::try_from(kept.age_ms / 1_000).unwrap_or(i64::MAX);
        Some(NewCallback {
            kind,
            secret: secret.to_owned(),
            body: kept.body.clone(),
            source: kept.source.chars().take(64).collect(),
            received_at: self.clock.now().plus_seconds(-age_s),
        })
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Vec<u8>, Trouble> {
        let silent = |error: reqwest::Error| Trouble::Silent(error.without_url().to_string());
        let mut answer = request.bearer_auth(self.token.as_str()).send().await.map_err(silent)?;
        if !answer.status().is_success() {
            return Err(Trouble::Refused(answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(silent)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(Trouble::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

fn checked(text: &str) -> Result<(Url, bool), InboxUrlError> {
    let refused = || InboxUrlError::Url(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok((url, true)),
        "http" if here => Ok((url, false)),
        _ => Err(refused()),
    }
}
