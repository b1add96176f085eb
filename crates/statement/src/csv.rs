//! A statement as CSV (RFC 4180, UTF-8, comma, CRLF): one row per line between the
//! opening and the closing. Columns are the same in every language; words are in the
//! reader's. `docs/statements.md` describes them.

use crate::compose::Statement;
use crate::error::StatementError;
use crate::period::second;
use crate::words::{Words, what};
use ::csv::{Terminator, Writer, WriterBuilder};
use jirani_store::Language;
use jirani_units::{Cents, Wh};
use std::io::Write;

/// Names of the columns.
pub const COLUMNS: [&str; 13] = [
    "time",
    "what",
    "order",
    "payout",
    "receipt",
    "bought_kwh",
    "sold_kwh",
    "in_cents",
    "out_cents",
    "balance_cents",
    "in",
    "out",
    "balance",
];

/// A writer of our form of CSV.
pub(crate) fn writer<W: Write>(to: W) -> Writer<W> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to)
}

/// It could not be written.
pub(crate) fn not_written(error: impl std::fmt::Display) -> StatementError {
    StatementError::NotWritten(error.to_string())
}

/// `1.250`, or nothing.
fn kwh(energy: Wh) -> String {
    if energy == Wh::ZERO { String::new() } else { format!("{}.{:03}", energy.0 / 1_000, energy.0 % 1_000) }
}

/// As people write it, or nothing.
fn money(amount: Cents) -> String {
    if amount == Cents::ZERO { String::new() } else { amount.to_string() }
}

/// Writes a statement, row by row.
pub fn write<W: Write>(statement: &Statement, language: Language, to: W) -> Result<(), StatementError> {
    let mut writer = writer(to);
    let mut row = |fields: [String; 13]| writer.write_record(&fields).map_err(not_written);
    row(COLUMNS.map(str::to_owned))?;
    let words = Words::of(language);
    let edge = |time, words: &str, balance: Cents| {
        let mut fields: [String; 13] = std::array::from_fn(|_| String::new());
        fields[0] = second(time);
        words.clone_into(&mut fields[1]);
        fields[9] = balance.0.to_string();
        fields[12] = balance.to_string();
        fields
    };
    row(edge(statement.period().from(), words.opening, statement.opening()))?;
    for line in statement.lines() {
        row([
            second(line.at),
            what(&line.what, language),
            line.what.order().map_or_else(String::new, |order| order.to_string()),
            line.what.payout().map_or_else(String::new, |payout| payout.to_string()),
            line.receipt.as_ref().map_or_else(String::new, ToString::to_string),
            kwh(line.bought),
            kwh(line.sold),
            line.money_in().0.to_string(),
            line.money_out().0.to_string(),
            line.balance.0.to_string(),
            money(line.money_in()),
            money(line.money_out()),
            line.balance.to_string(),
        ])?;
    }
    row(edge(statement.period().to(), words.closing, statement.closing()))?;
    writer.flush().map_err(not_written)
}
