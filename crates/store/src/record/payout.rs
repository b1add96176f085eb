use jirani_units::{Cents, HouseholdId, Msisdn, PayoutId, Receipt, Timestamp};

/// Where a payout stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PayoutState {
    /// Stored, the amount held; not sent yet.
    Planned,
    /// The request left us; its answer is not stored yet, or was lost. Never sent
    /// again under another id.
    Unknown,
    /// M-Pesa accepted the request.
    Accepted,
    /// Paid, with a receipt.
    Paid,
    /// Refused for good; the hold was let go.
    Failed {
        /// M-Pesa's code, text because some are not numbers.
        code: String,
    },
}

/// Money going out: one B2C payment and all known of its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRecord {
    /// Identity.
    pub id: PayoutId,
    /// Whose balance.
    pub household: HouseholdId,
    /// The household's own number.
    pub msisdn: Msisdn,
    /// What leaves the balance: what is sent plus the charge.
    pub amount: Cents,
    /// What is sent, whole shillings.
    pub sent: Cents,
    /// M-Pesa's charge.
    pub charge: Cents,
    /// How often it was begun: 1, and one more after each definite refusal that
    /// said nothing about it (an empty float, a locked operator).
    pub attempt: u32,
    /// Our id of this attempt at M-Pesa (OriginatorConversationID); unique.
    pub originator_id: String,
    /// Secret segment of its callback paths, 32 hex digits; unique.
    pub secret: String,
    /// M-Pesa's id, once known.
    pub conversation_id: Option<String>,
    /// Where it stands.
    pub state: PayoutState,
    /// The receipt, once known.
    pub receipt: Option<Receipt>,
    /// The caller's idempotency key; unique per household.
    pub key: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it became final.
    pub final_at: Option<Timestamp>,
    /// Version read; 0 = new.
    pub version: u64,
}
