//! The one rule of the ledger: what becomes of a transfer, given the facts.
//!
//! Promises: refuses in the order of [`Refusal`]; a repeat of an applied transfer
//! is no error and changes nothing; what is applied keeps M1 and M3. Stands
//! below every store: they gather the facts, this decides, they keep the outcome
//! in the same commit.

use crate::account::Account;
use crate::balance::AccountBalance;
use crate::refusal::Refusal;
use crate::transfer::{Kind, MEMO_MAX_BYTES, Transfer};
use jirani_units::Cents;

/// What must be known to decide on one transfer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The transfer applied under the same id.
    pub earlier: Option<&'a Transfer>,
    /// The transfer applied under the id of the hold to be ended.
    pub hold: Option<&'a Transfer>,
    /// Whether that hold was posted or voided.
    pub hold_ended: bool,
    /// Balance of the account debited.
    pub debit: AccountBalance,
    /// Balance of the account credited.
    pub credit: AccountBalance,
}

/// What is to be done with a transfer that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It was applied before: change nothing.
    AlreadyApplied,
    /// Keep it, and these balances.
    Apply {
        /// New balance of the account debited.
        debit: AccountBalance,
        /// New balance of the account credited.
        credit: AccountBalance,
    },
}

/// Decides on a transfer.
pub fn decide(transfer: &Transfer, facts: &Facts<'_>) -> Result<Decision, Refusal> {
    if !transfer.amount.is_positive() {
        return Err(Refusal::AmountNotPositive);
    }
    if transfer.debit == transfer.credit {
        return Err(Refusal::SameAccount);
    }
    if transfer.memo.len() > MEMO_MAX_BYTES {
        return Err(Refusal::MemoTooLong);
    }
    if let Some(earlier) = facts.earlier {
        return transfer.differs_from(earlier).map_or(Ok(Decision::AlreadyApplied), Err);
    }
    let held = match transfer.kind {
        Kind::Posted | Kind::Hold => {
            if transfer.debit.never_overdrawn() && !covers(&facts.debit, transfer.amount) {
                return Err(Refusal::InsufficientBalance);
            }
            Cents::ZERO
        }
        Kind::Post(_) | Kind::Void(_) => may_end(transfer, facts)?,
    };
    // From here only a sum that leaves 64 bits can stand in the way.
    let debit = debited(facts.debit, transfer, held).ok_or(Refusal::Overflow)?;
    let credit = credited(facts.credit, transfer, held).ok_or(Refusal::Overflow)?;
    Ok(Decision::Apply { debit, credit })
}

/// The amount of the hold that `transfer` ends, if it may.
fn may_end(transfer: &Transfer, facts: &Facts<'_>) -> Result<Cents, Refusal> {
    let hold = facts.hold.ok_or(Refusal::UnknownHold)?;
    if hold.kind != Kind::Hold {
        return Err(Refusal::NotAHold);
    }
    if hold.debit != transfer.debit {
        return Err(Refusal::HoldDebitDiffers);
    }
    if hold.credit != transfer.credit {
        return Err(Refusal::HoldCreditDiffers);
    }
    let whole = matches!(transfer.kind, Kind::Void(_));
    if transfer.amount > hold.amount || (whole && transfer.amount != hold.amount) {
        return Err(Refusal::HoldAmountDiffers);
    }
    if hold.reason != transfer.reason {
        return Err(Refusal::HoldReasonDiffers);
    }
    if facts.hold_ended {
        return Err(Refusal::HoldEnded);
    }
    Ok(hold.amount)
}

/// Whether `balance` keeps the rule of `account`; for checks of what is stored.
pub fn is_sound(account: Account, balance: &AccountBalance) -> bool {
    let AccountBalance { debits, credits, debits_held, credits_held } = *balance;
    [debits, credits, debits_held, credits_held].iter().all(|counter| counter.0 >= 0)
        && (!account.never_overdrawn() || covers(balance, Cents::ZERO))
}

/// Whether credits cover debits, held debits and `amount` more. Counters are not
/// negative, so the sum is taken in 128 bits and cannot overflow.
fn covers(balance: &AccountBalance, amount: Cents) -> bool {
    i128::from(balance.credits.0)
        >= i128::from(balance.debits.0) + i128::from(balance.debits_held.0) + i128::from(amount.0)
}

fn debited(balance: AccountBalance, transfer: &Transfer, ended: Cents) -> Option<AccountBalance> {
    let (posted, held) = counters(balance.debits, balance.debits_held, transfer, ended)?;
    Some(AccountBalance { debits: posted, debits_held: held, ..balance })
}

fn credited(balance: AccountBalance, transfer: &Transfer, ended: Cents) -> Option<AccountBalance> {
    let (posted, held) = counters(balance.credits, balance.credits_held, transfer, ended)?;
    Some(AccountBalance { credits: posted, credits_held: held, ..balance })
}

/// The two counters of one side after `transfer`, which ends a hold of `ended`.
/// Their sum stays within 64 bits, so that a hold which was let in can always be
/// posted.
fn counters(posted: Cents, held: Cents, transfer: &Transfer, ended: Cents) -> Option<(Cents, Cents)> {
    let amount = transfer.amount;
    let (posted, held) = match transfer.kind {
        Kind::Posted => (posted.checked_add(amount)?, held),
        Kind::Hold => (posted, held.checked_add(amount)?),
        Kind::Post(_) => (posted.checked_add(amount)?, held.checked_sub(ended)?),
        Kind::Void(_) => (posted, held.checked_sub(ended)?),
    };
    posted.checked_add(held)?;
    // Counters never fall below zero, not even from a balance that was kept wrong.
    (held >= Cents::ZERO).then_some((posted, held))
}
