//! The bill of one household and slot.

use crate::error::MarketError;
use crate::fill::{Fill, Shares, energy, retail_cost, shares};
use crate::schedule::Terms;
use crate::tariff::Tariff;
use jirani_units::{Cents, HouseholdId, Price, Slot, Wh};
use serde::{Deserialize, Serialize};

/// An order that was settled: what a bill is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Who bought.
    pub buyer: HouseholdId,
    /// Of whom, how much, at what price.
    pub fills: Vec<Fill>,
    /// Fee, tax, retail and buy-back when it was placed.
    pub terms: Terms,
}

impl Trade {
    /// What it cost and who got it.
    pub fn shares(&self) -> Result<Shares, MarketError> {
        shares(&self.fills, self.terms.grid_fee, self.terms.tax)
    }
}

/// A household's energy in one slot. Holdings are tokens in the vault and in offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Drawn from the grid.
    pub import: Wh,
    /// Pushed into it.
    pub export: Wh,
    /// Tokens at the slot's beginning.
    pub holding_before: Wh,
    /// Tokens after the slot's attestation and trades.
    pub holding_after: Wh,
    /// Energy owed at the slot's beginning.
    pub shortfall_before: Wh,
    /// Energy owed after the slot's attestation and trades.
    pub shortfall_after: Wh,
    /// Of the holding before, what was bought and not used yet: [`SlotBill::bought_left`]
    /// of the slot before.
    pub bought_before: Wh,
}

/// One line of a bill. A gain is in cents against the tariff alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Bought of neighbours or the operator.
    Bought {
        /// Sellers, with energy and net price.
        from: Vec<(HouseholdId, Wh, Price)>,
        /// In all.
        energy: Wh,
        /// Paid, fee, tax and rounding included.
        due: Cents,
        /// Of that, grid fee.
        fee: Cents,
        /// Of that, tax.
        tax: Cents,
        /// Retail for the same lot, less what was paid.
        gain: Cents,
    },
    /// Sold to a neighbour or the operator.
    Sold {
        /// Buyer.
        to: HouseholdId,
        /// Energy.
        energy: Wh,
        /// Net price.
        price: Price,
        /// Received.
        received: Cents,
        /// Received, less buy-back for the same lot when the order was placed.
        gain: Cents,
    },
    /// Own energy that was pushed before and drawn now.
    OwnUse {
        /// Energy.
        energy: Wh,
        /// Retail less buy-back.
        gain: Cents,
    },
    /// Drawn without a token: owed, at retail like with the tariff alone.
    Shortfall {
        /// Energy that came to be owed.
        energy: Wh,
        /// What it costs of the operator.
        at_retail: Cents,
    },
    /// Less is owed than before: tokens that were bought or pushed went to a debt of an
    /// earlier slot. Their line says what they cost, so the debt's retail counts no more.
    PaidOff {
        /// Energy that is owed no more.
        energy: Wh,
        /// Retail of that energy, taken off what is owed.
        at_retail: Cents,
    },
}

impl Line {
    /// Cents against the tariff alone; negative if the market was worse.
    pub const fn gain(&self) -> Cents {
        match self {
            Self::Bought { gain, .. } | Self::Sold { gain, .. } | Self::OwnUse { gain, .. } => *gain,
            Self::Shortfall { .. } | Self::PaidOff { .. } => Cents::ZERO,
        }
    }
}

/// Why there is no bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// Tokens came from nowhere or went nowhere.
    #[error("bill.not_conserved: the household's tokens do not follow from its energy and trades; audit E2")]
    NotConserved,
    /// A trade that cannot be counted.
    #[error(transparent)]
    Trade(#[from] MarketError),
}

/// Whether a bill is never worse than the tariff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Line by line.
    Holds,
    /// A line is worse by so much: its price was outside the bounds of its slot.
    Broken {
        /// Place in [`SlotBill::lines`].
        line: usize,
        /// Cents lost.
        by: Cents,
    },
}

/// The bill of one household and slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotBill {
    /// Whose.
    pub household: HouseholdId,
    /// Which slot.
    pub slot: Slot,
    /// Drawn from the grid.
    pub import: Wh,
    /// Pushed into it.
    pub export: Wh,
    /// Trades, own use, shortfall or what was paid off of it.
    pub lines: Vec<Line>,
    /// Bought energy that is still held.
    pub bought_left: Wh,
}

impl SlotBill {
    /// Makes a bill of a slot's energy and the trades that were settled in it.
    /// `tariff`: in force at the slot's start; what a trade is compared with are its own
    /// terms, those of the moment at which its order was placed.
    pub fn new(
        household: HouseholdId,
        slot: Slot,
        tariff: &Tariff,
        flow: &Flow,
        trades: &[Trade],
    ) -> Result<Self, BillError> {
        let mut lines = Vec::new();
        let (mut bought, mut sold) = (0u64, 0u64);
        for trade in trades {
            if trade.buyer == household {
                let line = buy(trade)?;
                bought += energy(&trade.fills).0;
                lines.push(line);
            }
            for fill in trade.fills.iter().filter(|fill| fill.seller == household) {
                sold += u64::from(fill.energy_wh);
                lines.push(sell(trade.buyer, fill, trade.terms.buy_back));
            }
        }
        let burned = burned(flow, bought, sold).ok_or(BillError::NotConserved)?;
        // What was bought is used first: own use is never overstated.
        let of_bought = burned.min(flow.bought_before.0 + bought);
        let own = Wh(burned - of_bought);
        if own > Wh::ZERO {
            let spread = u64::from(tariff.retail.0.saturating_sub(tariff.buy_back.0));
            lines.push(Line::OwnUse { energy: own, gain: cents(spread, own.0) });
        }
        let owed = flow.shortfall_after.saturating_sub(flow.shortfall_before);
        if owed > Wh::ZERO {
            lines.push(Line::Shortfall { energy: owed, at_retail: at_retail(tariff, owed) });
        }
        let paid_off = flow.shortfall_before.saturating_sub(flow.shortfall_after);
        if paid_off > Wh::ZERO {
            lines.push(Line::PaidOff { energy: paid_off, at_retail: at_retail(tariff, paid_off) });
        }
        let bought_left = Wh(flow.bought_before.0 + bought - of_bought).min(flow.holding_after);
        Ok(Self { household, slot, import: flow.import, export: flow.export, lines, bought_left })
    }

    /// Cents against the tariff alone.
    pub fn gain(&self) -> Cents {
        self.lines.iter().map(Line::gain).sum()
    }

    /// Checks the promise, line by line.
    pub fn guarantee(&self) -> Guarantee {
        match self.lines.iter().position(|line| line.gain().0 < 0) {
            Some(line) => Guarantee::Broken { line, by: Cents(-self.lines[line].gain().0) },
            None => Guarantee::Holds,
        }
    }
}

/// Tokens burned for this household's energy; `None` where the books do not add up.
fn burned(flow: &Flow, bought: u64, sold: u64) -> Option<u64> {
    // import - burned = growth of what is owed; holding grows by export + bought - sold - burned.
    let burned = (flow.import.0.checked_add(flow.shortfall_before.0)?).checked_sub(flow.shortfall_after.0)?;
    let came = flow.holding_before.0.checked_add(flow.export.0)?.checked_add(bought)?;
    (came == flow.holding_after.0.checked_add(sold)?.checked_add(burned)?).then_some(burned)
}

fn buy(trade: &Trade) -> Result<Line, MarketError> {
    let parts = trade.shares()?;
    let retail = Tariff {
        retail: trade.terms.retail,
        buy_back: trade.terms.buy_back,
        grid_fee: trade.terms.grid_fee,
        tax: trade.terms.tax,
    };
    let alone = retail_cost(&retail, &trade.fills)?;
    Ok(Line::Bought {
        from: trade
            .fills
            .iter()
            .map(|fill| (fill.seller, Wh(u64::from(fill.energy_wh)), fill.price))
            .collect(),
        energy: energy(&trade.fills),
        due: parts.due,
        fee: parts.fee,
        tax: parts.tax,
        gain: Cents(alone.0 - parts.due.0),
    })
}

fn sell(to: HouseholdId, fill: &Fill, buy_back: Price) -> Line {
    let energy_wh = u64::from(fill.energy_wh);
    let received = cents(u64::from(fill.price.0), energy_wh);
    let alone = cents(u64::from(buy_back.0), energy_wh);
    Line::Sold { to, energy: Wh(energy_wh), price: fill.price, received, gain: Cents(received.0 - alone.0) }
}

/// What is owed costs like an order of the operator: rounded up.
fn at_retail(tariff: &Tariff, energy: Wh) -> Cents {
    let cents = (u128::from(energy.0) * u128::from(tariff.retail.0)).div_ceil(1_000);
    Cents(i64::try_from(cents).unwrap_or(i64::MAX))
}

/// Rounded down, like every share of an order.
fn cents(price: u64, energy_wh: u64) -> Cents {
    let cents = u128::from(price) * u128::from(energy_wh) / 1_000;
    Cents(i64::try_from(cents).unwrap_or(i64::MAX))
}
