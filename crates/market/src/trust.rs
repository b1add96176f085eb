//! What a meter's trust class means for the market: whose exports may be sold, and how dear.
//!
//! Energy that only the site vouches for is worth less to a buyer than what a meter has
//! signed by itself: whoever holds the site's key could invent it, up to the ratings. Such a
//! household asks at most a part of the way from buy-back to the highest price. What it asks
//! is bounded, not what it gets: in a call all sell at one price.

use crate::error::MarketError;
use crate::tariff::Tariff;
use jirani_units::{Price, Trust};

/// What households may do with exports that only the site vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttestedExports {
    /// Sell them, within the bound.
    #[default]
    Sell,
    /// Use them themselves: their tokens meet their own shortfall, and nobody buys them.
    SelfUse,
}

/// The operator's policy for meters that do not sign by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestedPolicy {
    /// What may be done with their exports.
    pub exports: AttestedExports,
    /// The highest ask: so many thousandths of the way from buy-back to retail less fee and
    /// tax, 0 to 1000.
    pub price_permille: u16,
}

impl Default for AttestedPolicy {
    /// Nine tenths of the way: dearer than the operator, cheaper than a signed neighbour.
    fn default() -> Self {
        Self { exports: AttestedExports::Sell, price_permille: 900 }
    }
}

impl AttestedPolicy {
    /// The most that may be asked under a tariff; `None` where nothing may be sold.
    pub fn ask_max(&self, tariff: &Tariff, trust: Trust) -> Option<Price> {
        let (min, max) = (tariff.offer_price_min(), tariff.offer_price_max());
        match (trust, self.exports) {
            (Trust::DeviceSigned, _) => Some(max),
            (Trust::GatewayAttested, AttestedExports::SelfUse) => None,
            (Trust::GatewayAttested, AttestedExports::Sell) => {
                let band = u64::from(max.0.saturating_sub(min.0));
                let part = band * u64::from(self.price_permille.min(1_000)) / 1_000;
                // No more than the band, which fits.
                Some(Price(min.0 + u32::try_from(part).unwrap_or(0)))
            }
        }
    }

    /// Checks the price of an offer, or the floor of a rule.
    pub fn check_ask(&self, tariff: &Tariff, trust: Trust, price: Price) -> Result<(), MarketError> {
        match self.ask_max(tariff, trust) {
            None => Err(MarketError::AttestedSelfUse),
            Some(max) if price > max && trust == Trust::GatewayAttested => {
                Err(MarketError::AttestedPrice { max })
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TARIFF: Tariff =
        Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };

    #[test]
    fn what_only_the_site_vouches_for_is_asked_less_for() {
        let policy = AttestedPolicy::default();
        // 1000 to 3000: nine tenths of the way is 2800.
        for (trust, price, refused) in [
            (Trust::DeviceSigned, 3_000, None),
            (Trust::GatewayAttested, 1_000, None),
            (Trust::GatewayAttested, 2_800, None),
            (Trust::GatewayAttested, 2_801, Some("market.attested_price")),
        ] {
            let checked = policy.check_ask(&TARIFF, trust, Price(price));
            assert_eq!(checked.err().map(|error| error.code()), refused, "{trust:?} {price}");
        }
        let own = AttestedPolicy { exports: AttestedExports::SelfUse, ..policy };
        assert_eq!(
            own.check_ask(&TARIFF, Trust::GatewayAttested, Price(1_000)),
            Err(MarketError::AttestedSelfUse)
        );
        assert_eq!(own.check_ask(&TARIFF, Trust::DeviceSigned, Price(3_000)), Ok(()));
    }

    proptest! {
        #[test]
        fn there_is_always_a_price_to_ask(buy_back in 1_u32..900_000, band in 0_u32..100_000, price_permille in 0_u16..=1_000) {
            let tariff = Tariff { retail: Price(buy_back + band), buy_back: Price(buy_back), grid_fee: Price(0), tax: Price(0) };
            let policy = AttestedPolicy { exports: AttestedExports::Sell, price_permille };
            let most = policy.ask_max(&tariff, Trust::GatewayAttested).unwrap();
            prop_assert!(tariff.allows(most));
            prop_assert_eq!(policy.check_ask(&tariff, Trust::GatewayAttested, most), Ok(()));
        }
    }
}
