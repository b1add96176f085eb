use jirani_units::{Cents, HouseholdId, Receipt, Timestamp};

/// Where a reversal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReversalState {
    /// Its payment is not known yet, or its order is being settled: the ledger
    /// follows when that has ended.
    Waiting,
    /// In the ledger.
    Booked,
}

/// M-Pesa took a payment back. One per payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalRecord {
    /// The payment that was taken back.
    pub receipt: Receipt,
    /// M-Pesa's number of the taking back itself, where known.
    pub reversal: Option<Receipt>,
    /// How much was taken back.
    pub amount: Cents,
    /// Who owes it now; `None` when it was nobody's.
    pub payer: Option<HouseholdId>,
    /// Where it stands.
    pub state: ReversalState,
    /// When we heard of it.
    pub heard_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
