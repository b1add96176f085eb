//! Fills of an order and what they cost.

use jirani_units::{Cents, HouseholdId, OfferId, Price};
use serde::{Deserialize, Serialize};

/// The most fills an order may have: it settles as one transaction.
pub const FILLS_MAX: usize = 4;

/// One part of an order: so much of one offer at its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The offer.
    pub offer: OfferId,
    /// Whose offer.
    pub seller: HouseholdId,
    /// Energy, above zero.
    pub energy_wh: u32,
    /// The seller's net price.
    pub price: Price,
}

/// Where an order's due goes; the parts add up to `due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// What the buyer owes.
    pub due: Cents,
    /// One entry per fill, in order.
    pub sellers: Vec<(HouseholdId, Cents)>,
    /// Grid fee.
    pub fee: Cents,
    /// Tax.
    pub tax: Cents,
    /// What is left over.
    pub rounding: Cents,
}
