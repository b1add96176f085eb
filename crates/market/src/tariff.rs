//! The operator's published prices.

use jirani_units::Price;
use serde::{Deserialize, Serialize};

/// Prices in force, in cents per kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// What the operator sells at, all in.
    pub retail: Price,
    /// What the operator buys at.
    pub buy_back: Price,
    /// Grid fee per kWh traded.
    pub grid_fee: Price,
    /// Taxes per kWh traded.
    pub tax: Price,
}
