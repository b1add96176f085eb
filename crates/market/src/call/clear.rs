//! One price for a slot, and who trades at it.
//!
//! Prices are whole cents within the tariff, so energy is counted per price level
//! instead of sorting orders: one pass over both sides, one over the levels, one to
//! hand out the fills. Only orders at the very price of the clearing can be told apart
//! by priority, so only they are ever ordered: household before operator, older before
//! younger, then the draw, then the order of entry.
//!
//! **Price.** Let D(p) be the energy of bids at p or above, S(p) that of asks at p or
//! below. The volume V is the most that min(D, S) reaches. Prices at which V trades
//! and nobody with a better limit is left out form one interval; the price is its
//! middle, rounded down to a cent.
//!
//! **The operator's edges.** It bids at buy-back and asks at retail less fee and tax.
//! Where a tariff makes both one price, the operator stands only on the side that
//! households are short of: it never trades with itself.

use super::book::{Book, Columns, OrderIndex, Party};
use super::draw::Draw;
use jirani_units::{HouseholdId, Price};

/// So much energy from one ask to one bid, at the price of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Who buys.
    pub bid: OrderIndex,
    /// Who sells.
    pub ask: OrderIndex,
    /// Energy, above zero.
    pub energy_wh: u32,
}

/// What a call decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The one price, the seller's net; `None` when nobody trades.
    pub price: Option<Price>,
    /// Energy traded, in Wh.
    pub volume_wh: u64,
    /// Who sells to whom, by bid and then ask in the order of entry.
    pub lots: Vec<Lot>,
    /// Asks that stood out because their household bid in the same call.
    pub stood_out: Vec<OrderIndex>,
}

/// Clears the book. The same book and draw give the same outcome, and what each order
/// gets does not depend on the order of entry but where one household holds two
/// orders of the same price and moment.
pub fn clear(book: &Book, draw: &Draw) -> Outcome {
    let stood_out = book.asks_of_bidders();
    let mut in_asks = Vec::new();
    let asks = if stood_out.is_empty() {
        Standing { columns: &book.asks, without: &[] }
    } else {
        in_asks.resize(book.asks.limit.len(), false);
        for index in &stood_out {
            in_asks[*index as usize] = true;
        }
        Standing { columns: &book.asks, without: &in_asks }
    };
    let bids = Standing { columns: &book.bids, without: &[] };
    let Some(levels) = Levels::count(&bids, &asks, book) else {
        return Outcome { stood_out, ..Outcome::default() };
    };
    let Some((price, volume)) = levels.equilibrium() else {
        return Outcome { stood_out, ..Outcome::default() };
    };
    let buys = bids.takes(price, volume, |limit| limit > price, draw, levels.left_out == Some(Left::Bids));
    let sells = asks.takes(price, volume, |limit| limit < price, draw, levels.left_out == Some(Left::Asks));
    Outcome { price: Some(Price(price)), volume_wh: volume, lots: pair(&buys, &sells), stood_out }
}

/// One side with the orders that take part.
struct Standing<'a> {
    columns: &'a Columns,
    /// By index: stands out. Empty when nobody does.
    without: &'a [bool],
}

/// The operator's orders on one side, left out where its edges meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Bids,
    Asks,
}

/// Energy per price level within the range where both sides meet.
struct Levels {
    lowest: u32,
    demand: Vec<u64>,
    supply: Vec<u64>,
    left_out: Option<Left>,
}

impl Levels {
    /// `None` when no bid reaches any ask.
    fn count(bids: &Standing<'_>, asks: &Standing<'_>, book: &Book) -> Option<Self> {
        let tariff = book.tariff();
        let one_price = tariff.offer_price_min() == tariff.offer_price_max();
        let left_out = one_price.then(|| {
            if bids.energy_of_households() >= asks.energy_of_households() { Left::Bids } else { Left::Asks }
        });
        let (no_bids, no_asks) = (left_out == Some(Left::Bids), left_out == Some(Left::Asks));
        let (_, highest) = bids.range(no_bids)?;
        let (lowest, _) = asks.range(no_asks)?;
        if lowest > highest {
            return None;
        }
        let size = (highest - lowest) as usize + 1;
        let (mut demand, mut supply) = (vec![0u64; size], vec![0u64; size]);
        bids.each(no_bids, |limit, energy| {
            if limit >= lowest {
                demand[(limit - lowest) as usize] += u64::from(energy);
            }
        });
        asks.each(no_asks, |limit, energy| {
            if limit <= highest {
                supply[(limit - lowest) as usize] += u64::from(energy);
            }
        });
        Some(Self { lowest, demand, supply, left_out })
    }

    /// Price and volume, or `None` when nothing trades.
    fn equilibrium(&self) -> Option<(u32, u64)> {
        let all_demand: u64 = self.demand.iter().sum();
        let (mut above, mut below, mut volume) = (all_demand, 0u64, 0u64);
        for (demand, supply) in self.demand.iter().zip(&self.supply) {
            below += supply;
            volume = volume.max(above.min(below));
            above -= demand;
        }
        if volume == 0 {
            return None;
        }
        // At each level: `above` = D(p), `above - demand` = D beyond p; `below` likewise.
        let (mut first, mut last) = (None, 0);
        let (mut above, mut below) = (all_demand, 0u64);
        for (level, (demand, supply)) in (0u32..).zip(self.demand.iter().zip(&self.supply)) {
            let better_asks = below;
            below += supply;
            let better_bids = above - demand;
            if better_bids <= volume && volume <= above && better_asks <= volume && volume <= below {
                first.get_or_insert(level);
                last = level;
            }
            above = better_bids;
        }
        let first = first?;
        Some((self.lowest + first + (last - first) / 2, volume))
    }
}

impl Standing<'_> {
    fn absent(&self, place: usize, without_operator: bool) -> bool {
        self.without.get(place).copied().unwrap_or(false)
            || without_operator && self.columns.rank[place].0 == Party::Operator
    }

    /// Calls `with` (limit, energy) for every order that takes part.
    fn each(&self, without_operator: bool, mut with: impl FnMut(u32, u32)) {
        let pairs = self.columns.limit.iter().zip(&self.columns.energy);
        if self.without.is_empty() && !without_operator {
            pairs.for_each(|(limit, energy)| with(*limit, *energy));
        } else {
            for (place, (limit, energy)) in pairs.enumerate() {
                if !self.absent(place, without_operator) {
                    with(*limit, *energy);
                }
            }
        }
    }

    /// Lowest and highest limit; `None` when nobody takes part.
    fn range(&self, without_operator: bool) -> Option<(u32, u32)> {
        let (mut lowest, mut highest) = (u32::MAX, 0);
        self.each(without_operator, |limit, _| {
            lowest = lowest.min(limit);
            highest = highest.max(limit);
        });
        (lowest <= highest).then_some((lowest, highest))
    }

    fn energy_of_households(&self) -> u64 {
        let mut sum = 0;
        self.each(true, |_, energy| sum += u64::from(energy));
        sum
    }

    /// What each order takes of `volume`, in the order of entry: all of those that are
    /// `better` than the price, then those at the price by priority.
    fn takes(
        &self,
        price: u32,
        volume: u64,
        better: impl Fn(u32) -> bool,
        draw: &Draw,
        without_operator: bool,
    ) -> Vec<(OrderIndex, u32)> {
        let all = self.without.is_empty() && !without_operator;
        let mut takes = Vec::with_capacity(self.columns.limit.len());
        let mut marginal = Vec::new();
        let mut left = volume;
        for (index, (&limit, &energy)) in (0u32..).zip(self.columns.limit.iter().zip(&self.columns.energy)) {
            let (better, at_the_price) = (better(limit), limit == price);
            if (better || at_the_price) && (all || !self.absent(index as usize, without_operator)) {
                if better {
                    left -= u64::from(energy);
                } else {
                    marginal.push(index);
                }
                takes.push((index, energy));
            }
        }
        let wanted: u64 = marginal.iter().map(|index| u64::from(self.columns.energy[*index as usize])).sum();
        if wanted > left {
            self.ration(&mut takes, marginal, left, draw);
        }
        takes
    }

    /// Cuts what the `marginal` orders take to `left` in all.
    fn ration(
        &self,
        takes: &mut Vec<(OrderIndex, u32)>,
        mut marginal: Vec<OrderIndex>,
        mut left: u64,
        draw: &Draw,
    ) {
        let rank = |index: OrderIndex| self.columns.rank[index as usize];
        let energy = |index: OrderIndex| self.columns.energy[index as usize];
        marginal.sort_by_key(|index| rank(*index));
        let mut granted: Vec<(OrderIndex, u32)> = Vec::new();
        for equals in marginal.chunk_by(|one, other| rank(*one) == rank(*other)) {
            let wanted: u64 = equals.iter().map(|index| u64::from(energy(*index))).sum();
            // Who is served before whom matters only where not all are served.
            let ticket = |index: &OrderIndex| {
                if wanted > left && left > 0 {
                    draw.ticket(HouseholdId(self.columns.household[*index as usize]))
                } else {
                    0
                }
            };
            let mut served: Vec<(u128, OrderIndex)> =
                equals.iter().map(|index| (ticket(index), *index)).collect();
            served.sort_unstable();
            for (_, index) in served {
                // `left` below an order's energy fits 32 bits.
                let take = u32::try_from(left).unwrap_or(u32::MAX).min(energy(index));
                left -= u64::from(take);
                granted.push((index, take));
            }
        }
        granted.sort_unstable_by_key(|(index, _)| *index);
        let mut granted = granted.into_iter().peekable();
        for take in takes.iter_mut() {
            if let Some((_, energy)) = granted.next_if(|(index, _)| *index == take.0) {
                take.1 = energy;
            }
        }
        takes.retain(|(_, energy)| *energy > 0);
    }
}

/// Two pointers: each bid is served by as few asks as their order allows.
fn pair(buys: &[(OrderIndex, u32)], sells: &[(OrderIndex, u32)]) -> Vec<Lot> {
    let mut lots = Vec::with_capacity(buys.len() + sells.len());
    let mut sells = sells.iter().copied();
    let mut ask = sells.next();
    for &(bid, mut wanted) in buys {
        while wanted > 0 {
            let Some((index, has)) = ask else { return lots };
            let energy_wh = wanted.min(has);
            lots.push(Lot { bid, ask: index, energy_wh });
            wanted -= energy_wh;
            ask = if has == energy_wh { sells.next() } else { Some((index, has - energy_wh)) };
        }
    }
    lots
}

impl Outcome {
    /// Surplus of all trades over the limits, in thousandths of a cent.
    pub fn welfare_millicents(&self, book: &Book) -> u128 {
        let worth = |lot: &Lot| {
            let (bid, ask) = (book.bids.limit[lot.bid as usize], book.asks.limit[lot.ask as usize]);
            u128::from(bid.saturating_sub(ask)) * u128::from(lot.energy_wh)
        };
        self.lots.iter().map(worth).sum()
    }
}
