//! What a call becomes on chain: offers at the call's price, and orders of up to four
//! fills that are paid from balance.
//!
//! Each ask that sold is posted as one offer of just the energy sold, at the price of
//! the call; an open offer is closed for that part first, so that it earns the call's
//! price and not its own lower one. Each bid becomes as many orders of four fills as it
//! needs. An order rounds its due up once, so several orders may cost a bid some cents
//! more than one would: what its money cannot pay is taken off its last lot, Wh by Wh,
//! and stays with the seller. Money is never spent that was not there.

use super::book::{Book, OrderIndex, Party, Side, Source};
use super::clear::{Lot, Outcome};
use crate::error::MarketError;
use crate::fill::{FILLS_MAX, Fill, Shares, shares};
use crate::limits::HELD_MAX;
use jirani_units::{Cents, HouseholdId, OfferId, Price};

/// An offer to be posted for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOffer {
    /// The ask it comes from.
    pub ask: OrderIndex,
    /// Whose.
    pub seller: HouseholdId,
    /// Energy, above zero.
    pub energy_wh: u32,
    /// A rule, or the open offer that is closed for this energy first.
    pub source: Source,
}

/// An order to be placed and settled from balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The bid it comes from.
    pub bid: OrderIndex,
    /// Who buys.
    pub buyer: HouseholdId,
    /// Places in [`Plan::offers`] with energy; one to four.
    pub lots: Vec<(usize, u32)>,
    /// What it costs and who gets it.
    pub shares: Shares,
}

/// Offers and orders of one call; empty when nobody trades.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The seller's net price of all of them.
    pub price: Option<Price>,
    /// What sellers post, in the order of entry of their asks.
    pub offers: Vec<CallOffer>,
    /// What buyers order, in the order of entry of their bids.
    pub purchases: Vec<Purchase>,
}

impl Plan {
    /// Makes a plan of an outcome of this book.
    pub fn new(book: &Book, outcome: &Outcome) -> Result<Self, MarketError> {
        let Some(price) = outcome.price else { return Ok(Self::default()) };
        let mut offers: Vec<CallOffer> = Vec::new();
        let mut purchases = Vec::new();
        for lots in outcome.lots.chunk_by(|one, other| one.bid == other.bid) {
            for part in affordable(book, price, lots)? {
                let bid = part[0].bid;
                let lots = part.iter().map(|lot| (place(book, &mut offers, lot), lot.energy_wh)).collect();
                purchases.push(Purchase {
                    bid,
                    buyer: HouseholdId(book.side(Side::Bid).household[bid as usize]),
                    lots,
                    shares: cost(book, price, &part)?,
                });
            }
        }
        Ok(Self { price: Some(price), offers, purchases })
    }

    /// The fills of a purchase, once its offers have their numbers: `posted` holds one
    /// for each of [`Plan::offers`]. `None` when it does not.
    pub fn fills(&self, purchase: &Purchase, posted: &[OfferId]) -> Option<Vec<Fill>> {
        let price = self.price?;
        let fill = |&(place, energy_wh): &(usize, u32)| {
            let seller = self.offers.get(place)?.seller;
            Some(Fill { offer: *posted.get(place)?, seller, energy_wh, price })
        };
        purchase.lots.iter().map(fill).collect()
    }
}

/// Adds a lot to the offer of its ask, which is the last one: lots come in the order of
/// their asks.
fn place(book: &Book, offers: &mut Vec<CallOffer>, lot: &Lot) -> usize {
    if let Some(offer) = offers.last_mut().filter(|offer| offer.ask == lot.ask) {
        // Never more than the ask's own energy, which fits.
        offer.energy_wh += lot.energy_wh;
        return offers.len() - 1;
    }
    let asks = book.side(Side::Ask);
    offers.push(CallOffer {
        ask: lot.ask,
        seller: HouseholdId(asks.household[lot.ask as usize]),
        energy_wh: lot.energy_wh,
        source: asks.source[lot.ask as usize],
    });
    offers.len() - 1
}

/// The orders of one bid, as few as the limits of fills and energy allow.
fn orders(lots: &[Lot]) -> Vec<Vec<Lot>> {
    let most = u32::try_from(HELD_MAX.0).unwrap_or(u32::MAX);
    let mut orders: Vec<Vec<Lot>> = Vec::new();
    let mut room = 0;
    for lot in lots {
        let mut left = lot.energy_wh;
        while left > 0 {
            if room == 0 || orders.last().is_none_or(|order| order.len() == FILLS_MAX) {
                orders.push(Vec::with_capacity(FILLS_MAX.min(lots.len())));
                room = most;
            }
            let energy_wh = left.min(room);
            if let Some(order) = orders.last_mut() {
                order.push(Lot { energy_wh, ..*lot });
            }
            (left, room) = (left - energy_wh, room - energy_wh);
        }
    }
    orders
}

/// The orders of one bid, less what its money does not reach.
fn affordable(book: &Book, price: Price, lots: &[Lot]) -> Result<Vec<Vec<Lot>>, MarketError> {
    let mut lots = lots.to_vec();
    let bids = book.side(Side::Bid);
    let money = bids.money[lots[0].bid as usize];
    let all_in = match bids.rank[lots[0].bid as usize].0 {
        Party::Household => book.tariff().all_in(price),
        Party::Operator => price,
    };
    loop {
        let orders = orders(&lots);
        let due = orders
            .iter()
            .map(|part| cost(book, price, part).map(|shares| shares.due))
            .sum::<Result<Cents, MarketError>>()?;
        let excess = u64::try_from(due.0.saturating_sub(money.0)).unwrap_or(0);
        let Some(last) = lots.last_mut().filter(|_| excess > 0) else { return Ok(orders) };
        let take = (excess * 1_000).div_ceil(u64::from(all_in.0).max(1));
        last.energy_wh = last.energy_wh.saturating_sub(u32::try_from(take).unwrap_or(u32::MAX));
        if last.energy_wh == 0 {
            lots.pop();
        }
    }
}

/// What these lots of one bid cost as one order.
fn cost(book: &Book, price: Price, lots: &[Lot]) -> Result<Shares, MarketError> {
    let (asks, bids) = (book.side(Side::Ask), book.side(Side::Bid));
    let (fee, tax) = book.charges(bids.rank[lots[0].bid as usize].0);
    let fills: Vec<Fill> = lots
        .iter()
        .map(|lot| Fill {
            offer: OfferId(0),
            seller: HouseholdId(asks.household[lot.ask as usize]),
            energy_wh: lot.energy_wh,
            price,
        })
        .collect();
    shares(&fills, fee, tax)
}
