//! The list of sales as CSV and as JSON: integers with the unit in the name.

use super::line::SaleLine;
use super::{Sums, TaxExport, TaxesAccount};
use crate::csv::{not_written, writer};
use crate::error::StatementError;
use jirani_store::PayWith;
use serde::Serialize;
use std::io::Write;

/// Names of the columns.
pub const COLUMNS: [&str; 14] = [
    "sale",
    "settled_at",
    "buyer",
    "seller",
    "seller_kind",
    "energy_wh",
    "price_cents_per_kwh",
    "net_cents",
    "fee_cents",
    "tax_cents",
    "rounding_cents",
    "gross_cents",
    "paid_with",
    "proof",
];

fn fields(line: &SaleLine) -> [String; 14] {
    [
        line.sale.clone(),
        line.settled_at.to_string(),
        line.buyer.to_string(),
        line.seller.to_string(),
        match line.seller_kind {
            super::line::SellerKind::Household => "household",
            super::line::SellerKind::Operator => "operator",
        }
        .to_owned(),
        line.energy_wh.0.to_string(),
        line.price_cents_per_kwh.0.to_string(),
        line.net_cents.0.to_string(),
        line.fee_cents.0.to_string(),
        line.tax_cents.0.to_string(),
        line.rounding_cents.0.to_string(),
        line.gross_cents.0.to_string(),
        match line.paid_with {
            PayWith::Mpesa => "mpesa",
            PayWith::Balance => "balance",
        }
        .to_owned(),
        line.proof.clone(),
    ]
}

/// CSV: the neighbours' sales, then the operator's own.
pub fn csv<W: Write>(export: &TaxExport, to: W) -> Result<(), StatementError> {
    let mut writer = writer(to);
    writer.write_record(COLUMNS).map_err(not_written)?;
    for line in export.neighbours().iter().chain(export.operator()) {
        writer.write_record(fields(line)).map_err(not_written)?;
    }
    writer.flush().map_err(not_written)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    period: &'a str,
    from: String,
    to: String,
    taxes_account: TaxesAccount,
    totals: Totals,
    sales: &'a [SaleLine],
    operator_sales: &'a [SaleLine],
}

#[derive(Serialize)]
struct Totals {
    sales: Sums,
    operator_sales: Sums,
    all: Sums,
}

/// JSON: one object with the totals, the taxes account and both lists.
pub fn json<W: Write>(export: &TaxExport, mut to: W) -> Result<(), StatementError> {
    let (sales, operator_sales, all) = export.sums();
    let document = Document {
        version: 1,
        period: export.period().label(),
        from: export.period().from().to_string(),
        to: export.period().to().to_string(),
        taxes_account: export.account(),
        totals: Totals { sales, operator_sales, all },
        sales: export.neighbours(),
        operator_sales: export.operator(),
    };
    serde_json::to_writer(&mut to, &document).map_err(not_written)?;
    to.write_all(b"\n").map_err(not_written)?;
    to.flush().map_err(not_written)
}
