//! What a person decides, with a second one's approval: whose unnamed money is, what
//! is sent back, what is undone.

use super::{Row, by_receipt};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Kind, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Receipt, Timestamp};

/// Where money that is sent back lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundedFrom {
    /// Still in clearing.
    Unallocated,
    /// Nobody could name it.
    Suspense,
    /// It had become this household's balance.
    Balance(HouseholdId),
}

/// Money that nobody could name is this household's.
pub fn attached(receipt: &Receipt, owner: HouseholdId, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("attach", receipt),
        debit: Account::Suspense,
        credit: Account::Household(owner),
        reason: Reason::Attach,
    };
    row.posted(amount, "M-Pesa payment found to be yours", at)
}

/// A payment is sent back by our own reversal of it. Set it aside with
/// [`super::held`] before M-Pesa is asked.
pub fn refunded(receipt: &Receipt, from: RefundedFrom, amount: Cents, at: Timestamp) -> Transfer {
    let debit = match from {
        RefundedFrom::Unallocated => Account::CollectionsUnallocated,
        RefundedFrom::Suspense => Account::Suspense,
        RefundedFrom::Balance(household) => Account::Household(household),
    };
    let row = Row {
        id: by_receipt("refund", receipt),
        debit,
        credit: Account::MpesaCollection,
        reason: Reason::Refund,
    };
    row.posted(amount, "M-Pesa payment sent back", at)
}

/// Undoes journal row `sequence`, whole. `None` for holds and their ends, which have
/// their own way out, and for what undoes a row itself.
pub fn corrected(sequence: u64, original: &Transfer, at: Timestamp) -> Option<Transfer> {
    if original.kind != Kind::Posted || original.reason == Reason::Correction {
        return None;
    }
    let row = Row {
        id: TransferId::derive("correction", &original.id.0),
        debit: original.credit,
        credit: original.debit,
        reason: Reason::Correction,
    };
    Some(row.posted(original.amount, format!("undoes journal row {sequence}"), at))
}
