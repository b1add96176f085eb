//! What is wrong with a file of profiles.

use jirani_units::Timestamp;
use std::path::PathBuf;

/// A file of profiles cannot be used; one line that says where and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("profile.unreadable: {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The first line does not name the four columns.
    #[error(
        "profile.wrong_header: line 1: {problem}; the columns timestamp_utc,household,pv_kwh,load_kwh are needed"
    )]
    WrongHeader {
        /// Which column is missing or there twice.
        problem: String,
    },
    /// A row is not a row of this file.
    #[error("profile.bad_row: line {line}: {problem}")]
    BadRow {
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The time is not UTC.
    #[error(
        "profile.local_time: line {line}: '{text}' is not a time in UTC; write it like 2026-11-22T15:30:00Z"
    )]
    LocalTime {
        /// Line of the file, from 1.
        line: u64,
        /// What stands there, cut short.
        text: String,
    },
    /// A household has two rows for one moment.
    #[error(
        "profile.duplicate: line {line}: {household} has a row for {time} already; leave one of them out"
    )]
    Duplicate {
        /// Line of the second row, from 1.
        line: u64,
        /// Whose.
        household: String,
        /// When.
        time: Timestamp,
    },
    /// Energy below zero.
    #[error("profile.negative: line {line}: {column} is '{text}'; energy cannot be below zero")]
    Negative {
        /// Line of the file, from 1.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What stands there, cut short.
        text: String,
    },
    /// More energy than a household's connection carries.
    #[error("profile.absurd: line {line}: {column} is '{text}' kWh, above 100 kW; is the unit kWh per row?")]
    Absurd {
        /// Line of the file, from 1.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What stands there, cut short.
        text: String,
    },
    /// Rows do not follow the step of the rest.
    #[error(
        "profile.uneven: line {line}: {time} is not a whole number of {step_min}-minute steps from {origin}"
    )]
    Uneven {
        /// Line of the file, from 1.
        line: u64,
        /// The row's time.
        time: Timestamp,
        /// Step of most rows, in minutes.
        step_min: i64,
        /// What steps are counted from.
        origin: Timestamp,
    },
    /// Rows are missing for longer than is filled.
    #[error(
        "profile.gap: line {line}: {household} has no rows from {from} to {to}; only gaps of up to 2 hours are filled"
    )]
    Gap {
        /// Line of the first row after the gap, from 1; 0 when none follows.
        line: u64,
        /// Whose.
        household: String,
        /// First missing moment.
        from: Timestamp,
        /// First moment that is there again.
        to: Timestamp,
    },
    /// The file ends before the run would.
    #[error("profile.too_short: the file has {days} whole days from {start}; ask for no more with --days")]
    TooShort {
        /// Whole days that every household has.
        days: i64,
        /// First moment that every household has.
        start: Timestamp,
    },
    /// Nothing to start from.
    #[error("profile.nothing_common: {problem}")]
    NothingCommon {
        /// What is missing.
        problem: String,
    },
}
