//! What drives the machines: lanes (one thing at a time per offer, order or
//! payout), workers that empty them, and the one timer.
//!
//! Promises: two pieces of work on one thing never run at once; the number of
//! lanes is bounded; whatever waits for its turn counts as busy.

pub(crate) mod lanes;
pub(crate) mod timer;

use jirani_units::{HouseholdId, OfferId, OrderId, PayoutId};

/// What a lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// An offer.
    Offer(OfferId),
    /// An order and its collection.
    Order(OrderId),
    /// A payout.
    Payout(PayoutId),
    /// A move of float, by its number.
    Float(u64),
    /// M-Pesa's list of payments.
    Pull,
    /// The daily comparison with M-Pesa's books, and the figures the operator hears of.
    Reconciliation,
    /// Bills of slots that were attested.
    Bills,
    /// A household that owes energy, when money came to it.
    Standing(HouseholdId),
    /// The calls of slots.
    Call,
    /// What the operator buys back by itself.
    BuyBack,
    /// The chain's price bounds.
    Tariff,
    /// A callback that belongs to none of them, by its number.
    Stray(u64),
}
