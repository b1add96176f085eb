//! Who fills an order: the cheapest offers first, the older first among equals.
//!
//! An order has at most four fills. If the cheapest four are too small together,
//! the smallest of them gives way to the next offer, and so on: dust at a low price
//! cannot keep others from trading.

use crate::error::MarketError;
use crate::fill::{FILLS_MAX, Fill, Shares, shares};
use crate::limits::unpaid_share_left;
use crate::tariff::Tariff;
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};

/// What a buyer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// So much energy, no less.
    Energy(Wh),
    /// As much energy as this money buys, fee and tax included.
    Budget(Cents),
}

/// An open offer, seen by one buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The offer.
    pub offer: OfferId,
    /// Whose.
    pub seller: HouseholdId,
    /// Energy offered in the beginning; the buyer's share is taken of this.
    pub energy: Wh,
    /// Energy that may still be taken.
    pub open: Wh,
    /// Energy that this buyer's orders hold until their receipts come.
    pub held_by_buyer: Wh,
    /// The seller's net price.
    pub price: Price,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Fills and their cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Cheapest first; at most [`FILLS_MAX`].
    pub fills: Vec<Fill>,
    /// What they cost and who gets it.
    pub shares: Shares,
}

/// So much of an offer this order may take, and what a kWh of it costs the buyer.
#[derive(Clone, Copy)]
struct Lot {
    candidate: Candidate,
    most_wh: u32,
    all_in: Price,
}

/// Chooses fills among `candidates` for `buyer`. Never the buyer's own offers, nor one
/// whose price a change of the tariff left outside its bounds: dearer than retail, or
/// less for its seller than buy-back. `until_receipt`: the order will hold its energy until a
/// receipt comes, so the limit on unpaid shares applies; an order from balance is
/// paid at once and exempt.
pub fn select(
    candidates: &[Candidate],
    buyer: HouseholdId,
    want: Want,
    tariff: &Tariff,
    until_receipt: bool,
) -> Result<Selection, MarketError> {
    match want {
        Want::Energy(Wh(0)) => return Err(MarketError::NothingWanted),
        Want::Budget(budget) if !budget.is_positive() => return Err(MarketError::NothingWanted),
        _ => {}
    }
    let lots = lots(candidates, buyer, tariff, until_receipt);
    if lots.is_empty() {
        let unlimited = self::lots(candidates, buyer, tariff, false);
        return Err(if unlimited.is_empty() {
            MarketError::NothingOnOffer
        } else {
            MarketError::UnpaidShare { available: Wh::ZERO }
        });
    }
    let fills = match want {
        Want::Energy(energy) => match by_energy(&lots, energy) {
            Ok(fills) => fills,
            Err(available) => {
                let unlimited = self::lots(candidates, buyer, tariff, false);
                return Err(if by_energy(&unlimited, energy).is_ok() {
                    MarketError::UnpaidShare { available }
                } else {
                    MarketError::NotEnough { available }
                });
            }
        },
        Want::Budget(budget) => by_budget(&lots, budget)?,
    };
    let shares = shares(&fills, tariff.grid_fee, tariff.tax)?;
    Ok(Selection { fills, shares })
}

/// Usable offers, cheapest first, older first among equals.
fn lots(candidates: &[Candidate], buyer: HouseholdId, tariff: &Tariff, until_receipt: bool) -> Vec<Lot> {
    let mut lots: Vec<Lot> = candidates
        .iter()
        .filter(|candidate| candidate.seller != buyer && tariff.allows(candidate.price))
        .filter_map(|candidate| {
            let most = if until_receipt {
                candidate.open.min(unpaid_share_left(candidate.energy, candidate.held_by_buyer))
            } else {
                candidate.open
            };
            let most_wh = u32::try_from(most.0).unwrap_or(u32::MAX);
            let all_in = tariff.all_in(candidate.price);
            (most_wh > 0).then_some(Lot { candidate: *candidate, most_wh, all_in })
        })
        .collect();
    lots.sort_by_key(|lot| (lot.candidate.price, lot.candidate.created_at, lot.candidate.offer));
    lots
}

/// The lots that an order could be made of, after each look at one more: in order
/// of price, the smallest one left out when there are too many (of equals, the
/// dearest).
fn hands(lots: &[Lot]) -> impl Iterator<Item = Vec<Lot>> + '_ {
    lots.iter().scan(Vec::with_capacity(FILLS_MAX + 1), |hand: &mut Vec<Lot>, lot| {
        hand.push(*lot);
        if hand.len() > FILLS_MAX {
            let smallest = hand.iter().enumerate().rev().min_by_key(|(_, lot)| lot.most_wh);
            if let Some((place, _)) = smallest {
                hand.remove(place);
            }
        }
        Some(hand.clone())
    })
}

fn fill(lot: &Lot, energy_wh: u32) -> Fill {
    let Candidate { offer, seller, price, .. } = lot.candidate;
    Fill { offer, seller, energy_wh, price }
}

/// Fills of `energy` in all, or the most that there is.
fn by_energy(lots: &[Lot], energy: Wh) -> Result<Vec<Fill>, Wh> {
    let mut most = 0;
    for hand in hands(lots) {
        let sum: u64 = hand.iter().map(|lot| u64::from(lot.most_wh)).sum();
        most = most.max(sum);
        if sum < energy.0 {
            continue;
        }
        let mut left = energy.0;
        let mut fills = Vec::with_capacity(hand.len());
        for lot in &hand {
            // `left` below `most_wh` fits 32 bits.
            let take = u32::try_from(left).unwrap_or(u32::MAX).min(lot.most_wh);
            if take > 0 {
                fills.push(fill(lot, take));
                left -= u64::from(take);
            }
        }
        return Ok(fills);
    }
    Err(Wh(most))
}

/// The most energy whose due is within `budget`.
fn by_budget(lots: &[Lot], budget: Cents) -> Result<Vec<Fill>, MarketError> {
    // due <= budget, with due = ceil(sum / 1000), is the same as sum <= 1000 x budget.
    let money = u64::try_from(budget.0).ok().and_then(|cents| cents.checked_mul(1000));
    let money = money.ok_or(MarketError::TooLarge)?;
    let mut best: (u64, Vec<Fill>) = (0, Vec::new());
    for hand in hands(lots) {
        let mut left = money;
        let mut fills = Vec::with_capacity(hand.len());
        for lot in &hand {
            let affordable = left.checked_div(u64::from(lot.all_in.0)).unwrap_or(u64::MAX);
            let take = u32::try_from(affordable).unwrap_or(u32::MAX).min(lot.most_wh);
            if take > 0 {
                fills.push(fill(lot, take));
                left -= lot.all_in.millicents(take);
            }
            if take < lot.most_wh {
                break;
            }
        }
        let energy = crate::fill::energy(&fills).0;
        if energy > best.0 {
            best = (energy, fills);
        }
    }
    if best.1.is_empty() { Err(MarketError::BudgetTooSmall) } else { Ok(best.1) }
}
