//! Money out to a household: held before M-Pesa is asked, posted when it has paid,
//! let go only when it has definitely refused.
//!
//! Holds do not expire by themselves. What M-Pesa was asked to pay may still be paid
//! while nobody answers; a hold that lapsed would let the same money out twice.

use super::{End, by_payout, ended, held};
use crate::account::Account;
use crate::reason::Reason;
use crate::transfer::{Kind, Transfer};
use jirani_units::{Cents, HouseholdId, PayoutId, Timestamp};

/// What a payout takes from a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Identity.
    pub id: PayoutId,
    /// Whose balance.
    pub household: HouseholdId,
    /// What is sent, above zero.
    pub sent: Cents,
    /// M-Pesa's charge as the published table has it; zero for none.
    pub charge: Cents,
}

/// The holds of a payout: what is sent and, if any, the charge. One group.
pub fn holds(payout: &Payout, at: Timestamp) -> Vec<Transfer> {
    [
        ("payout", Account::MpesaPayout, Reason::Payout, payout.sent),
        ("payout-charge", Account::MpesaCharges, Reason::PayoutCharge, payout.charge),
    ]
    .into_iter()
    .filter(|(.., amount)| amount.is_positive())
    .map(|(domain, credit, reason, amount)| {
        held(Transfer {
            id: by_payout(domain, payout.id),
            debit: Account::Household(payout.household),
            credit,
            amount,
            reason,
            kind: Kind::Posted,
            memo: format!("payout {}", payout.id),
            at,
        })
    })
    .collect()
}

/// M-Pesa has paid, and took `charged` for it: a smaller charge than was held goes
/// back to the balance. One above it is not the household's: post the difference
/// with [`super::shortcodes::charged`]. One group.
pub fn paid(payout: &Payout, charged: Cents, at: Timestamp) -> Vec<Transfer> {
    holds(payout, at)
        .iter()
        .map(|hold| {
            let end = match hold.reason {
                Reason::PayoutCharge if charged.is_positive() => End::Posted(charged.min(hold.amount)),
                Reason::PayoutCharge => End::Voided,
                _ => End::Posted(hold.amount),
            };
            ended(hold, end, at)
        })
        .collect()
}

/// M-Pesa has refused for good: everything goes back. One group.
pub fn failed(payout: &Payout, at: Timestamp) -> Vec<Transfer> {
    holds(payout, at).iter().map(|hold| ended(hold, End::Voided, at)).collect()
}

/// The payout that a row is about, hold or end: the memo names it, the id proves it.
pub fn payout_of(transfer: &Transfer) -> Option<PayoutId> {
    let payout = PayoutId(transfer.memo.strip_prefix("payout ")?.parse().ok()?);
    let domain = match transfer.reason {
        Reason::Payout => "payout",
        Reason::PayoutCharge => "payout-charge",
        _ => return None,
    };
    let hold = transfer.kind.hold().unwrap_or(transfer.id);
    (hold == by_payout(domain, payout)).then_some(payout)
}
