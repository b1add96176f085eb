//! The slot's call: what the market does for households that have set rules.
//!
//! Once a slot is attested, the rules of its feeder's households decide what they want,
//! everything that is wanted and offered meets at one price, and what comes of it is
//! carried out. The rules themselves are pure and stand in `jirani_market`; here is what
//! they read, and how a call survives anything:
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | a slot is attested, or was while nobody was here | Cleared, Settling | one commit: the book, outcome and plan, what rules have to tell, open offers that sold closed for that part; and, when none was, all that Settling holds |
//! | Cleared | those offers are back in their vaults | Settling | one commit: offers at the call's price, orders with exactly the plan's fills, their due out of balances into clearing |
//! | Settling | the chain has taken or refused the offers | Settling | the orders are placed and settled from balance; one of whose offers some were refused ends, its due returned, and another goes on with the rest |
//! | Settling | the last order is final | Done | - |
//!
//! The first commit stands before anything goes to the chain, so a crash anywhere goes on
//! with the same plan; everything after it is offers and orders that are lanes of their
//! own. Each is known by a key (`@sell/<slot>/<household>`, `@buy/<slot>/<household>/<n>`,
//! with `/again` after it in the place of one of which offers were refused)
//! that no request from outside can have: `@` is not in the alphabet of theirs. There is
//! one call per slot and feeder; of those missed while the process was away, only the
//! newest slot's is made.
//!
//! What a sell rule has left after the call and is worth a lot ([`MarketPolicy::lot`]) is
//! put up as an open offer at its floor (`@put/...`), so that who pays by M-Pesa finds it.
//!
//! The operator stands at the tariff's edges in every call ([`OperatorPolicy`]): it asks
//! for what its own records hold at the highest price, and what is left of that is put up
//! like a rule's; it bids at buy-back, from money that is its own.

mod call;
mod carry;
mod decide;
mod document;
mod gather;
mod keys;
mod notice;
mod operator;
mod rules;
mod seeds;

use crate::service::Settlement;
use jirani_market::AttestedPolicy;
use jirani_units::{Slot, Timestamp, Wh};
use seeds::SeedChain;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use document::{CallBook, CallLine};
pub(crate) use keys::{
    back, is_bought_back, {again, is_by_hand, is_calls, posts_its_offers},
};
pub use operator::OperatorPolicy;
pub(crate) use operator::buyer;

/// What the operator chooses about calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketPolicy {
    /// Length of a slot, in seconds; as the oracle's.
    pub slot_length_s: u32,
    /// What a sell rule has left after a call is put up for sale from so much on.
    pub lot: Wh,
    /// For how long, in seconds.
    pub offer_life_s: u32,
    /// How many such offers one household may have open at once.
    pub lots_max: usize,
    /// What the operator does as counterparty of last resort.
    pub operator: OperatorPolicy,
    /// What meters that do not sign by themselves may sell, and how dear.
    pub attested: AttestedPolicy,
}

impl Default for MarketPolicy {
    /// A quarter of an hour; half a kilowatt-hour, for a day, four at once.
    fn default() -> Self {
        Self {
            slot_length_s: 900,
            lot: Wh(500),
            offer_life_s: 86_400,
            lots_max: 4,
            operator: OperatorPolicy::default(),
            attested: AttestedPolicy::default(),
        }
    }
}

/// What calls remember between two of them; all of it can be forgotten.
#[derive(Default)]
pub(crate) struct Calling {
    policy: OnceLock<MarketPolicy>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// End of the last slot that was looked at, by feeder: nothing was wanted in it.
    looked: HashMap<u16, Timestamp>,
    /// Messages of this day that are stored.
    told: (i64, HashSet<String>),
    /// The chain of seeds of the last slot; what was published of it stands in the store.
    seeds: Option<Arc<SeedChain>>,
}

impl Calling {
    pub(crate) fn policy(&self) -> MarketPolicy {
        self.policy.get().copied().unwrap_or_default()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name of the setting in which the number stands that binds the draws of the slot's time.
pub fn draws_setting(slot: Slot) -> String {
    SeedChain::setting(SeedChain::number_of(slot), slot.length_s)
}

impl Settlement {
    /// Sets how calls are made; before [`Settlement::run`], once.
    pub fn call_by(&self, policy: MarketPolicy) {
        // A second one would be a surprise to whoever set the first.
        let _ = self.calling.policy.set(policy);
    }
}
