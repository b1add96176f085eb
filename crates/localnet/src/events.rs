//! What subscribers are told, and when: as soon as it is durable, and again as it
//! grows surer.

use crate::disk::Change;
use crate::finality::Finality;
use crate::history::Executed;
use solana_account::AccountSharedData;
use solana_address::Address;
use solana_rpc_client_api::config::CommitmentLevel;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Most events that a slow subscriber may be behind; then it is disconnected.
const BEHIND_MAX: usize = 4_096;

/// Transactions that were executed together in one slot.
pub struct Block {
    /// Their slot.
    pub slot: u64,
    /// The transactions, oldest first.
    pub executed: Vec<(Arc<Executed>, VersionedTransaction)>,
    /// Accounts as they left them; `None` is gone.
    pub accounts: Vec<(Address, Option<AccountSharedData>)>,
}

/// Something that subscribers may have waited for.
#[derive(Clone)]
pub enum Event {
    /// A slot began.
    Slot {
        /// The slot.
        slot: u64,
        /// The newest final one.
        root: u64,
    },
    /// A block reached a commitment.
    Reached {
        /// The lowest and highest commitment that it reached at once.
        levels: (CommitmentLevel, CommitmentLevel),
        /// The block.
        block: Arc<Block>,
    },
}

/// Where events are told.
#[derive(Clone)]
pub struct Events(broadcast::Sender<Event>);

impl Events {
    /// Nobody listens yet.
    pub fn new() -> Self {
        Self(broadcast::channel(BEHIND_MAX).0)
    }

    /// Tells whoever listens.
    pub fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.0.send(event);
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    /// Whether anybody listens.
    pub fn are_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

/// Turns what happened and the passing of slots into events.
pub struct Herald {
    finality: Finality,
    slot: u64,
    /// Blocks that are not confirmed, then blocks that are not final; oldest first.
    processed: VecDeque<Arc<Block>>,
    confirmed: VecDeque<Arc<Block>>,
}

impl Herald {
    /// Begins at a slot.
    pub fn new(finality: Finality, slot: u64) -> Self {
        Self { finality, slot, processed: VecDeque::new(), confirmed: VecDeque::new() }
    }

    /// The events of a change that was made up to `slot`.
    pub fn told(&mut self, slot: u64, change: &Change, events: &Events) -> Vec<Event> {
        use CommitmentLevel::{Confirmed, Finalized, Processed};
        let mut told = Vec::new();
        let heard = events.are_heard();
        let levels = self.finality.levels(slot);
        if slot > self.slot {
            self.slot = slot;
            if heard {
                told.push(Event::Slot { slot, root: levels.finalized });
            }
            while let Some(block) = self.processed.pop_front_if(|block| block.slot <= levels.confirmed) {
                told.push(Event::Reached { levels: (Confirmed, Confirmed), block: block.clone() });
                self.confirmed.push_back(block);
            }
            while let Some(block) = self.confirmed.pop_front_if(|block| block.slot <= levels.finalized) {
                told.push(Event::Reached { levels: (Finalized, Finalized), block });
            }
        }
        let instant = self.finality == Finality::Instant;
        if !change.executed.is_empty() && (heard || !instant) {
            let accounts = change.accounts.iter().map(|(address, account)| (*address, account.clone()));
            let executed = change.executed.clone();
            // A skip inside the group may have moved the slot since: they are of theirs.
            let slot = executed.last().map_or(slot, |(executed, _)| executed.slot);
            let block = Arc::new(Block { slot, executed, accounts: accounts.collect() });
            let highest = if instant { Finalized } else { Processed };
            told.push(Event::Reached { levels: (Processed, highest), block: block.clone() });
            if !instant {
                self.processed.push_back(block);
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_nothing() {
        let events = Events::new();
        let mut herald = Herald::new(Finality::Instant, 1);
        assert!(herald.told(2, &Change::default(), &events).is_empty());
        let _listening = events.listen();
        assert_eq!(herald.told(2, &Change::default(), &events).len(), 0, "the slot has begun already");
        assert!(matches!(
            herald.told(3, &Change::default(), &events)[..],
            [Event::Slot { slot: 3, root: 3 }]
        ));
    }
}
