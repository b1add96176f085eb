//! An order's money: from a balance into clearing, and out of clearing to whom it
//! belongs once the settlement is final on chain.

use super::{Row, by_order};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, OrderId, Timestamp};

/// Where an order's due waits until the order is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidFrom {
    /// A receipt's money.
    Mpesa,
    /// The buyer's balance.
    Balance,
}

impl PaidFrom {
    /// The clearing account.
    pub const fn clearing(self) -> Account {
        match self {
            Self::Mpesa => Account::CollectionsUnallocated,
            Self::Balance => Account::OrdersClearing,
        }
    }
}

/// Who sold, or bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A household.
    Household(HouseholdId),
    /// The operator, for its own records.
    Operator,
}

impl Party {
    /// Where its money is: what the operator earns by selling pays for what it buys.
    pub const fn account(self) -> Account {
        match self {
            Self::Household(household) => Account::Household(household),
            Self::Operator => Account::OperatorSales,
        }
    }
}

/// One part of a settled order's due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A seller's share; the place of its fill, 0 to 3.
    Sale(u8, Party),
    /// The grid fee.
    Fee,
    /// The tax.
    Tax,
    /// What the ceiling left over.
    Rounding,
}

impl Part {
    /// Number of the part within its order's ids. Never renumber.
    pub const fn code(self) -> u8 {
        match self {
            Self::Sale(place, _) => place,
            Self::Fee => 100,
            Self::Tax => 101,
            Self::Rounding => 102,
        }
    }

    const fn credit(self) -> (Account, Reason) {
        match self {
            Self::Sale(_, seller) => (seller.account(), Reason::Sale),
            Self::Fee => (Account::OperatorFees, Reason::GridFee),
            Self::Tax => (Account::OperatorTaxes, Reason::Tax),
            Self::Rounding => (Account::Rounding, Reason::Rounding),
        }
    }
}

/// Identity of the transfer that puts a balance towards an order: its proof.
pub fn from_balance_id(order: OrderId) -> TransferId {
    by_order("order-from-balance", order)
}

/// Identity of one part of a settled order; `part` is [`Part::code`].
pub fn share_id(order: OrderId, part: u8) -> TransferId {
    let mut key = order.0.to_le_bytes().to_vec();
    key.push(part);
    TransferId::derive("order-share", &key)
}

/// A buyer's balance is put towards an order; the operator's, what is its own. Whether it
/// has so much is for the caller to ask: its account may be overdrawn.
pub fn from_balance(order: OrderId, buyer: Party, due: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: from_balance_id(order),
        debit: buyer.account(),
        credit: Account::OrdersClearing,
        reason: Reason::OrderFromBalance,
    };
    row.posted(due, format!("order {order}"), at)
}

/// The order came to nothing: its balance goes back.
pub fn returned(order: OrderId, buyer: Party, due: Cents, at: Timestamp) -> Transfer {
    let row = Row {
        id: by_order("order-returned", order),
        debit: Account::OrdersClearing,
        credit: buyer.account(),
        reason: Reason::OrderReturned,
    };
    row.posted(due, format!("order {order}"), at)
}

/// One part of a settled order's due, out of clearing.
pub fn share(order: OrderId, part: Part, paid_from: PaidFrom, amount: Cents, at: Timestamp) -> Transfer {
    let (credit, reason) = part.credit();
    let row = Row { id: share_id(order, part.code()), debit: paid_from.clearing(), credit, reason };
    row.posted(amount, format!("order {order}"), at)
}

/// All parts of a settled order that are above zero. One group.
pub fn settled(
    order: OrderId,
    paid_from: PaidFrom,
    parts: impl IntoIterator<Item = (Part, Cents)>,
    at: Timestamp,
) -> Vec<Transfer> {
    let parts = parts.into_iter().filter(|(_, amount)| amount.is_positive());
    parts.map(|(part, amount)| share(order, part, paid_from, amount, at)).collect()
}

/// The order that a row is about: the memo names it, the id proves it. `None` for
/// rows about no order, and for a memo that the id does not bear out.
pub fn order_of(transfer: &Transfer) -> Option<OrderId> {
    let order = OrderId(transfer.memo.strip_prefix("order ")?.parse().ok()?);
    let proven = match transfer.reason {
        Reason::OrderFromBalance => transfer.id == from_balance_id(order),
        Reason::OrderReturned => transfer.id == by_order("order-returned", order),
        Reason::Sale => (0..4).any(|place| transfer.id == share_id(order, place)),
        Reason::GridFee => transfer.id == share_id(order, Part::Fee.code()),
        Reason::Tax => transfer.id == share_id(order, Part::Tax.code()),
        Reason::Rounding => transfer.id == share_id(order, Part::Rounding.code()),
        _ => false,
    };
    proven.then_some(order)
}

/// Which fill of its order a seller's share is for, 0 to 3.
pub fn fill_of(transfer: &Transfer) -> Option<(OrderId, u8)> {
    let order = order_of(transfer).filter(|_| transfer.reason == Reason::Sale)?;
    (0..4).find(|place| transfer.id == share_id(order, *place)).map(|place| (order, place))
}
