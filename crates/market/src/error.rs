//! Why the market says no. Nothing is held, nothing changed.

use crate::limits::OFFERS_BY_HAND_MAX;
use jirani_units::{Price, Timestamp, Wh};

/// A refusal with a sentence the person can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// No energy, or no money, was asked for.
    #[error("market.nothing_wanted: say how much energy or money the order is for")]
    NothingWanted,
    /// Nobody sells now (but perhaps the buyer).
    #[error("market.nothing_on_offer: no neighbour sells now; try again later or buy from the operator")]
    NothingOnOffer,
    /// Less is on offer than was asked for.
    #[error("market.not_enough: only {available} can be bought in one order now")]
    NotEnough {
        /// Most that one order could take.
        available: Wh,
    },
    /// Enough is on offer, but one buyer may not hold so much of it unpaid.
    #[error(
        "market.unpaid_share: an unpaid order may hold at most a quarter of an offer; order {available} or pay from \
         your balance"
    )]
    UnpaidShare {
        /// Most that an unpaid order could take.
        available: Wh,
    },
    /// The money buys less than 1 Wh.
    #[error("market.budget_too_small: this amount buys less than one watt-hour")]
    BudgetTooSmall,
    /// Too much energy or money for one order.
    #[error("market.too_large: this is more than one order or offer can hold")]
    TooLarge,
    /// The fills are no order: none, more than four, or one without energy.
    #[error("market.invalid_fills: an order has one to four fills, each with energy")]
    InvalidFills,
    /// Energy of an offer out of bounds.
    #[error("market.energy_out_of_bounds: an offer holds between {min} and {max}")]
    EnergyOutOfBounds {
        /// Least.
        min: Wh,
        /// Most.
        max: Wh,
    },
    /// Price of an offer out of bounds.
    #[error("market.price_out_of_bounds: the price must be between {min} and {max}")]
    PriceOutOfBounds {
        /// Least: what the operator pays.
        min: Price,
        /// Most: retail less fee and taxes.
        max: Price,
    },
    /// Dearer than what the site alone vouches for may be.
    #[error(
        "market.attested_price: your meter does not sign by itself, so you may ask {max} at most; a meter that signs may ask more"
    )]
    AttestedPrice {
        /// Most.
        max: Price,
    },
    /// What the site alone vouches for is not sold here.
    #[error(
        "market.attested_self_use: your meter does not sign by itself; its exports are for your own use here"
    )]
    AttestedSelfUse,
    /// Life of an offer out of bounds.
    #[error("market.expiry_out_of_bounds: an offer lasts between {min_s} and {max_s} seconds")]
    ExpiryOutOfBounds {
        /// Least, in seconds.
        min_s: u32,
        /// Most, in seconds.
        max_s: u32,
    },
    /// The seller has as many offers as one may have.
    #[error(
        "market.too_many_offers: {OFFERS_BY_HAND_MAX} of your offers stand; take one back, or wait until one is sold"
    )]
    TooManyOffers,
    /// Three orders within an hour were left unpaid.
    #[error(
        "market.too_many_unpaid: three orders were left unpaid; order again after {until}, or pay from your balance"
    )]
    TooManyUnpaid {
        /// First moment at which an order is accepted again.
        until: Timestamp,
    },
}

impl MarketError {
    /// The stable code that the message begins with.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NothingWanted => "market.nothing_wanted",
            Self::NothingOnOffer => "market.nothing_on_offer",
            Self::NotEnough { .. } => "market.not_enough",
            Self::UnpaidShare { .. } => "market.unpaid_share",
            Self::BudgetTooSmall => "market.budget_too_small",
            Self::TooLarge => "market.too_large",
            Self::InvalidFills => "market.invalid_fills",
            Self::EnergyOutOfBounds { .. } => "market.energy_out_of_bounds",
            Self::PriceOutOfBounds { .. } => "market.price_out_of_bounds",
            Self::AttestedPrice { .. } => "market.attested_price",
            Self::AttestedSelfUse => "market.attested_self_use",
            Self::ExpiryOutOfBounds { .. } => "market.expiry_out_of_bounds",
            Self::TooManyOffers => "market.too_many_offers",
            Self::TooManyUnpaid { .. } => "market.too_many_unpaid",
        }
    }
}
