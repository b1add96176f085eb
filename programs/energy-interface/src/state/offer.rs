use super::record;
use crate::Key;
use bytemuck::{Pod, Zeroable};

/// Where an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OfferState {
    /// For sale until it expires.
    Open = 1,
    /// Withdrawn or expired; only what orders hold is left.
    Closing = 2,
}

/// A lot of eKWh in escrow.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Offer {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// Bump of its own address.
    pub bump: u8,
    /// Bump of the escrow's address.
    pub escrow_bump: u8,
    /// The seller's net price, cents per kWh.
    pub price: u32,
    /// [`OfferState`].
    pub state: u8,
    /// Zero.
    pub reserved0: [u8; 3],
    /// The seller's number.
    pub seller_id: u32,
    /// Number of the offer, used once per seller.
    pub id: u64,
    /// The seller's Household.
    pub seller: Key,
    /// Its token account.
    pub escrow: Key,
    /// Who paid the rent and gets it back.
    pub rent_payer: Key,
    /// Energy offered, Wh.
    pub energy_wh: u64,
    /// Energy that open orders hold, Wh.
    pub reserved_wh: u64,
    /// Energy sold, Wh.
    pub sold_wh: u64,
    /// Energy returned to the vault, Wh.
    pub returned_wh: u64,
    /// When it was posted, Unix seconds.
    pub created_at: i64,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
    /// Zero.
    pub reserved: [u8; 32],
}

record!(Offer, 3, 200);

impl Offer {
    /// What it still owes: neither sold nor returned. The escrow holds at least this.
    pub const fn owed_wh(&self) -> u64 {
        self.energy_wh.saturating_sub(self.sold_wh).saturating_sub(self.returned_wh)
    }

    /// What a new order may take, and what a return brings back.
    pub const fn free_wh(&self) -> u64 {
        self.owed_wh().saturating_sub(self.reserved_wh)
    }
}
