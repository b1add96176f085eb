//! Money of the operator's own, and money that moves between M-Pesa's accounts, the
//! bank and the state.

use super::{Row, by_receipt};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Transfer, TransferId};
use jirani_units::{Cents, Receipt, Timestamp};

/// An account of ours at M-Pesa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shortcode {
    /// The PayBill that collects.
    Collection,
    /// The one that pays out (its utility account).
    Payout,
    /// Where charges are taken from.
    Charges,
}

impl Shortcode {
    /// Its account in the ledger.
    pub const fn account(self) -> Account {
        match self {
            Self::Collection => Account::MpesaCollection,
            Self::Payout => Account::MpesaPayout,
            Self::Charges => Account::MpesaCharges,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Collection => "the collection shortcode",
            Self::Payout => "the payout shortcode",
            Self::Charges => "the charges account",
        }
    }
}

/// Where taxes are paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxPaidFrom {
    /// Straight from a shortcode.
    Shortcode(Shortcode),
    /// From the bank, out of what was swept there.
    Bank,
}

impl TaxPaidFrom {
    const fn account(self) -> Account {
        match self {
            Self::Shortcode(shortcode) => shortcode.account(),
            Self::Bank => Account::OperatorSweeps,
        }
    }
}

/// The operator put money of its own on a shortcode: float top-up.
pub fn float_deposited(receipt: &Receipt, to: Shortcode, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("float-deposit", receipt),
        debit: to.account(),
        credit: Account::OperatorFloat,
        reason: Reason::FloatDeposit,
    };
    row.posted(amount, format!("float put on {}", to.word()), at)
}

/// Money moved between two of our shortcodes. `key` is our own id of the request at
/// M-Pesa, since the receipt comes only later: set it aside with [`super::held`]
/// first.
pub fn float_moved(key: &str, from: Shortcode, to: Shortcode, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: TransferId::derive("float-move", key.as_bytes()),
        debit: to.account(),
        credit: from.account(),
        reason: Reason::FloatMove,
    };
    row.posted(amount, format!("from {} to {}", from.word(), to.word()), at)
}

/// Money moved from a shortcode to the operator's bank account. At most
/// [`crate::invariants::Totals::sweepable`] is the operator's to take.
pub fn swept(receipt: &Receipt, from: Shortcode, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("bank-sweep", receipt),
        debit: Account::OperatorSweeps,
        credit: from.account(),
        reason: Reason::BankSweep,
    };
    row.posted(amount, format!("from {} to the bank", from.word()), at)
}

/// M-Pesa took a charge that no household bears: out of the fees earned. `receipt`
/// is of the transaction that was charged for.
pub fn charged(receipt: &Receipt, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("mpesa-charge", receipt),
        debit: Account::OperatorFees,
        credit: Account::MpesaCharges,
        reason: Reason::MpesaCharge,
    };
    row.posted(amount, "M-Pesa's charge", at)
}

/// M-Pesa's statement has money on a shortcode that nobody told us of.
pub fn found(receipt: &Receipt, on: Shortcode, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        // The same id as for money that passed clearing: a receipt goes to suspense once.
        id: by_receipt("suspense", receipt),
        debit: on.account(),
        credit: Account::Suspense,
        reason: Reason::Suspense,
    };
    row.posted(amount, format!("found on {}", on.word()), at)
}

/// Taxes went to the state. `reference` is the payment slip's number.
pub fn taxes_paid(reference: &str, from: TaxPaidFrom, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: TransferId::derive("tax-payment", reference.as_bytes()),
        debit: Account::OperatorTaxes,
        credit: from.account(),
        reason: Reason::TaxPayment,
    };
    row.posted(amount, "taxes paid to the state", at)
}
