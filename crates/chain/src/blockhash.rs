//! A recent blockhash, asked for only now and then, so that a trade does
//! not cost a question more.

use crate::error::ChainError;
use crate::node::Node;
use solana_hash::Hash;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The last blockhash.
pub struct Blockhashes {
    fresh: Duration,
    last: Mutex<Option<(Instant, Recent)>>,
}

/// A blockhash and the last block height it is good for.
#[derive(Clone, Copy)]
pub struct Recent {
    /// The blockhash.
    pub hash: Hash,
    /// Last block height.
    pub last_valid: u64,
}

impl Blockhashes {
    /// Uses each blockhash for `fresh`.
    pub fn new(fresh: Duration) -> Self {
        Self { fresh, last: Mutex::new(None) }
    }

    /// A blockhash; many askers share one question.
    pub async fn get(&self, node: &Node) -> Result<Recent, ChainError> {
        let mut last = self.last.lock().await;
        if let Some((at, recent)) = *last
            && at.elapsed() < self.fresh
        {
            return Ok(recent);
        }
        let (hash, last_valid) = node.blockhash().await?;
        let recent = Recent { hash, last_valid };
        *last = Some((Instant::now(), recent));
        Ok(recent)
    }

    /// Forgets a blockhash that the node did not know.
    pub async fn forget(&self, hash: &Hash) {
        let mut last = self.last.lock().await;
        if last.is_some_and(|(_, recent)| recent.hash == *hash) {
            *last = None;
        }
    }
}
