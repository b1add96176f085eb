//! Bills added up per day and month in Nairobi.

use super::slot::{Line, SlotBill};
use crate::nairobi;
use jirani_units::{Cents, Timestamp, Wh};
use std::collections::BTreeMap;

/// What bills are added up over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// `2026-11-23`, in Nairobi.
    Day,
    /// `2026-11`, in Nairobi.
    Month,
}

impl Period {
    /// The period that holds `at`.
    pub fn of(self, at: Timestamp) -> String {
        match self {
            Self::Day => nairobi::date(at),
            Self::Month => nairobi::month(at),
        }
    }
}

/// Sums over bills of one household.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Bought.
    pub bought: Wh,
    /// Sold.
    pub sold: Wh,
    /// Own energy used later.
    pub own_use: Wh,
    /// Energy that came to be owed.
    pub shortfall: Wh,
    /// Paid for what was bought, fee, tax and rounding included.
    pub paid: Cents,
    /// Of that, grid fee.
    pub fee: Cents,
    /// Of that, tax.
    pub tax: Cents,
    /// Received for what was sold.
    pub received: Cents,
    /// Retail of what came to be owed, less that of what was paid off: negative where more of an
    /// earlier debt was paid off than came to be owed.
    pub owed: Cents,
    /// Against the tariff alone.
    pub gain: Cents,
}

impl Total {
    /// Adds one slot.
    pub fn add(&mut self, bill: &SlotBill) {
        for line in &bill.lines {
            match line {
                Line::Bought { energy, due, fee, tax, .. } => {
                    self.bought.0 += energy.0;
                    self.paid.0 += due.0;
                    self.fee.0 += fee.0;
                    self.tax.0 += tax.0;
                }
                Line::Sold { energy, received, .. } => {
                    self.sold.0 += energy.0;
                    self.received.0 += received.0;
                }
                Line::OwnUse { energy, .. } => self.own_use.0 += energy.0,
                Line::Shortfall { energy, at_retail } => {
                    self.shortfall.0 += energy.0;
                    self.owed.0 += at_retail.0;
                }
                Line::PaidOff { at_retail, .. } => self.owed.0 -= at_retail.0,
            }
            self.gain.0 += line.gain().0;
        }
    }
}

/// Totals of one household's bills by period.
pub fn totals<'a>(bills: impl IntoIterator<Item = &'a SlotBill>, period: Period) -> BTreeMap<String, Total> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for bill in bills {
        totals.entry(period.of(bill.slot.start)).or_default().add(bill);
    }
    totals
}
