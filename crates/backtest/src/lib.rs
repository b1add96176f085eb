//! How good a forecast would have been: made again for every day of a past, with only
//! what was known then, and held against what came.
//!
//! [`Set`] reads homes from a CSV file, [`Trial`] rolls the time of issue over the last
//! days of it and asks every method the same questions, [`score`] and [`value`] judge
//! the answers by what they cost, [`report`] writes them down for people and machines.
//!
//! Promises: pure (whoever calls opens files); every method answers the same rows;
//! what is learned at an issue has seen no truth from after it; the same file and
//! seed give the same figures. Stands beside the forecast, behind `jirani forecast`.

pub mod page;
pub mod plot;
pub mod report;
pub mod score;
pub mod set;
pub mod trial;
pub mod value;

pub use score::{Score, score};
pub use set::{HomeSet, Options, Set, WeatherKnown};
pub use trial::{Chance, Key, Method, Protocol, Trial};

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// The file cannot be read as CSV.
    #[error("backtest.csv: {0}")]
    Csv(#[from] csv::Error),
    /// A column that every file must have.
    #[error("backtest.column: the first line names no column {0}")]
    Column(&'static str),
    /// More than is held in memory.
    #[error("backtest.too_large: at most 4000000 rows of 10000 homes")]
    TooLarge,
    /// No step between rows that divides a day.
    #[error("backtest.step: the rows of a home must be evenly spaced, by a part of a day")]
    Step,
    /// Nothing to test on.
    #[error("backtest.too_short: give more days than the {0} that are tested and the 31 before them")]
    TooShort(i64),
    /// What the learner says.
    #[error(transparent)]
    Learn(#[from] jirani_forecast::learn::LearnError),
}
