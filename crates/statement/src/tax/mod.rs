//! The operator's list of sales for the tax invoice system (KRA's eTIMS and its
//! like): one line per settled sale.
//!
//! Promises: every settled order of the period is there, its lines make its due to
//! the cent, and the taxes of the lines are the tax rows of the ledger's taxes account,
//! one by one. `docs/statements.md` describes the files.

pub mod gather;
pub mod line;
pub mod write;

pub use gather::tax_export;
pub use line::{SaleLine, lines};

use crate::period::Period;
use jirani_units::{Cents, Wh};
use serde::Serialize;

/// The most lines of one list.
pub const LINES_MAX: usize = 500_000;

/// Sums over lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Lines.
    pub lines: u64,
    /// Energy, in Wh.
    pub energy_wh: Wh,
    /// What the sellers received.
    pub net_cents: Cents,
    /// Grid fee.
    pub fee_cents: Cents,
    /// Tax.
    pub tax_cents: Cents,
    /// What the ceilings left over.
    pub rounding_cents: Cents,
    /// What the buyers paid.
    pub gross_cents: Cents,
}

impl Sums {
    fn add(&mut self, line: &SaleLine) {
        self.lines += 1;
        self.energy_wh.0 += line.energy_wh.0;
        self.net_cents.0 += line.net_cents.0;
        self.fee_cents.0 += line.fee_cents.0;
        self.tax_cents.0 += line.tax_cents.0;
        self.rounding_cents.0 += line.rounding_cents.0;
        self.gross_cents.0 += line.gross_cents.0;
    }
}

/// What moved on the ledger's taxes account in the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TaxesAccount {
    /// Taxes of settled sales: the lines' tax, row by row.
    pub sales_cents: Cents,
    /// Tax rows.
    pub rows: u64,
    /// Paid to the state.
    pub paid_cents: Cents,
    /// Any other movement, such as corrections: credits less debits.
    pub other_cents: Cents,
}

/// A proven list of sales. Made by [`tax_export`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxExport {
    period: Period,
    neighbours: Vec<SaleLine>,
    operator: Vec<SaleLine>,
    account: TaxesAccount,
}

impl TaxExport {
    /// The period.
    pub const fn period(&self) -> &Period {
        &self.period
    }

    /// Sales of one household to another.
    pub fn neighbours(&self) -> &[SaleLine] {
        &self.neighbours
    }

    /// The operator's own sales.
    pub fn operator(&self) -> &[SaleLine] {
        &self.operator
    }

    /// The taxes account over the period.
    pub const fn account(&self) -> TaxesAccount {
        self.account
    }

    /// Sums of neighbours' sales, of the operator's own, and of both.
    pub fn sums(&self) -> (Sums, Sums, Sums) {
        let (mut neighbours, mut operator, mut all) = (Sums::default(), Sums::default(), Sums::default());
        for line in &self.neighbours {
            neighbours.add(line);
            all.add(line);
        }
        for line in &self.operator {
            operator.add(line);
            all.add(line);
        }
        (neighbours, operator, all)
    }
}
