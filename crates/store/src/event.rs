//! Word of changes, for screens and for those who wait. May be missed: whoever
//! hears it reads the truth from the store.

use jirani_units::{HouseholdId, MeterId, OfferId, OrderId, PayoutId, Timestamp};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tokio::sync::broadcast;

/// Something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A reading was stored.
    Reading {
        /// Whose.
        household: HouseholdId,
        /// When it was taken.
        time: Timestamp,
        /// Net power; export is positive.
        power_w: i32,
    },
    /// A slot landed on chain.
    Attested {
        /// Feeder.
        feeder: u16,
        /// End of the slot.
        end: Timestamp,
    },
    /// An offer changed.
    Offer(OfferId, HouseholdId),
    /// An order changed; the household is the buyer.
    Order(OrderId, HouseholdId),
    /// A payout changed.
    Payout(PayoutId, HouseholdId),
    /// A balance changed.
    Balance(HouseholdId),
    /// A command to a relay was ordered or obeyed.
    Relay(HouseholdId),
    /// A meter's enrolment went on, or its registers began anew.
    Meter(MeterId),
    /// A tariff was announced, or has begun.
    Tariff,
}

/// Hears of every change before [`Events::publish`] returns.
pub type Taker = dyn Fn(&Event) + Send + Sync;

/// Where changes are announced.
#[derive(Clone)]
pub struct Events {
    sender: broadcast::Sender<Event>,
    takers: Arc<RwLock<Vec<Weak<Taker>>>>,
}

impl Events {
    /// Keeps the last `capacity` events for slow listeners.
    pub fn new(capacity: usize) -> Self {
        Self { sender: broadcast::Sender::new(capacity), takers: Arc::default() }
    }

    /// Announces.
    pub fn publish(&self, event: Event) {
        for taker in self.takers.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(taker) = taker.upgrade() {
                taker(&event);
            }
        }
        // Nobody listening is no error.
        let _ = self.sender.send(event);
    }

    /// Has `taker` hear of every change at once, as long as somebody else holds it: for a
    /// service that takes work up from it, before whoever publishes is no longer busy. It
    /// must only note what is to be done, and publish nothing.
    pub fn take_up(&self, taker: &Arc<Taker>) {
        let mut takers = self.takers.write().unwrap_or_else(PoisonError::into_inner);
        takers.retain(|taker| taker.strong_count() > 0);
        takers.push(Arc::downgrade(taker));
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}
