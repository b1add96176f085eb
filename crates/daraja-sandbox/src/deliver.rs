//! Posts callbacks to the developer's server.

use crate::config::Delivery;
use crate::core::Core;
use crate::error::SandboxError;
use crate::world::Owed;
use jirani_clock::Busy;
use reqwest::{Client, redirect, retry};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many payments are told of at once.
const LANES: usize = 64;
/// How long a server may take, in seconds.
const TIMEOUT_S: u64 = 10;
/// How often a callback left over from before a restart is tried while nobody
/// listens: about a minute, for a server that starts after the emulator.
const LEFT_OVER_TRIES: u32 = 16;

/// Posts callbacks.
#[derive(Clone)]
pub struct Deliverer {
    core: Core,
    plain: Client,
    secure: Arc<OnceLock<Option<Client>>>,
    permits: Arc<Semaphore>,
    delivery: Delivery,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// What came of one try.
enum Tried {
    /// Answered with this status.
    Answered(u16),
    /// Nothing was handed over.
    NobodyListens(String),
    /// It may have arrived.
    NoAnswer(String),
}

fn client(tls: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .timeout(Duration::from_secs(TIMEOUT_S));
    // The plain client never speaks TLS, so it need not read the system's
    // certificates.
    if tls { builder.https_only(true).build() } else { builder.tls_danger_accept_invalid_certs(true).build() }
}

impl Deliverer {
    pub fn new(core: Core, delivery: Delivery, cancel: CancellationToken) -> Result<Self, SandboxError> {
        Ok(Self {
            core,
            plain: client(false).map_err(SandboxError::HttpClient)?,
            secure: Arc::default(),
            permits: Arc::new(Semaphore::new(LANES)),
            delivery,
            tasks: TaskTracker::new(),
            cancel,
        })
    }

    /// Delivers a lane in the background: one callback after another.
    pub fn deliver(&self, lane: Vec<Owed>, busy: Busy) {
        let this = self.clone();
        self.tasks.spawn(async move {
            let _busy = busy;
            let cancel = this.cancel.clone();
            tokio::select! {
                // What is cut off here is still owed at the next start.
                () = cancel.cancelled() => {}
                () = this.run(lane) => {}
            }
        });
    }

    /// Waits until all deliveries have ended (they end when cancelled).
    pub async fn stop(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn run(&self, lane: Vec<Owed>) {
        // Never closed; were it, more lanes at once would do no harm.
        let _permit = self.permits.acquire().await.ok();
        for owed in lane {
            let seq = owed.seq;
            let saved = match self.hand_over(&owed).await {
                Tried::Answered(status) => self.settle(seq, status.to_string()).await,
                Tried::NoAnswer(reason) => self.settle(seq, format!("no answer: {reason}")).await,
                Tried::NobodyListens(reason) => {
                    self.core.ask(None, move |world| world.unheard_callback(seq, &reason)).await.is_ok()
                }
            };
            if !saved {
                tracing::warn!(
                    seq,
                    "a callback was delivered but could not be ticked off; it will come again"
                );
            }
        }
    }

    async fn settle(&self, seq: u64, outcome: String) -> bool {
        self.core.ask(None, move |world| world.settle_callback(seq, outcome)).await.is_ok()
    }

    /// Tries once, or as often as the rules say.
    async fn hand_over(&self, owed: &Owed) -> Tried {
        let mut tries = 0;
        let mut wait = Duration::from_millis(50);
        loop {
            let tried = self.post(owed).await;
            tries += 1;
            let again = match (&tried, self.delivery) {
                (Tried::Answered(status), _) if (200..300).contains(status) => false,
                (_, Delivery::UntilAccepted) => true,
                (Tried::NobodyListens(_), Delivery::Once) => owed.left_over && tries < LEFT_OVER_TRIES,
                (_, Delivery::Once) => false,
            };
            if !again {
                return tried;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    async fn post(&self, owed: &Owed) -> Tried {
        let client = if owed.url.starts_with("https:") {
            match self.secure.get_or_init(|| client(true).ok()) {
                Some(client) => client,
                None => return Tried::NobodyListens("no root certificates for https".to_owned()),
            }
        } else {
            &self.plain
        };
        let request = client
            .post(&owed.url)
            .header("Content-Type", "application/json;charset=UTF-8")
            .header("Businessshortcode", &owed.shortcode)
            .body(owed.body.clone());
        match request.send().await {
            Ok(response) => Tried::Answered(response.status().as_u16()),
            Err(error) if error.is_connect() || error.is_builder() => {
                Tried::NobodyListens(error.without_url().to_string())
            }
            Err(error) => Tried::NoAnswer(error.without_url().to_string()),
        }
    }
}
