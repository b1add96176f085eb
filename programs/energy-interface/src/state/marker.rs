use super::record;
use crate::Key;
use bytemuck::{Pod, Zeroable};

/// A proof that has settled an order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Marker {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// [`crate::ProofKind`].
    pub kind: u8,
    /// Zero.
    pub reserved0: u8,
    /// The buyer's number.
    pub buyer_id: u32,
    /// The buyer's order.
    pub order_id: u64,
    /// When the money moved, Unix seconds.
    pub paid_at: i64,
    /// When the order settled, Unix seconds.
    pub settled_at: i64,
    /// From when it may be closed, Unix seconds, pauses not counted.
    pub closable_at: i64,
    /// How long deadlines had stood still when the order settled, seconds: a later
    /// pause puts the closing off, as it puts off the orders the proof might fit.
    pub paused_s: u64,
    /// Who paid the rent and gets it back.
    pub rent_payer: Key,
    /// The proof's hash.
    pub proof: Key,
}

record!(Marker, 5, 112);

impl Marker {
    /// When it may be closed, put off by every pause since the order settled;
    /// `paused_s` is [`super::Config::paused_s_until`] now.
    pub fn effective_closable_at(&self, paused_s: u64) -> i64 {
        let pause = i64::try_from(paused_s.saturating_sub(self.paused_s)).unwrap_or(i64::MAX);
        self.closable_at.saturating_add(pause)
    }
}
