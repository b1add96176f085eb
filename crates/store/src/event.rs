//! Word of changes, for screens and for those who wait. May be missed: whoever
//! hears it reads the truth from the store.

use jirani_units::{HouseholdId, OfferId, OrderId, PayoutId, Timestamp};
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
}

/// Where changes are announced.
#[derive(Clone)]
pub struct Events(broadcast::Sender<Event>);

impl Events {
    /// Keeps the last `capacity` events for slow listeners.
    pub fn new(capacity: usize) -> Self {
        Self(broadcast::Sender::new(capacity))
    }

    /// Announces.
    pub fn publish(&self, event: Event) {
        // Nobody listening is no error.
        let _ = self.0.send(event);
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.0.receiver_count()
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
