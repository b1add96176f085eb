//! M-Pesa took a payment back. The seller is never touched (M3): what was settled
//! becomes the payer's debt, and the debt is paid from the payer's balance when
//! there is some.

use super::{Row, by_receipt};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Receipt, Timestamp};

/// Where the money of the reversed payment is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversedFrom {
    /// Still in clearing.
    Unallocated,
    /// Nobody could name it.
    Suspense,
    /// It settled an order: the payer owes it.
    Settled(HouseholdId),
    /// It became the payer's balance, of which so much is available now.
    Balance(HouseholdId, Cents),
}

/// M-Pesa took `amount` back, in one group. `reversal` is the receipt of the
/// reversal itself, or of the payment when M-Pesa gave it none.
pub fn reversed(reversal: &Receipt, amount: Cents, from: ReversedFrom, at: Timestamp) -> Vec<Transfer> {
    let debit = match from {
        ReversedFrom::Unallocated => Account::CollectionsUnallocated,
        ReversedFrom::Suspense => Account::Suspense,
        ReversedFrom::Settled(payer) | ReversedFrom::Balance(payer, _) => Account::ReversalsReceivable(payer),
    };
    let row = Row {
        id: by_receipt("reversal", reversal),
        debit,
        credit: Account::MpesaCollection,
        reason: Reason::Reversal,
    };
    let taken = row.posted(amount, "M-Pesa took a payment back", at);
    let mut group = vec![taken];
    if let ReversedFrom::Balance(payer, available) = from {
        let cause = group[0].id;
        let there = available.min(amount);
        group.extend(there.is_positive().then(|| recovered(payer, there, cause, at)));
    }
    group
}

/// A balance pays what its household owes after a reversal. `cause` is the transfer
/// that brought the money, or the reversal itself.
pub fn recovered(payer: HouseholdId, amount: Cents, cause: TransferId, at: Timestamp) -> Transfer {
    let row = Row {
        id: TransferId::derive("recovery", &cause.0),
        debit: Account::Household(payer),
        credit: Account::ReversalsReceivable(payer),
        reason: Reason::Recovery,
    };
    row.posted(amount, "owed after M-Pesa took a payment back", at)
}

/// The operator gives up what is owed after the reversal with this receipt, out of
/// its fees.
pub fn written_off(reversal: &Receipt, payer: HouseholdId, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("write-off", reversal),
        debit: Account::OperatorFees,
        credit: Account::ReversalsReceivable(payer),
        reason: Reason::WriteOff,
    };
    row.posted(amount, "given up after M-Pesa took a payment back", at)
}
