//! `jirani forecast ...`

use clap::{Args, Subcommand, ValueEnum};
use jirani_forecast::Place;
use jirani_forecast::learn::Target;
use jirani_units::Timestamp;
use std::path::PathBuf;

/// `jirani forecast ...`
#[derive(Subcommand)]
pub enum ForecastCommand {
    /// Forecasts every day of a file's last days with only what was known then, and judges it.
    ///
    /// Beside it stand what was at the same time yesterday and over 28 days. Prints losses and
    /// coverage by horizon; --report writes a page with plots. docs/forecast.md explains the words.
    Backtest(BacktestArguments),
    /// Says what moved the forecast of one slot: each column and the Wh that it added.
    Explain(ExplainArguments),
}

/// What is learned from.
#[derive(Args)]
pub struct DataArguments {
    /// CSV with timestamp_utc, household, pv_kwh and/or load_kwh; pv_kwp and weather if known.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Where the homes are; without it nothing is known of the sun.
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub place: Option<Place>,
    /// Hours that clocks there are ahead of UTC; by the place without it.
    #[arg(long, value_name = "HOURS", allow_hyphen_values = true, value_parser = clap::value_parser!(i64).range(-12..=14))]
    pub clock: Option<i64>,
    /// What is forecast.
    #[arg(long, default_value = "load")]
    pub target: ForecastTarget,
    /// A home that is left out; may be given several times.
    #[arg(long, value_name = "HOUSEHOLD")]
    pub without: Vec<String>,
    /// Trees per level.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub rounds: u16,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
}

/// `jirani forecast backtest`
#[derive(Args)]
pub struct BacktestArguments {
    /// The file and how it is learned from.
    #[command(flatten)]
    pub data: DataArguments,
    /// Days at the file's end that are tested.
    #[arg(long, default_value_t = 90, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=366))]
    pub days: i64,
    /// Days that each forecast looks ahead.
    #[arg(long, default_value_t = 2, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=2))]
    pub horizon: i64,
    /// Days from one learning to the next.
    #[arg(long, default_value_t = 30, value_name = "D", value_parser = clap::value_parser!(i64).range(1..=366))]
    pub refit: i64,
    /// Writes a page with tables and plots.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Prints the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `jirani forecast explain`
#[derive(Args)]
pub struct ExplainArguments {
    /// The file and how it is learned from.
    #[command(flatten)]
    pub data: DataArguments,
    /// Whose.
    #[arg(long, value_name = "HOUSEHOLD")]
    pub household: String,
    /// Which slot: it is forecast at the local midnight before.
    #[arg(long, value_name = "2026-10-01T09:00:00Z")]
    pub at: Timestamp,
    /// Which level, in percent.
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub level: u8,
    /// Prints it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What can be forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForecastTarget {
    /// What homes use.
    Load,
    /// What their panels yield.
    Pv,
    /// What they yield and do not use in the same slot.
    Surplus,
}

impl From<ForecastTarget> for Target {
    fn from(target: ForecastTarget) -> Self {
        match target {
            ForecastTarget::Load => Self::Consumption,
            ForecastTarget::Pv => Self::Production,
            ForecastTarget::Surplus => Self::Surplus,
        }
    }
}
