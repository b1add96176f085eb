use super::record;
use crate::{FILLS_MAX, Key};
use bytemuck::{Pod, Zeroable};

/// One part of an order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct OrderFill {
    /// The Offer.
    pub offer: Key,
    /// Energy, Wh; above zero in use.
    pub energy_wh: u32,
    /// The seller's net price, cents per kWh.
    pub price: u32,
}

/// Up to four fills held for one buyer. The account lives until it is settled or
/// released.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Order {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// Bump of its own address.
    pub bump: u8,
    /// Fills in use, 1 to 4.
    pub fill_count: u8,
    /// The buyer's number.
    pub buyer_id: u32,
    /// Number of the order, used once per buyer.
    pub id: u64,
    /// The buyer's Household.
    pub buyer: Key,
    /// Who paid the rent and gets it back.
    pub rent_payer: Key,
    /// What the buyer owes, cents.
    pub due_cents: u64,
    /// Energy of all fills, Wh.
    pub energy_wh: u64,
    /// Grid fee, cents per kWh.
    pub fee: u32,
    /// Tax, cents per kWh.
    pub tax: u32,
    /// When it was placed, Unix seconds.
    pub created_at: i64,
    /// Until when it may be paid, Unix seconds, pauses not counted.
    pub deadline: i64,
    /// How long deadlines had stood still when it was placed, seconds.
    pub paused_s: u64,
    /// The fills; zeroes past `fill_count`.
    pub fills: [OrderFill; FILLS_MAX],
    /// Zero.
    pub reserved: [u8; 24],
}

record!(Order, 4, 312);

impl Order {
    /// The fills in use.
    pub fn fills(&self) -> &[OrderFill] {
        self.fills.get(..usize::from(self.fill_count)).unwrap_or(&[])
    }

    /// The deadline put off by every pause since it was placed; `paused_s` is
    /// [`super::Config::paused_s_until`] now.
    pub fn effective_deadline(&self, paused_s: u64) -> i64 {
        let pause = i64::try_from(paused_s.saturating_sub(self.paused_s)).unwrap_or(i64::MAX);
        self.deadline.saturating_add(pause)
    }
}
