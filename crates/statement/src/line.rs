//! One line of a statement.

use jirani_ledger::templates::{orders, payouts};
use jirani_ledger::{Reason, Transfer};
use jirani_units::{Cents, OrderId, PayoutId, Receipt, Timestamp, Wh};

/// What a line tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Energy bought, paid from the balance or by M-Pesa.
    Bought(OrderId),
    /// The M-Pesa payment of an order.
    PaidByMpesa(OrderId),
    /// An order came to nothing; its money is back.
    Returned(OrderId),
    /// Energy sold to a neighbour.
    Sold(OrderId),
    /// A payment became balance.
    Credit,
    /// What was paid above an order's due became balance.
    Excess(OrderId),
    /// A payment for an order that could not use it became balance: late, short or
    /// double.
    Unused(OrderId),
    /// Withdrawn to M-Pesa.
    Payout(Option<PayoutId>),
    /// M-Pesa's charge for a withdrawal.
    PayoutCharge(Option<PayoutId>),
    /// What was owed after M-Pesa took a payment back.
    Recovery,
    /// A payment whose owner was found.
    Attach,
    /// A payment was sent back.
    Refund,
    /// An earlier line, undone.
    Correction,
    /// Any other movement, by its reason.
    Other(Reason),
}

impl What {
    /// What a row of a household's account tells of.
    pub fn of(transfer: &Transfer) -> Self {
        let order = orders::order_of(transfer);
        let payout = payouts::payout_of(transfer);
        match (transfer.reason, order) {
            (Reason::OrderFromBalance, Some(order)) => Self::Bought(order),
            (Reason::OrderReturned, Some(order)) => Self::Returned(order),
            (Reason::Sale, Some(order)) => Self::Sold(order),
            (Reason::Credit, _) => credit(&transfer.memo),
            (Reason::Payout, _) => Self::Payout(payout),
            (Reason::PayoutCharge, _) => Self::PayoutCharge(payout),
            (Reason::Recovery, _) => Self::Recovery,
            (Reason::Attach, _) => Self::Attach,
            (Reason::Refund, _) => Self::Refund,
            (Reason::Correction, _) => Self::Correction,
            (reason, _) => Self::Other(reason),
        }
    }

    /// The order behind it.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Bought(order)
            | Self::PaidByMpesa(order)
            | Self::Returned(order)
            | Self::Sold(order)
            | Self::Excess(order)
            | Self::Unused(order) => Some(*order),
            _ => None,
        }
    }

    /// The payout behind it.
    pub const fn payout(&self) -> Option<PayoutId> {
        match self {
            Self::Payout(payout) | Self::PayoutCharge(payout) => *payout,
            _ => None,
        }
    }
}

/// `order 17: paid above the due` names the order; other memos of credits do not.
fn credit(memo: &str) -> What {
    let named = memo.strip_prefix("order ").and_then(|rest| rest.split_once(": "));
    match named.and_then(|(order, why)| Some((OrderId(order.parse().ok()?), why))) {
        Some((order, "paid above the due")) => What::Excess(order),
        Some((order, _)) => What::Unused(order),
        None => What::Credit,
    }
}

/// One line: energy and money that moved, and what the balance was after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// Energy bought.
    pub bought: Wh,
    /// Energy sold.
    pub sold: Wh,
    /// Money gained (above zero) or given.
    pub amount: Cents,
    /// M-Pesa receipt, where there is one.
    pub receipt: Option<Receipt>,
    /// Balance after the line, held money included.
    pub balance: Cents,
}

impl Line {
    /// Money gained; zero when given.
    pub fn money_in(&self) -> Cents {
        Cents(self.amount.0.max(0))
    }

    /// Money given; zero when gained.
    pub fn money_out(&self) -> Cents {
        Cents(self.amount.0.min(0).saturating_neg())
    }
}
