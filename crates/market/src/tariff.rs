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

/// The highest retail price, in cents per kWh: the program on chain accepts no
/// higher one, so that its sums stay within 64 bits.
pub const RETAIL_MAX: Price = Price(1_000_000);

/// Prices that leave no room for an offer, or that the program would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTariff {
    /// Retail beyond what the program accepts.
    #[error("market.retail_too_high: retail must be at most {RETAIL_MAX}")]
    RetailTooHigh,
    /// Buy-back of zero.
    #[error("market.buy_back_zero: the operator must pay something for energy")]
    BuyBackZero,
    /// No price is both above buy-back and, with fee and tax, below retail.
    #[error("market.no_margin: buy-back, grid fee and tax together must not exceed retail")]
    NoMargin,
}

impl Tariff {
    /// Checks that there is a price at which neighbours can trade.
    pub fn validate(&self) -> Result<(), InvalidTariff> {
        if self.retail > RETAIL_MAX {
            return Err(InvalidTariff::RetailTooHigh);
        }
        if self.buy_back == Price(0) {
            return Err(InvalidTariff::BuyBackZero);
        }
        let least = self.buy_back.checked_add(self.grid_fee).and_then(|sum| sum.checked_add(self.tax));
        if least.is_none_or(|least| least > self.retail) {
            return Err(InvalidTariff::NoMargin);
        }
        Ok(())
    }

    /// The least a seller may ask, net: what the operator would pay.
    pub const fn offer_price_min(&self) -> Price {
        self.buy_back
    }

    /// The most a seller may ask, net: retail less fee and tax.
    pub const fn offer_price_max(&self) -> Price {
        Price(self.retail.0.saturating_sub(self.grid_fee.0).saturating_sub(self.tax.0))
    }

    /// Whether a seller may ask this price.
    pub fn allows(&self, price: Price) -> bool {
        self.offer_price_min() <= price && price <= self.offer_price_max()
    }

    /// What a buyer pays per kWh at a seller's net `price`: with fee and tax. No
    /// higher than `u32::MAX`, which no allowed price reaches.
    pub const fn all_in(&self, price: Price) -> Price {
        Price(price.0.saturating_add(self.grid_fee.0).saturating_add(self.tax.0))
    }
}
