//! `jirani statement` and `jirani ledger ...`

use clap::{Args, Subcommand, ValueEnum};
use jirani_statement::Period;
use std::path::PathBuf;

/// Which days; one of the two.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct PeriodArguments {
    /// A month in Nairobi.
    #[arg(long, value_name = "2026-10", value_parser = month)]
    pub month: Option<Period>,
    /// A day, or days with both ends, in Nairobi; at most 366.
    #[arg(long, value_name = "2026-10-01..2026-10-15")]
    pub days: Option<Period>,
}

impl PeriodArguments {
    /// The one that was given.
    pub fn period(&self) -> Option<Period> {
        self.month.clone().or_else(|| self.days.clone())
    }
}

fn month(text: &str) -> Result<Period, String> {
    let period = text.parse::<Period>().map_err(|error| error.to_string())?;
    if text.len() == 7 { Ok(period) } else { Err("a month is written like 2026-10".to_owned()) }
}

/// `jirani statement`
#[derive(Args)]
pub struct StatementArguments {
    /// Whose.
    #[arg(long, value_name = "N")]
    pub household: u32,
    /// Over which days.
    #[command(flatten)]
    pub period: PeriodArguments,
    /// CSV for spreadsheets, PDF for people.
    #[arg(long, default_value = "csv")]
    pub format: StatementFormat,
    /// The household's own language without it.
    #[arg(long)]
    pub language: Option<StatementLanguage>,
    /// Where to write it; CSV goes to standard output without it.
    #[arg(long, value_name = "FILE", required_if_eq("format", "pdf"))]
    pub out: Option<PathBuf>,
}

/// Form of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatementFormat {
    /// Comma-separated values.
    Csv,
    /// Portable document.
    Pdf,
}

/// Language of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatementLanguage {
    /// English.
    En,
    /// Kiswahili.
    Sw,
}

/// `jirani ledger ...`
#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Reads the journal from its first row and names the first that does not hold.
    ///
    /// Checks the chain of hashes, every rule at every row, and the balances kept beside them.
    /// Prints the number of rows and the head: written down elsewhere, it shows later that
    /// history was not rewritten as a whole. Exits 1 when something does not hold.
    Verify,
    /// Every account that has rows: debits, credits, what is held, what is left.
    Accounts,
    /// One line per settled sale, for the tax invoice system (KRA's eTIMS and its like).
    ///
    /// Written only if its taxes are those of the ledger's taxes account, row by row.
    Tax(TaxArguments),
}

/// `jirani ledger tax`
#[derive(Args)]
pub struct TaxArguments {
    /// Over which days.
    #[command(flatten)]
    pub period: PeriodArguments,
    /// CSV has the lines; JSON also the totals and the taxes account.
    #[arg(long, default_value = "csv")]
    pub format: TaxFormat,
    /// Where to write it; standard output without it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Form of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaxFormat {
    /// Comma-separated values.
    Csv,
    /// One JSON object.
    Json,
}
