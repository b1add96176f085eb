//! Limits on orders and offers.

use crate::error::MarketError;
use crate::tariff::Tariff;
use jirani_units::{Price, Timestamp, Wh};

/// One buyer's unpaid orders may hold one part in so many of an offer.
const UNPAID_SHARE: u64 = 4;

/// So many unpaid orders within [`UNPAID_WINDOW_S`] shut a buyer out for as long.
pub const UNPAID_ORDERS_MAX: usize = 3;
/// See [`UNPAID_ORDERS_MAX`]; in seconds.
pub const UNPAID_WINDOW_S: i64 = 3_600;

/// Shortest life of an offer, in seconds.
pub const OFFER_LIFE_MIN_S: u32 = 60;
/// Longest life of an offer, in seconds: 30 days.
pub const OFFER_LIFE_MAX_S: u32 = 30 * 86_400;
/// Most energy of one offer: what a fill can carry.
pub const OFFER_ENERGY_MAX: Wh = Wh(u32::MAX as u64);

/// What a buyer who already holds `held` of an offer of `energy` may still hold
/// without having paid: a quarter in all.
pub fn unpaid_share_left(energy: Wh, held: Wh) -> Wh {
    Wh(energy.0 / UNPAID_SHARE).saturating_sub(held)
}

/// Checks a new offer against tariff and bounds.
pub fn check_offer(tariff: &Tariff, energy: Wh, price: Price, expires_in_s: u32) -> Result<(), MarketError> {
    if energy == Wh::ZERO || energy > OFFER_ENERGY_MAX {
        return Err(MarketError::EnergyOutOfBounds { max: OFFER_ENERGY_MAX });
    }
    if !tariff.allows(price) {
        let (min, max) = (tariff.offer_price_min(), tariff.offer_price_max());
        return Err(MarketError::PriceOutOfBounds { min, max });
    }
    if !(OFFER_LIFE_MIN_S..=OFFER_LIFE_MAX_S).contains(&expires_in_s) {
        return Err(MarketError::ExpiryOutOfBounds { min_s: OFFER_LIFE_MIN_S, max_s: OFFER_LIFE_MAX_S });
    }
    Ok(())
}

/// Whether a buyer may order with payment to follow. `unpaid`: when the buyer's
/// orders ended that were released because the payment was refused or did not
/// come, in any order. Three of them within an hour shut the buyer out until an
/// hour after the third.
pub fn check_unpaid(unpaid: &[Timestamp], now: Timestamp) -> Result<(), MarketError> {
    let mut ends = unpaid.to_vec();
    ends.sort_unstable();
    let window_us = UNPAID_WINDOW_S * 1_000_000;
    let until = ends
        .windows(UNPAID_ORDERS_MAX)
        .filter(|run| run[UNPAID_ORDERS_MAX - 1].since(run[0]) < window_us)
        .map(|run| run[UNPAID_ORDERS_MAX - 1].plus_seconds(UNPAID_WINDOW_S))
        .next_back();
    match until {
        Some(until) if now < until => Err(MarketError::TooManyUnpaid { until }),
        _ => Ok(()),
    }
}
