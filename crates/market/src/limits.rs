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
/// Least energy of an offer made by hand: smaller ones would fill the pages that buyers
/// read, and a quarter of them, what an unpaid order may hold, is next to nothing.
pub const OFFER_ENERGY_MIN: Wh = Wh(100);
/// Most energy of one offer: what a fill can carry.
pub const OFFER_ENERGY_MAX: Wh = Wh(u32::MAX as u64);

/// Offers made by hand, and what calls left of them, that one seller may have at once. The
/// program allows 64: the others are for what the seller's rule sells and puts up.
pub const OFFERS_BY_HAND_MAX: usize = 48;

/// Most energy of one order, and of all that one buyer's orders hold at once, by the
/// program's defaults; larger purchases are several orders.
pub const HELD_MAX: Wh = Wh(50_000);
/// Most orders of one buyer that wait for payment at once, by the program's defaults.
pub const OPEN_ORDERS_MAX: u16 = 8;
/// Orders of one buyer that may end unpaid in a UTC day, by the program's defaults.
pub const UNPAID_PER_DAY_MAX: u32 = 16;

/// What one buyer's orders hold without having paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Orders that wait for payment.
    pub open_orders: u16,
    /// Their energy.
    pub energy: Wh,
    /// Orders that ended unpaid in this UTC day.
    pub unpaid_today: u32,
}

/// Why the program would refuse one more order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldTooMuch {
    /// Too many orders.
    #[error("market.open_orders: {OPEN_ORDERS_MAX} of your orders wait for payment; pay one or let it lapse")]
    Orders,
    /// Too much energy.
    #[error("market.held_energy: your unpaid orders may hold {HELD_MAX} in all; {left} is left")]
    Energy {
        /// What may still be held.
        left: Wh,
    },
    /// Too many left unpaid.
    #[error("market.unpaid_today: too many of your orders were left unpaid today; pay from your balance")]
    Unpaid,
}

/// Checks an order of `energy` against the program's limits, so that it is refused in
/// words before it costs a transaction.
pub fn check_held(held: &Held, energy: Wh) -> Result<(), HeldTooMuch> {
    if held.unpaid_today >= UNPAID_PER_DAY_MAX {
        return Err(HeldTooMuch::Unpaid);
    }
    if held.open_orders >= OPEN_ORDERS_MAX {
        return Err(HeldTooMuch::Orders);
    }
    let left = HELD_MAX.saturating_sub(held.energy);
    if energy > left {
        return Err(HeldTooMuch::Energy { left });
    }
    Ok(())
}

/// What a buyer who already holds `held` of an offer of `energy` may still hold
/// without having paid: a quarter in all.
pub fn unpaid_share_left(energy: Wh, held: Wh) -> Wh {
    Wh(energy.0 / UNPAID_SHARE).saturating_sub(held)
}

/// Checks a new offer, made by hand, against tariff and bounds.
pub fn check_offer(tariff: &Tariff, energy: Wh, price: Price, expires_in_s: u32) -> Result<(), MarketError> {
    if !(OFFER_ENERGY_MIN..=OFFER_ENERGY_MAX).contains(&energy) {
        let (min, max) = (OFFER_ENERGY_MIN, OFFER_ENERGY_MAX);
        return Err(MarketError::EnergyOutOfBounds { min, max });
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

/// Checks that a seller with `standing` offers by hand may make one more.
pub fn check_standing(standing: usize) -> Result<(), MarketError> {
    if standing < OFFERS_BY_HAND_MAX { Ok(()) } else { Err(MarketError::TooManyOffers) }
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
