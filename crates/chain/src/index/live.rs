//! Keeping the index up to date without haste: it is woken by what may have changed,
//! takes what has landed in one round, and rests a little after it.
//!
//! It never counts as work under way: nobody waits for it, and simulated time does not
//! wait either.

use super::error::IndexError;
use super::rpc::RpcHistory;
use super::walk::Indexer;
use crate::node_url::NodeUrl;
use crate::socket::{follow, subscriptions_of};
use jirani_energy_interface::EnergyProgram;
use jirani_store::{ChainIndex, Event, Events};
use solana_address::Address;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Between two tries while the node or the store is away, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// Rest for each time that a round took, and at least.
const REST_SHARE: u32 = 4;
const REST_MIN: Duration = Duration::from_millis(10);

/// Where the index comes from, and how eagerly.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// The node's JSON-RPC.
    pub rpc_url: NodeUrl,
    /// Where the node says what happens; `None` where it is only looked at.
    pub subscriptions: Option<NodeUrl>,
    /// The program.
    pub program: Address,
    /// Longest rest after a round; what lands meanwhile is taken together. A round that
    /// was quick is followed by a shorter one: see [`rest_after`].
    pub rest: Duration,
    /// A look without being woken, after this long: for what others send.
    pub look: Duration,
}

impl LiveConfig {
    /// The node's subscriptions by convention, at most a fifth of a second between rounds,
    /// a look every ten seconds.
    pub fn new(rpc_url: impl Into<NodeUrl>, program: Address) -> Self {
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
        let history = RpcHistory::new(config.rpc_url.clone())?;
        Ok(Self { config, history, index, events })
    }

    /// Runs until cancelled; trouble is told once and tried again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), IndexError> {
        let heard = Notify::new();
        let following = async {
            match &self.config.subscriptions {
                // Every word wakes, the answer to subscribing too: some were missed before it.
                Some(url) => follow(url, &self.config.program, |_| heard.notify_one()).await,
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
            let begun = Instant::now();
            let indexer = Indexer { program, history: &self.history, index: self.index.as_ref() };
            let rest = match until_cancelled(cancel, indexer.catch_up(|_, _| {})).await {
                None => return Ok(()),
                Some(Ok(_)) => {
                    retry = RETRY_FIRST;
                    rest_after(begun.elapsed(), self.config.rest)
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

/// How long to rest after a round that took `took`: long enough that indexing takes a
/// fifth of the time at most, and never longer than `longest`.
pub fn rest_after(took: Duration, longest: Duration) -> Duration {
    (took * REST_SHARE).max(REST_MIN).min(longest)
}

async fn until_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = work => Some(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexing_takes_a_fifth_of_the_time_at_most_until_the_longest_rest() {
        let millis = Duration::from_millis;
        for (took, rest) in [(0, 10), (1, 10), (5, 20), (30, 120), (50, 200), (9_000, 200)] {
            assert_eq!(rest_after(millis(took), millis(200)), millis(rest), "{took} ms");
        }
        assert_eq!(rest_after(millis(5), millis(3)), millis(3));
    }
}
