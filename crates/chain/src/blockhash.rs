//! A recent blockhash, asked for at most every two seconds, so that a trade does
//! not cost a question more.

use crate::error::ChainError;
use crate::node::Node;
use solana_hash::Hash;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a blockhash is used: a small part of its 30 to 60 seconds of life.
const FRESH: Duration = Duration::from_secs(2);

/// The last blockhash.
#[derive(Default)]
pub struct Blockhashes(Mutex<Option<(Instant, Recent)>>);

/// A blockhash and the last block height it is good for.
#[derive(Clone, Copy)]
pub struct Recent {
    /// The blockhash.
    pub hash: Hash,
    /// Last block height.
    pub last_valid: u64,
}

impl Blockhashes {
    /// A blockhash; many askers share one question.
    pub async fn get(&self, node: &Node) -> Result<Recent, ChainError> {
        let mut last = self.0.lock().await;
        if let Some((at, recent)) = *last
            && at.elapsed() < FRESH
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
        let mut last = self.0.lock().await;
        if last.is_some_and(|(_, recent)| recent.hash == *hash) {
            *last = None;
        }
    }
}
