//! Fills of an order and what they cost.

use crate::error::MarketError;
use crate::tariff::Tariff;
use jirani_units::{Cents, HouseholdId, OfferId, Price, Wh};
use serde::{Deserialize, Serialize};

pub use crate::select::{Candidate, Selection, Want, select};

/// The most fills an order may have: it settles as one transaction.
pub const FILLS_MAX: usize = 4;

/// One part of an order: so much of one offer at its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The offer.
    pub offer: OfferId,
    /// Whose offer.
    pub seller: HouseholdId,
    /// Energy, above zero.
    pub energy_wh: u32,
    /// The seller's net price.
    pub price: Price,
}

/// Where an order's due goes; the parts add up to `due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// What the buyer owes.
    pub due: Cents,
    /// One entry per fill, in order.
    pub sellers: Vec<(HouseholdId, Cents)>,
    /// Grid fee.
    pub fee: Cents,
    /// Tax.
    pub tax: Cents,
    /// What is left over.
    pub rounding: Cents,
}

/// Energy of all fills.
pub fn energy(fills: &[Fill]) -> Wh {
    // At most four 32-bit numbers are ever added in an order; the sum cannot wrap.
    fills.iter().fold(Wh::ZERO, |sum, fill| Wh(sum.0.saturating_add(u64::from(fill.energy_wh))))
}

/// What the buyer owes and who gets it. The due is rounded up, once; every part is
/// rounded down; what is left over (at most 6 cents) is named.
pub fn shares(fills: &[Fill], fee: Price, tax: Price) -> Result<Shares, MarketError> {
    if fills.is_empty() || fills.len() > FILLS_MAX || fills.iter().any(|fill| fill.energy_wh == 0) {
        return Err(MarketError::InvalidFills);
    }
    let due = due(fills.iter().map(|fill| (fill.price, fill.energy_wh)), fee, tax)?;
    let sellers = fills
        .iter()
        .map(|fill| Ok((fill.seller, cents(fill.price.millicents(fill.energy_wh) / 1000)?)))
        .collect::<Result<Vec<_>, MarketError>>()?;
    let energy = energy(fills).0;
    let part = |price: Price| {
        energy.checked_mul(u64::from(price.0)).ok_or(MarketError::TooLarge).and_then(|sum| cents(sum / 1000))
    };
    let (fee, tax) = (part(fee)?, part(tax)?);
    let given: Cents = sellers.iter().map(|(_, cents)| *cents).chain([fee, tax]).sum();
    let rounding = due.checked_sub(given).ok_or(MarketError::TooLarge)?;
    Ok(Shares { due, sellers, fee, tax, rounding })
}

/// What the operator would take for the same energy, by the same function.
pub fn retail_cost(tariff: &Tariff, fills: &[Fill]) -> Result<Cents, MarketError> {
    due(fills.iter().map(|fill| (tariff.retail, fill.energy_wh)), Price(0), Price(0))
}

/// What M-Pesa is asked for: `due` in whole shillings, rounded up. The difference
/// becomes the buyer's balance.
pub fn collect(due: Cents) -> Result<Cents, MarketError> {
    Cents::from_shillings(due.shillings_up()).ok_or(MarketError::TooLarge)
}

/// Prices with fee and tax times energies, summed exactly, rounded up once.
fn due(lots: impl Iterator<Item = (Price, u32)>, fee: Price, tax: Price) -> Result<Cents, MarketError> {
    let mut sum: u64 = 0;
    for (price, energy_wh) in lots {
        let all_in = price.checked_add(fee).and_then(|price| price.checked_add(tax));
        let lot = all_in.ok_or(MarketError::TooLarge)?.millicents(energy_wh);
        sum = sum.checked_add(lot).ok_or(MarketError::TooLarge)?;
    }
    cents(sum.div_ceil(1000))
}

fn cents(amount: u64) -> Result<Cents, MarketError> {
    i64::try_from(amount).map(Cents).map_err(|_| MarketError::TooLarge)
}
