//! Why a village cannot go on.

use std::path::PathBuf;

/// The village cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum VillageError {
    /// Its file cannot be read or written.
    #[error("village.unreadable: cannot keep the village's meters in {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its file holds something else.
    #[error(
        "village.damaged: {} does not hold a village ({problem}); restore it from a backup or start with a new data folder",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The data folder belongs to another village.
    #[error(
        "village.another: the data folder holds a village of {stored}, but {wanted} was asked for; ask for the same or use another data folder"
    )]
    Another {
        /// What the folder holds.
        stored: String,
        /// What was asked for.
        wanted: String,
    },
    /// A setting cannot be used.
    #[error("village.invalid: {0}")]
    Invalid(String),
    /// A meter could not count or read.
    #[error("village.meter: the meter of {household} stopped: {source}")]
    Meter {
        /// Whose.
        household: jirani_units::HouseholdId,
        /// Why.
        source: jirani_meter::MeterError,
    },
}
