//! What can go wrong with a store.

use jirani_ledger::Refusal;

/// Nothing changed, whatever the reason.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The ledger refused the transfer at this place of the commit.
    #[error("{refusal} (change {index})")]
    Refused {
        /// Index into the changes.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// The record changed since it was read, or exists already.
    #[error("store.conflict: {what} was changed by somebody else")]
    Conflict {
        /// Which record.
        what: String,
    },
    /// A number is larger than any database keeps (2^63 - 1).
    #[error("store.out_of_range: {what} is above 2^63 - 1 and cannot be kept")]
    OutOfRange {
        /// Which number.
        what: String,
    },
    /// The database holds what it never should.
    #[error("store.damaged: {what}")]
    Damaged {
        /// What and where.
        what: String,
    },
    /// The database cannot be used now.
    #[error("store.unavailable: {what}")]
    Unavailable {
        /// What happened.
        what: String,
    },
}
