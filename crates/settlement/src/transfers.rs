//! Every transfer the service makes: its accounts, and an id made from what it
//! is about, so that one event is posted once whatever is repeated.

use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId};
use jirani_store::PayoutRecord;
use jirani_units::{Cents, HouseholdId, OrderId, Receipt, Timestamp};

struct Row {
    id: TransferId,
    debit: Account,
    credit: Account,
    reason: Reason,
}

impl Row {
    fn posted(self, amount: Cents, memo: String, at: Timestamp) -> Transfer {
        let Self { id, debit, credit, reason } = self;
        Transfer { id, debit, credit, amount, reason, kind: Kind::Posted, memo, at }
    }
}

fn by_receipt(domain: &str, receipt: &Receipt) -> TransferId {
    TransferId::derive(domain, receipt.as_str().as_bytes())
}

fn by_order(domain: &str, order: OrderId) -> TransferId {
    TransferId::derive(domain, &order.0.to_le_bytes())
}

/// M-Pesa money came in: it waits in clearing.
pub(crate) fn collected(receipt: &Receipt, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("collection", receipt),
        debit: Account::MpesaCollection,
        credit: Account::CollectionsUnallocated,
        reason: Reason::Collection,
    };
    row.posted(amount, "M-Pesa payment".to_owned(), at)
}

/// Received money that no order can use becomes balance.
pub(crate) fn credited(receipt: &Receipt, payer: HouseholdId, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("credit", receipt),
        debit: Account::CollectionsUnallocated,
        credit: Account::Household(payer),
        reason: Reason::Credit,
    };
    row.posted(amount, "M-Pesa payment kept as balance".to_owned(), at)
}

/// Received money that nobody can name.
pub(crate) fn suspended(receipt: &Receipt, amount: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_receipt("suspense", receipt),
        debit: Account::CollectionsUnallocated,
        credit: Account::Suspense,
        reason: Reason::Suspense,
    };
    row.posted(amount, "M-Pesa payment without a known payer".to_owned(), at)
}

/// Identity of the transfer that puts a balance towards an order: its proof.
pub(crate) fn from_balance_id(order: OrderId) -> TransferId {
    by_order("order-from-balance", order)
}

/// A buyer's balance is put towards an order.
pub(crate) fn from_balance(order: OrderId, buyer: HouseholdId, due: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: from_balance_id(order),
        debit: Account::Household(buyer),
        credit: Account::OrdersClearing,
        reason: Reason::OrderFromBalance,
    };
    row.posted(due, format!("order {order}"), at)
}

/// The chain refused the order: its balance goes back.
pub(crate) fn returned(order: OrderId, buyer: HouseholdId, due: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_order("order-returned", order),
        debit: Account::OrdersClearing,
        credit: Account::Household(buyer),
        reason: Reason::OrderReturned,
    };
    row.posted(due, format!("order {order}"), at)
}

/// One part of a settled order's due, out of `clearing`; `part` tells the parts
/// of one order apart.
pub(crate) fn share(
    order: OrderId,
    part: u8,
    clearing: Account,
    credit: Account,
    reason: Reason,
    amount: Cents,
    at: Timestamp,
) -> Transfer {
    let mut key = order.0.to_le_bytes().to_vec();
    key.push(part);
    let row = Row { id: TransferId::derive("order-share", &key), debit: clearing, credit, reason };
    row.posted(amount, format!("order {order}"), at)
}

/// What a receipt holds above the due becomes the buyer's balance.
pub(crate) fn excess(
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

/// The two holds of a payout: what is sent and, if any, the charge.
pub(crate) fn payout_holds(payout: &PayoutRecord, at: Timestamp) -> Vec<Transfer> {
    payout_parts(payout)
        .map(|(domain, credit, reason, amount)| Transfer {
            id: payout_id(domain, payout),
            debit: Account::Household(payout.household),
            credit,
            amount,
            reason,
            kind: Kind::Hold,
            memo: format!("payout {}", payout.id),
            at,
        })
        .collect()
}

/// Ends both holds: posts them when paid, lets go of them when not.
pub(crate) fn payout_ends(payout: &PayoutRecord, paid: bool, at: Timestamp) -> Vec<Transfer> {
    let end = if paid { "posted" } else { "voided" };
    payout_holds(payout, at)
        .into_iter()
        .map(|hold| Transfer {
            id: TransferId::derive(end, &hold.id.0),
            kind: if paid { Kind::Post(hold.id) } else { Kind::Void(hold.id) },
            ..hold
        })
        .collect()
}

fn payout_parts(payout: &PayoutRecord) -> impl Iterator<Item = (&'static str, Account, Reason, Cents)> {
    [
        ("payout", Account::MpesaPayout, Reason::Payout, payout.sent),
        ("payout-charge", Account::MpesaCharges, Reason::PayoutCharge, payout.charge),
    ]
    .into_iter()
    .filter(|(.., amount)| amount.is_positive())
}

fn payout_id(domain: &str, payout: &PayoutRecord) -> TransferId {
    TransferId::derive(domain, &payout.id.0.to_le_bytes())
}
