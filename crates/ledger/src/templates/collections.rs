//! Money that came in by M-Pesa: always first into clearing, then on from there.

use super::{Row, by_receipt};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::Transfer;
use jirani_units::{Cents, HouseholdId, OrderId, Receipt, Timestamp};

/// Why received money becomes balance instead of settling an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditedFor {
    /// Paid by hand, for no order.
    ByHand,
    /// It came when the order could not use it any more.
    Late(OrderId),
    /// Less than the order's due.
    Short(OrderId),
    /// The order was paid already.
    Double(OrderId),
    /// The order came to nothing after its payment.
    GivenUp(OrderId),
}

impl CreditedFor {
    fn memo(self) -> String {
        match self {
            Self::ByHand => "M-Pesa payment kept as balance".to_owned(),
            Self::Late(order) => format!("order {order}: paid too late"),
            Self::Short(order) => format!("order {order}: paid less than the due"),
            Self::Double(order) => format!("order {order}: paid once more"),
            Self::GivenUp(order) => format!("order {order}: given up after its payment"),
        }
    }
}

/// M-Pesa money came in: it waits in clearing.
pub fn collected(receipt: &Receipt, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("collection", receipt),
        debit: Account::MpesaCollection,
        credit: Account::CollectionsUnallocated,
        reason: Reason::Collection,
    };
    row.posted(amount, "M-Pesa payment", at)
}

/// Received money that no order can use becomes the payer's balance, whole.
pub fn credited(
    receipt: &Receipt,
    payer: HouseholdId,
    amount: Cents,
    why: CreditedFor,
    at: Timestamp,
) -> Transfer {
    let row = Row {
        id: by_receipt("credit", receipt),
        debit: Account::CollectionsUnallocated,
        credit: Account::Household(payer),
        reason: Reason::Credit,
    };
    row.posted(amount, why.memo(), at)
}

/// What a receipt holds above a settled order's due becomes the buyer's balance.
pub fn excess(
    order: OrderId,
    receipt: &Receipt,
    buyer: HouseholdId,
    amount: Cents,
    at: Timestamp,
) -> Transfer {
    let row = Row {
        id: by_receipt("excess", receipt),
        debit: Account::CollectionsUnallocated,
        credit: Account::Household(buyer),
        reason: Reason::Credit,
    };
    row.posted(amount, format!("order {order}: paid above the due"), at)
}

/// Received money that nobody can name.
pub fn suspended(receipt: &Receipt, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("suspense", receipt),
        debit: Account::CollectionsUnallocated,
        credit: Account::Suspense,
        reason: Reason::Suspense,
    };
    row.posted(amount, "M-Pesa payment without a known payer", at)
}

/// A payment made by hand at the PayBill: balance when the payer is known, else
/// suspense. One group.
pub fn by_hand(receipt: &Receipt, payer: Option<HouseholdId>, amount: Cents, at: Timestamp) -> [Transfer; 2] {
    let onward = match payer {
        Some(payer) => credited(receipt, payer, amount, CreditedFor::ByHand, at),
        None => suspended(receipt, amount, at),
    };
    [collected(receipt, amount, at), onward]
}
