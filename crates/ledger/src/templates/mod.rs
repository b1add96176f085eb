//! Every business event as a posting: which account is debited, which credited, why,
//! and an id made from what the event is about, so that it is posted once whatever
//! is repeated. `docs/ledger.md` has the whole table.
//!
//! Promises: each template keeps M1 and M2 by itself (its group as a whole); ids of
//! different events never meet; memos name orders and payouts by number and nobody
//! by name. Stands below the state machines that decide when an event has happened:
//! nothing here looks at a state, and a template may be refused by the rules.

pub mod collections;
pub mod orders;
pub mod payouts;
pub mod reversals;
pub mod review;
pub mod shortcodes;

use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Kind, Transfer, TransferId};
use jirani_units::{Cents, OrderId, PayoutId, Receipt, Timestamp};

/// A row without its amount, memo and time.
struct Row {
    id: TransferId,
    debit: Account,
    credit: Account,
    reason: Reason,
}

impl Row {
    fn posted(self, amount: Cents, memo: impl Into<String>, at: Timestamp) -> Transfer {
        let Self { id, debit, credit, reason } = self;
        Transfer { id, debit, credit, amount, reason, kind: Kind::Posted, memo: memo.into(), at }
    }
}

fn by_receipt(domain: &str, receipt: &Receipt) -> TransferId {
    TransferId::derive(domain, receipt.as_str().as_bytes())
}

fn by_order(domain: &str, order: OrderId) -> TransferId {
    TransferId::derive(domain, &order.0.to_le_bytes())
}

fn by_payout(domain: &str, payout: PayoutId) -> TransferId {
    TransferId::derive(domain, &payout.0.to_le_bytes())
}

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// So much of it moves, above zero and at most all; the rest is let go.
    Posted(Cents),
    /// All of it is let go: only after a definite refusal, never on silence.
    Voided,
}

/// The same event, set aside until its outcome is known: for every money movement
/// that M-Pesa has yet to confirm.
#[must_use]
pub fn held(transfer: Transfer) -> Transfer {
    Transfer { kind: Kind::Hold, ..transfer }
}

/// Ends a hold. The two ends have different ids, so that whoever voids what was
/// posted is refused, not taken for a repeat.
#[must_use]
pub fn ended(hold: &Transfer, end: End, at: Timestamp) -> Transfer {
    let (domain, kind, amount) = match end {
        End::Posted(amount) => ("posted", Kind::Post(hold.id), amount),
        End::Voided => ("voided", Kind::Void(hold.id), hold.amount),
    };
    Transfer { id: TransferId::derive(domain, &hold.id.0), kind, amount, at, ..hold.clone() }
}
