//! Orders of one call, as columns: a scan for the price reads prices and energies
//! and nothing else.

use crate::fill::Candidate;
use crate::schedule::{Standing, standing};
use crate::tariff::Tariff;
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use rustc_hash::FxHashSet;

/// Most orders of one side: their numbers fit 32 bits.
pub const ORDERS_MAX: usize = 1 << 24;

/// Place of an order on its side of the book, in the order of entry.
pub type OrderIndex = u32;

/// Which way the energy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Wants energy.
    Bid,
    /// Has energy.
    Ask,
}

/// Who stands behind an order. At one price a household goes before the operator,
/// who is the counterparty of last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A household.
    Household,
    /// The operator's own record: battery, generator, or its account.
    Operator,
}

/// Where an order comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A rule of the household, acting for this slot; or the operator's standing
    /// order at the edge of the tariff.
    Rule,
    /// An open offer; it is closed for the part that it sells in the call.
    Offer(OfferId),
}

/// One order of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOrder {
    /// Whose.
    pub household: HouseholdId,
    /// Household or operator.
    pub party: Party,
    /// Energy, above zero.
    pub energy_wh: u32,
    /// The seller's net price: least for an ask, most for a bid.
    pub limit: Price,
    /// Since when it stands. All rules of a slot stand since the slot's end.
    pub since: Timestamp,
    /// Rule or offer.
    pub source: Source,
    /// The most that all fills of a bid may cost, fee, tax and every rounding
    /// included. Ignored for an ask.
    pub money: Cents,
}

impl CallOrder {
    /// An open offer as it stands in a call under `tariff`: all that may still be taken,
    /// since it was posted, at no less than the operator pays. `None` when nothing is
    /// left or it is too dear; it then waits, see [`standing`].
    pub fn of_offer(offer: &Candidate, tariff: &Tariff) -> Option<Self> {
        let limit = match standing(tariff, offer.price) {
            Standing::Stands(price) | Standing::Raised(price) => price,
            Standing::TooDear { .. } => return None,
        };
        let energy_wh = u32::try_from(offer.open.0).unwrap_or(u32::MAX);
        (energy_wh > 0).then_some(Self {
            household: offer.seller,
            party: Party::Household,
            energy_wh,
            limit,
            since: offer.created_at,
            source: Source::Offer(offer.offer),
            money: Cents::ZERO,
        })
    }

    /// The operator's standing order on a side: all of `energy` at its edge. `money` is
    /// what it has to buy back with. `None` for no energy.
    pub fn of_operator(
        record: HouseholdId,
        side: Side,
        energy: Wh,
        money: Cents,
        tariff: &Tariff,
        slot: Slot,
    ) -> Option<Self> {
        let limit = match side {
            Side::Bid => tariff.offer_price_min(),
            Side::Ask => tariff.offer_price_max(),
        };
        let affordable =
            u64::try_from(money.0).unwrap_or(0).saturating_mul(1_000) / u64::from(limit.0.max(1));
        let energy = if side == Side::Bid { energy.min(Wh(affordable)) } else { energy };
        let energy_wh = u32::try_from(energy.0).unwrap_or(u32::MAX);
        (energy_wh > 0).then_some(Self {
            household: record,
            party: Party::Operator,
            energy_wh,
            limit,
            since: slot.end(),
            source: Source::Rule,
            money,
        })
    }
}

/// Why an order cannot enter a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No energy.
    #[error("market.nothing_wanted: say how much energy the order is for")]
    NoEnergy,
    /// The limit lies outside the tariff.
    #[error("market.call_price_out_of_bounds: in a call a price lies between {min} and {max}")]
    OutOfBounds {
        /// Buy-back.
        min: Price,
        /// Retail less fee and tax.
        max: Price,
    },
    /// The operator bids at buy-back and asks at retail, nothing else.
    #[error("market.operator_off_edge: the operator stands in a call at {edge} only")]
    OperatorOffEdge {
        /// The price at which it may stand.
        edge: Price,
    },
    /// A bid without the money for it.
    #[error("market.unpaid_bid: a call takes bids that the balance can pay")]
    UnpaidBid,
    /// Too many orders.
    #[error("market.book_full: a call takes {ORDERS_MAX} orders on each side")]
    BookFull,
}

/// The columns of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub limit: Vec<u32>,
    pub energy: Vec<u32>,
    pub household: Vec<u32>,
    pub rank: Vec<(Party, Timestamp)>,
    pub source: Vec<Source>,
    pub money: Vec<Cents>,
}

impl Columns {
    fn push(&mut self, order: &CallOrder) {
        self.limit.push(order.limit.0);
        self.energy.push(order.energy_wh);
        self.household.push(order.household.0);
        self.rank.push((order.party, order.since));
        self.source.push(order.source);
        self.money.push(order.money);
    }
}

/// All orders of one call under one tariff.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) tariff: Tariff,
    pub(crate) bids: Columns,
    pub(crate) asks: Columns,
}

impl Book {
    /// An empty book. `tariff` is the one in force at the slot's start, and valid.
    pub fn new(tariff: Tariff) -> Self {
        Self { tariff, bids: Columns::default(), asks: Columns::default() }
    }

    /// Tariff of the call.
    pub const fn tariff(&self) -> &Tariff {
        &self.tariff
    }

    /// Grid fee and tax that a buyer pays on top: the operator buys back without.
    pub const fn charges(&self, party: Party) -> (Price, Price) {
        match party {
            Party::Household => (self.tariff.grid_fee, self.tariff.tax),
            Party::Operator => (Price(0), Price(0)),
        }
    }

    /// Number of orders on a side.
    pub fn len(&self, side: Side) -> usize {
        self.side(side).limit.len()
    }

    /// Whether nobody stands on a side.
    pub fn is_empty(&self, side: Side) -> bool {
        self.len(side) == 0
    }

    /// Lets an order in, or says why not.
    pub fn enter(&mut self, side: Side, order: &CallOrder) -> Result<OrderIndex, Refused> {
        let (min, max) = (self.tariff.offer_price_min(), self.tariff.offer_price_max());
        if order.energy_wh == 0 {
            return Err(Refused::NoEnergy);
        }
        if !self.tariff.allows(order.limit) {
            return Err(Refused::OutOfBounds { min, max });
        }
        let edge = if side == Side::Bid { min } else { max };
        if order.party == Party::Operator && order.limit != edge {
            return Err(Refused::OperatorOffEdge { edge });
        }
        let most = u64::try_from(order.money.0).unwrap_or(0).saturating_mul(1_000);
        let (fee, tax) = self.charges(order.party);
        let all_in = u64::from(order.limit.0) + u64::from(fee.0) + u64::from(tax.0);
        if side == Side::Bid && u128::from(all_in) * u128::from(order.energy_wh) > u128::from(most) {
            return Err(Refused::UnpaidBid);
        }
        let place = self.len(side);
        if place >= ORDERS_MAX {
            return Err(Refused::BookFull);
        }
        match side {
            Side::Bid => self.bids.push(order),
            Side::Ask => self.asks.push(order),
        }
        // Below ORDERS_MAX, so it fits.
        Ok(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// An order as it was entered, or `None` beyond the last.
    pub fn order(&self, side: Side, index: OrderIndex) -> Option<CallOrder> {
        let (columns, place) = (self.side(side), index as usize);
        let (party, since) = *columns.rank.get(place)?;
        Some(CallOrder {
            household: HouseholdId(columns.household[place]),
            party,
            energy_wh: columns.energy[place],
            limit: Price(columns.limit[place]),
            since,
            source: columns.source[place],
            money: columns.money[place],
        })
    }

    /// Asks that stand out of this call because their household bids in it: nobody
    /// trades with oneself, and nobody sells dear what one buys cheap in one breath.
    /// The operator is exempt: its two edges cannot meet (see [`super::clear()`]).
    pub fn asks_of_bidders(&self) -> Vec<OrderIndex> {
        fn households(side: &Columns) -> impl Iterator<Item = (u32, u32)> {
            let parties = side.household.iter().zip(&side.rank);
            (0u32..)
                .zip(parties)
                .filter(|(_, (_, (party, _)))| *party == Party::Household)
                .map(|(index, (household, _))| (index, *household))
        }
        // A bit for each remainder: household numbers are handed out one after another,
        // so almost nobody is suspected wrongly, and few are looked at twice.
        let bits = (8 * self.bids.household.len()).next_power_of_two().max(64);
        let place = |household: u32| (household as usize & (bits - 1)) / 64;
        let mask = |household: u32| 1u64 << (household % 64);
        let mut seen = vec![0u64; bits / 64];
        for (_, household) in households(&self.bids) {
            seen[place(household)] |= mask(household);
        }
        let suspects: Vec<(u32, u32)> = households(&self.asks)
            .filter(|(_, household)| seen[place(*household)] & mask(*household) != 0)
            .collect();
        if suspects.is_empty() {
            return Vec::new();
        }
        let suspected: FxHashSet<u32> = suspects.iter().map(|(_, household)| *household).collect();
        let both: FxHashSet<u32> = households(&self.bids)
            .map(|(_, household)| household)
            .filter(|household| suspected.contains(household))
            .collect();
        suspects
            .into_iter()
            .filter(|(_, household)| both.contains(household))
            .map(|(index, _)| index)
            .collect()
    }

    pub(crate) const fn side(&self, side: Side) -> &Columns {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }
}
