//! Keeping the index up to date without haste: it is woken by what may have changed,
//! takes what has landed in one round, and rests a little after it.
//!
//! It never counts as work under way: nobody waits for it, and simulated time does not
//! wait either.

use super::error::IndexError;
use super::rpc::RpcHistory;
use super::subscribe::{follow, subscriptions_of};
use super::walk::Indexer;
use jirani_energy_interface::EnergyProgram;
use jirani_store::{ChainIndex, Event, Events};
use solana_address::Address;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Between two tries while the node or the store is away, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// Where the index comes from, and how eagerly.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// The node's JSON-RPC.
    pub rpc_url: String,
    /// Where the node says what happens; `None` where it is only looked at.
    pub subscriptions: Option<String>,
    /// The program.
    pub program: Address,
    /// Rest after each round; what lands meanwhile is taken together.
    pub rest: Duration,
    /// A look without being woken, after this long: for what others send.
    pub look: Duration,
}

impl LiveConfig {
    /// The node's subscriptions by convention, a fifth of a second between rounds, a look
    /// every ten seconds.
    pub fn new(rpc_url: impl Into<String>, program: Address) -> Self {
        let rpc_url = rpc_url.into();
        Self {
            subscriptions: subscriptions_of(&rpc_url),
            rpc_url,
            program,
            rest: Duration::from_millis(200),
            look: Duration::from_secs(10),
        }
    }
}

/// Keeps an index up to date.
pub struct Live {
    config: LiveConfig,
    history: RpcHistory,
    index: Arc<dyn ChainIndex>,
    events: Events,
}

impl Live {
    /// Prepares. `events` is where our own services say that something landed.
    pub fn new(config: LiveConfig, index: Arc<dyn ChainIndex>, events: Events) -> Result<Self, IndexError> {
        let history = RpcHistory::new(&config.rpc_url)?;
        Ok(Self { config, history, index, events })
    }

    /// Runs until cancelled; trouble is told once and tried again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), IndexError> {
        let heard = Notify::new();
        let following = async {
            match &self.config.subscriptions {
                Some(url) => follow(url, &self.config.program, &heard).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = following => Ok(()),
            ended = self.keep_up(&heard, &cancel) => ended,
        }
    }

    async fn keep_up(&self, heard: &Notify, cancel: &CancellationToken) -> Result<(), IndexError> {
        let program = EnergyProgram::new(self.config.program);
        let mut events = self.events.subscribe();
        let mut retry = RETRY_FIRST;
        loop {
            let indexer = Indexer { program, history: &self.history, index: self.index.as_ref() };
            let rest = match until_cancelled(cancel, indexer.catch_up(|_, _| {})).await {
                None => return Ok(()),
                Some(Ok(_)) => {
                    retry = RETRY_FIRST;
                    self.config.rest
                }
                Some(Err(error)) => {
                    if retry == RETRY_FIRST {
                        tracing::warn!("the index of the chain waits: {error}");
                    }
                    let rest = retry;
                    retry = (retry * 2).min(RETRY_LAST);
                    rest
                }
            };
            let woken = async {
                tokio::time::sleep(rest).await;
                // What was announced while resting is still in the channel.
                let look = tokio::time::sleep(self.config.look);
                tokio::pin!(look);
                loop {
                    tokio::select! {
                        () = &mut look => return,
                        () = heard.notified() => return,
                        announced = events.recv() => match announced {
                            Ok(Event::Reading { .. } | Event::Balance(_)) => {}
                            // Too many to be told apart, too, is word enough.
                            Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                        },
                    }
                }
            };
            if until_cancelled(cancel, woken).await.is_none() {
                return Ok(());
            }
        }
    }
}

async fn until_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = work => Some(done),
    }
}
