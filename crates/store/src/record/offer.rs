use jirani_units::{HouseholdId, OfferId, Price, Timestamp, Wh};

/// Where an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// Stored; its transaction has not landed yet.
    Posting,
    /// On chain, for sale.
    Open,
    /// Cancelled or expired; what is not reserved is on its way back.
    Closing,
    /// All sold or returned.
    Closed,
    /// The chain refused it; nothing was escrowed.
    Refused,
}

/// A lot of eKWh in escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRecord {
    /// Identity and on-chain nonce.
    pub id: OfferId,
    /// Whose.
    pub seller: HouseholdId,
    /// Energy offered.
    pub energy_wh: Wh,
    /// Energy that orders not yet final hold.
    pub reserved_wh: Wh,
    /// Energy sold.
    pub sold_wh: Wh,
    /// The seller's net price.
    pub price: Price,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: OfferState,
    /// The code of the chain's refusal, if refused.
    pub refusal: Option<String>,
    /// Signature of the transaction that posted it.
    pub signature: Option<String>,
    /// The caller's idempotency key; unique per seller.
    pub key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}

impl OfferRecord {
    /// What a new order may take.
    pub fn open_wh(&self) -> Wh {
        if self.state == OfferState::Open {
            self.energy_wh.saturating_sub(self.reserved_wh).saturating_sub(self.sold_wh)
        } else {
            Wh::ZERO
        }
    }
}
