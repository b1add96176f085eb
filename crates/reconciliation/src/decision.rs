//! What a person may decide about something that stands apart. One operator proposes
//! it, another one approves it; only then is it done.

use jirani_units::{Cents, HouseholdId, OrderId, PayoutId, Receipt};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An account of ours at M-Pesa, as a person names it.
pub use crate::line::Purse as Shortcode;

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// Money in suspense is this household's.
    Attach {
        /// The payment.
        receipt: Receipt,
        /// Whose it is.
        household_id: HouseholdId,
    },
    /// M-Pesa paid a payout whose outcome was unknown.
    PayoutPaid {
        /// Which.
        payout_id: PayoutId,
        /// M-Pesa's number of it.
        receipt: Receipt,
    },
    /// M-Pesa did not pay it, and never will.
    PayoutFailed {
        /// Which.
        payout_id: PayoutId,
    },
    /// A move of float whose outcome was unknown is on M-Pesa's statement.
    FloatMoved {
        /// Which.
        number: u64,
        /// M-Pesa's number of it.
        receipt: Receipt,
    },
    /// It is not there, and never will be.
    FloatFailed {
        /// Which.
        number: u64,
    },
    /// An order of which nobody could say whether it was paid was not. A later proof
    /// still counts.
    CollectionUnpaid {
        /// Which.
        order_id: OrderId,
    },
    /// Money on M-Pesa's statement alone, of which nobody knows whose: suspense.
    BookFound {
        /// M-Pesa's number.
        receipt: Receipt,
        /// Where it lies.
        shortcode: Shortcode,
        /// Above zero.
        amount_cents: Cents,
    },
    /// The operator brought it from its bank.
    BookDeposit {
        /// M-Pesa's number.
        receipt: Receipt,
        /// Where it lies.
        shortcode: Shortcode,
        /// Above zero.
        amount_cents: Cents,
    },
    /// The operator took it to its bank.
    BookSweep {
        /// M-Pesa's number.
        receipt: Receipt,
        /// Where it lay.
        shortcode: Shortcode,
        /// Above zero.
        amount_cents: Cents,
    },
    /// M-Pesa took a charge that no household bears.
    BookCharge {
        /// M-Pesa's number of what was charged for.
        receipt: Receipt,
        /// Above zero.
        amount_cents: Cents,
    },
    /// What a household owes after this payment was taken back is given up.
    WriteOff {
        /// The payment.
        receipt: Receipt,
    },
    /// A row of the journal that should not be is undone by another one.
    Correct {
        /// The row.
        sequence: u64,
    },
    /// Nothing is to be booked; the note says why.
    Explained,
}

impl Decision {
    /// Whether every amount is above zero and below what any balance holds.
    pub const fn is_sound(&self) -> bool {
        match self {
            Self::BookFound { amount_cents, .. }
            | Self::BookDeposit { amount_cents, .. }
            | Self::BookSweep { amount_cents, .. }
            | Self::BookCharge { amount_cents, .. } => amount_cents.0 > 0 && amount_cents.0 <= AMOUNT_MAX.0,
            _ => true,
        }
    }
}

/// The most that one decision books: ten thousand million shillings.
pub const AMOUNT_MAX: Cents = Cents(1_000_000_000_000);

impl fmt::Display for Decision {
    /// In words, for tables and outcomes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attach { receipt, household_id } => {
                write!(f, "{receipt} belongs to household {household_id}")
            }
            Self::PayoutPaid { payout_id, receipt } => write!(f, "payout {payout_id} was paid as {receipt}"),
            Self::PayoutFailed { payout_id } => write!(f, "payout {payout_id} was not paid"),
            Self::FloatMoved { number, receipt } => write!(f, "move {number} of float was done as {receipt}"),
            Self::FloatFailed { number } => write!(f, "move {number} of float was not done"),
            Self::CollectionUnpaid { order_id } => write!(f, "order {order_id} was not paid"),
            Self::BookFound { receipt, amount_cents, .. } => {
                write!(f, "{receipt} of {amount_cents} goes to suspense")
            }
            Self::BookDeposit { receipt, amount_cents, .. } => {
                write!(f, "{receipt} of {amount_cents} is the operator's deposit")
            }
            Self::BookSweep { receipt, amount_cents, .. } => {
                write!(f, "{receipt} of {amount_cents} went to the operator's bank")
            }
            Self::BookCharge { receipt, amount_cents } => {
                write!(f, "{receipt} cost a charge of {amount_cents}")
            }
            Self::WriteOff { receipt } => write!(f, "what is owed for {receipt} is given up"),
            Self::Correct { sequence } => write!(f, "journal row {sequence} is undone"),
            Self::Explained => f.write_str("nothing is to be booked"),
        }
    }
}
