//! What is refused, and what to do about it.

/// Why nothing was learned, or a model not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoosterError {
    /// A row with another number of values than the table has columns.
    #[error("booster.row_width: a row has {found} values, the table {wanted} columns")]
    RowWidth {
        /// Values in the row.
        found: usize,
        /// Columns of the table.
        wanted: usize,
    },
    /// More than this machine should be asked to hold.
    #[error("booster.too_large: at most 4000000 rows of 1 to 256 columns, and 1 to 99 rising levels")]
    TooLarge,
    /// Nothing to learn from.
    #[error("booster.no_rows: there is no row to learn from")]
    NoRows,
    /// Targets that do not fit the rows.
    #[error("booster.targets: give one finite target for each row")]
    Targets,
    /// A level outside 1 to 999 per mille.
    #[error("booster.level: a level lies between 1 and 999 per mille")]
    Level,
    /// Settings outside their ranges.
    #[error("booster.settings: {0}")]
    Settings(&'static str),
    /// A model of another version of this library.
    #[error("booster.version: the model is of version {found}, this library reads {wanted}; train it anew")]
    Version {
        /// What the model says.
        found: u16,
        /// What is read here.
        wanted: u16,
    },
    /// A model that points outside itself.
    #[error("booster.corrupt: the model does not hold together; train it anew")]
    Corrupt,
}
