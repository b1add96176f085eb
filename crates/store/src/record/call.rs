use jirani_units::{Slot, Timestamp};

/// How far a call is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Decided; the open offers that sold are being closed for that part.
    Cleared,
    /// Its offers and orders are stored.
    Settling,
    /// All of them have ended.
    Done,
}

/// The call of one slot and feeder. What it decided never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Feeder.
    pub feeder: u16,
    /// Slot.
    pub slot: Slot,
    /// How far it is.
    pub state: CallState,
    /// Tariff, seed, beacon, orders, outcome and plan, in the service's encoding: all that
    /// anybody needs to clear it again.
    pub book: String,
    /// Numbers of its offers and orders, in the service's encoding; empty until settling.
    pub carried_out: String,
    /// When it was cleared.
    pub made_at: Timestamp,
    /// When the last of its orders ended.
    pub done_at: Option<Timestamp>,
    /// Version read; 0 = new.
    pub version: u64,
}
