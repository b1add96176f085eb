//! What money that comes in is for: emergency credit, then what is due of old debt; the
//! rest is balance.

use super::account::{Account, Instalments, Policy, cost};
use super::step::{ShortfallError, StepKind};
use jirani_units::{Cents, Timestamp, Wh};

/// Most instalments of one agreement.
const INSTALMENTS_MAX: i64 = 52;
/// Most days between two.
const EVERY_DAYS_MAX: u16 = 31;
const DAY_S: i64 = 86_400;

/// Repays emergency credit from `paid`, which is in the balance already.
pub(super) fn repay_emergency(account: &mut Account, paid: Cents, steps: &mut Vec<StepKind>) {
    let repaid = account.emergency_owed.min(paid).min(account.available);
    if repaid.is_positive() {
        account.emergency_owed.0 -= repaid.0;
        account.available.0 -= repaid.0;
        steps.push(StepKind::EmergencyRepaid(repaid));
    }
}

/// Pays what is due at `at` of old debt, as far as the balance goes; counts what is
/// missed when `strict`, which it is once a day has begun and not when money arrives.
pub(super) fn instalments(
    account: &mut Account,
    policy: &Policy,
    at: Timestamp,
    strict: bool,
    steps: &mut Vec<StepKind>,
) {
    let Some(mut debt) = account.old_debt else { return };
    while debt.next_due <= at && debt.owed.is_positive() {
        let each = debt.each.min(debt.owed);
        if account.available >= each {
            account.available.0 -= each.0;
            debt.owed.0 -= each.0;
            let energy = paid_off(&debt, each);
            debt.set_aside = debt.set_aside.saturating_sub(energy);
            // What was paid off is bought of the operator, and no longer owed.
            account.shortfall = account.shortfall.saturating_sub(energy);
            debt.missed = 0;
            steps.push(StepKind::InstalmentPaid { paid: each, energy });
        } else if strict {
            debt.missed += 1;
            steps.push(StepKind::InstalmentMissed(each));
        } else {
            break;
        }
        debt.next_due = debt.next_due.plus_seconds(i64::from(debt.every_days) * DAY_S);
        if debt.missed > policy.missed_max {
            steps.push(StepKind::InstalmentsEnded(debt.owed));
            account.old_debt = None;
            return;
        }
    }
    if debt.owed.is_positive() {
        account.old_debt = Some(debt);
    } else {
        account.old_debt = None;
        steps.push(StepKind::InstalmentsDone);
    }
}

/// Energy that `paid` pays off: all that is left with the last instalment.
fn paid_off(debt: &Instalments, paid: Cents) -> Wh {
    if debt.owed == Cents::ZERO {
        return debt.set_aside;
    }
    let cents = u128::from(u64::try_from(paid.0).unwrap_or(0));
    let energy = cents * 1_000 / u128::from(debt.price.0.max(1));
    Wh(u64::try_from(energy).unwrap_or(u64::MAX)).min(debt.set_aside)
}

/// Sets the whole shortfall aside, to be paid by instalments.
pub(super) fn agree(
    account: &mut Account,
    each: Cents,
    every_days: u16,
    at: Timestamp,
) -> Result<StepKind, ShortfallError> {
    if account.old_debt.is_some() {
        return Err(ShortfallError::InstalmentsRunning);
    }
    let owed = cost(account.shortfall, account.retail);
    if !owed.is_positive() {
        return Err(ShortfallError::NothingOwed);
    }
    let least = Cents(owed.0 / INSTALMENTS_MAX + i64::from(owed.0 % INSTALMENTS_MAX != 0));
    if each < least || !(1..=EVERY_DAYS_MAX).contains(&every_days) {
        return Err(ShortfallError::InstalmentsOutOfBounds { least });
    }
    account.old_debt = Some(Instalments {
        set_aside: account.shortfall,
        price: account.retail,
        owed,
        each,
        every_days,
        next_due: at.plus_seconds(i64::from(every_days) * DAY_S),
        missed: 0,
    });
    Ok(StepKind::InstalmentsAgreed { energy: account.shortfall, owed, each })
}
