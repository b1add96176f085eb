//! Posts callbacks to the developer's server.

use crate::config::Delivery;
use crate::core::Core;
use crate::error::SandboxError;
use crate::world::Owed;
use jirani_clock::Busy;
use reqwest::{Client, Url, redirect, retry};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many payments are told of at once.
const LANES: usize = 64;
/// How long a server may take, in seconds.
const TIMEOUT_S: u64 = 10;
/// How long a server may take over a validation, in seconds, as at M-Pesa.
const VALIDATION_S: u64 = 8;
/// The longest answer to a validation that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
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
    moved_to: Arc<RwLock<Option<Url>>>,
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
            moved_to: Arc::default(),
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

    /// From now on callbacks to this machine go to this server's address,
    /// whatever port they were ordered for.
    pub fn moved_to(&self, server: Url) {
        *self.moved_to.write().unwrap_or_else(PoisonError::into_inner) = Some(server);
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

    /// Asks a validation address; `None` when it does not answer in time, with
    /// an error, or with what is no JSON of bounded size.
    pub async fn ask(&self, url: &str, shortcode: &str, body: String) -> Option<serde_json::Value> {
        let asked = async {
            let mut response = self.request(url, shortcode, body)?.send().await.ok()?;
            let mut answer = Vec::new();
            while let Some(chunk) = response.chunk().await.ok()? {
                answer.extend_from_slice(&chunk);
                if answer.len() > LONGEST_ANSWER {
                    return None;
                }
            }
            response.status().is_success().then(|| serde_json::from_slice(&answer).ok())?
        };
        tokio::time::timeout(Duration::from_secs(VALIDATION_S), asked).await.ok()?
    }

    /// A request to the developer's server; `None` when it cannot be made.
    fn request(&self, url: &str, shortcode: &str, body: String) -> Option<reqwest::RequestBuilder> {
        let url = {
            let moved_to = self.moved_to.read().unwrap_or_else(PoisonError::into_inner);
            rebased(url, moved_to.as_ref())
        };
        let client = if url.starts_with("https:") {
            self.secure.get_or_init(|| client(true).ok()).as_ref()?
        } else {
            &self.plain
        };
        let request = client
            .post(url)
            .header("Content-Type", "application/json;charset=UTF-8")
            .header("Businessshortcode", shortcode)
            .body(body);
        Some(request)
    }

    async fn post(&self, owed: &Owed) -> Tried {
        let Some(request) = self.request(&owed.url, &owed.shortcode, owed.body.clone()) else {
            return Tried::NobodyListens("no root certificates for https".to_owned());
        };
        match request.send().await {
            Ok(response) => Tried::Answered(response.status().as_u16()),
            Err(error) if error.is_connect() || error.is_builder() => {
                Tried::NobodyListens(error.without_url().to_string())
            }
            Err(error) => Tried::NoAnswer(error.without_url().to_string()),
        }
    }
}

/// The address with scheme, host and port of `server`, if it is on this machine.
fn rebased(url: &str, server: Option<&Url>) -> String {
    let (Some(server), Ok(mut moved)) = (server, Url::parse(url)) else { return url.to_owned() };
    let host = moved.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host != "localhost" && !host.parse().is_ok_and(|address: IpAddr| address.is_loopback()) {
        return url.to_owned();
    }
    let kept = moved.set_scheme(server.scheme()).is_ok()
        && moved.set_host(server.host_str()).is_ok()
        && moved.set_port(server.port()).is_ok();
    if kept { moved.into() } else { url.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Url, rebased};

    #[test]
    fn only_addresses_on_this_machine_move_and_keep_their_path() {
        let server = Url::parse("http://127.0.0.1:9000").unwrap();
        for (url, moved) in [
            ("http://127.0.0.1:41234/hooks/stk/ab?x=1", "http://127.0.0.1:9000/hooks/stk/ab?x=1"),
            ("http://localhost/hooks", "http://127.0.0.1:9000/hooks"),
            ("http://[::1]:80/hooks", "http://127.0.0.1:9000/hooks"),
            ("https://pay.example.co.ke/cb/k7Qx9", "https://pay.example.co.ke/cb/k7Qx9"),
            ("http://127.0.0.1.example.com/cb", "http://127.0.0.1.example.com/cb"),
        ] {
            assert_eq!(rebased(url, Some(&server)), moved);
            assert_eq!(rebased(url, None), url);
        }
    }
}
