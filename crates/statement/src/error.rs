//! Why there is no statement.

use jirani_ledger::{Account, AccountBalance};
use jirani_store::StoreError;
use jirani_units::{Cents, HouseholdId, OrderId};

/// Nothing is handed out, rather than something that does not add up.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// No such household.
    #[error("statement.no_household: there is no household {0}")]
    NoHousehold(HouseholdId),
    /// The period has not begun.
    #[error("statement.in_the_future: {0} has not begun yet")]
    InTheFuture(String),
    /// More lines than one document holds.
    #[error("statement.too_long: more than {limit} lines; take a shorter period")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// Opening and lines do not make the closing.
    #[error(
        "statement.does_not_add_up: {opening} and the lines make {made}, but the account closes at {closing}; run `jirani ledger verify`"
    )]
    DoesNotAddUp {
        /// Before the first line.
        opening: Cents,
        /// Opening and lines.
        made: Cents,
        /// By the account's counters.
        closing: Cents,
    },
    /// The account's rows do not make the balance that is kept beside them.
    #[error(
        "statement.balance_differs: {account} is kept as {stored:?}, its rows make {counted:?}; run `jirani ledger verify`"
    )]
    BalanceDiffers {
        /// The account.
        account: Account,
        /// As kept.
        stored: AccountBalance,
        /// As counted.
        counted: AccountBalance,
    },
    /// A row speaks of an order that is not there, or says otherwise than the order.
    #[error("statement.order_differs: journal row {sequence} and order {order} do not fit: {what}")]
    OrderDiffers {
        /// The row; 0 when a row is missing.
        sequence: u64,
        /// The order.
        order: OrderId,
        /// How.
        what: String,
    },
    /// The account's rows come in faster than they are read.
    #[error("statement.too_busy: the account changes too fast to be read now; try again")]
    TooBusy,
    /// The document could not be written.
    #[error("statement.not_written: {0}")]
    NotWritten(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
