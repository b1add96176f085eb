//! Reads what Daraja posts to us.
//!
//! Callbacks carry no signature: what is read here is a claim, to be matched
//! against our own intent. Every shape on record is accepted (numbers or
//! strings, one object or an array, missing values, codes that are not
//! numbers, masked phones); anything else is a typed error, never a panic.
//! Phones in STK results are ignored: they may be masked or missing.

mod answer;
mod b2c;
mod balance;
mod c2b;
pub(crate) mod loose;
mod moved;
mod status;
mod stk;

pub use answer::AnswerIds;
pub use b2c::{B2cOutcome, B2cResult, parse_b2c};
pub use balance::{Account, AccountBalance, BalanceAnswer, BalanceOutcome, parse_balance};
pub use c2b::{C2bPayment, parse_c2b};
pub(crate) use loose::text;
pub use moved::{MoveAnswer, MoveOutcome, parse_float, parse_reversal};
pub use status::{FoundTransaction, StatusAnswer, StatusOutcome, TransactionState, parse_status};
pub use stk::{StkOutcome, StkResult, parse_stk};

/// The largest body that is read, in bytes. Real ones have less than 2,000.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The body is not a callback of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// Longer than [`MAX_BODY_BYTES`].
    #[error("mpesa.callback_too_long: the callback is longer than any that M-Pesa sends")]
    TooLong,
    /// Not JSON.
    #[error("mpesa.callback_not_json: the callback is not JSON")]
    NotJson,
    /// A field without which the callback means nothing is missing or unreadable.
    #[error("mpesa.callback_incomplete: the callback has no readable {0}")]
    Incomplete(&'static str),
}
