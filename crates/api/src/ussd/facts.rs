//! What a screen may know of a household.

use jirani_market::rule::{BuyRule, SellRule};
use jirani_store::Language;
use jirani_units::{Cents, Price, Wh};

/// A household's rules as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Selling.
    pub sell: Option<SellRule>,
    /// Buying.
    pub buy: Option<BuyRule>,
}

/// A household's energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energy {
    /// Tokens in its vault.
    pub vault: Wh,
    /// Tokens it has on offer.
    pub offered: Wh,
    /// What it used and has not paid for.
    pub shortfall: Wh,
}

/// The least and the most that may be typed as a price. They must not change within a
/// session, or the same answers would lead elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What a seller may ask per kWh.
    pub sell: (Price, Price),
    /// What a buyer may be asked per kWh, fee and tax included.
    pub buy: (Price, Price),
}

/// What is known when a screen is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The language of its screens.
    pub language: Language,
    /// Money it may spend or withdraw.
    pub available: Cents,
    /// Its energy; `None` when the chain does not answer now.
    pub energy: Option<Energy>,
    /// What prices are measured against.
    pub bounds: Bounds,
    /// Its rules; `None` where nobody acts by rules.
    pub rules: Option<Rules>,
}

/// What an order would cost, as the buyer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyQuote {
    /// Energy.
    pub energy: Wh,
    /// The price, fee and tax included.
    pub due: Cents,
    /// What M-Pesa would ask for.
    pub collect: Cents,
    /// The same energy at the operator's own price.
    pub retail: Cents,
    /// Whether M-Pesa may be asked for it: an unpaid order may hold less of an offer.
    pub mpesa: bool,
}

/// What a withdrawal would send, as the household was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawQuote {
    /// What arrives.
    pub sent: Cents,
    /// M-Pesa's charge.
    pub charge: Cents,
}
