//! What money that comes in is for: emergency credit, then what is due of old debt; the
//! rest is balance. An instalment is a purchase: what it pays off is energy, bought like any
//! other and burned against what is owed.

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

/// One instalment as it is to be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstalmentDue {
    /// Energy that it pays off; bought, it is burned at once.
    pub energy: Wh,
    /// The most that it may cost.
    pub at_most: Cents,
}

impl Account {
    /// The instalment that is due at `at` and that the balance can pay, emergency credit
    /// aside. Whoever has bought its energy says so ([`super::Event::InstalmentPaid`]).
    pub fn instalment_due(&self, at: Timestamp) -> Option<InstalmentDue> {
        let debt = self.old_debt.filter(|debt| debt.next_due <= at && debt.owed.is_positive())?;
        let at_most = debt.each.min(debt.owed);
        let energy = paid_off(&debt, at_most).min(self.shortfall);
        (energy > Wh::ZERO && self.own_money() >= at_most).then_some(InstalmentDue { energy, at_most })
    }

    /// Balance without the room of emergency credit.
    fn own_money(&self) -> Cents {
        Cents(self.available.0.saturating_sub(self.emergency_owed.0))
    }
}

/// What time does to an agreement: it is done when nothing is owed any more; an instalment
/// that the balance could not pay at its time is missed. One that it could pay and that
/// nobody has bought yet stays due.
pub(super) fn instalments(account: &mut Account, policy: &Policy, at: Timestamp, steps: &mut Vec<StepKind>) {
    let Some(mut debt) = account.old_debt else { return };
    if account.shortfall == Wh::ZERO {
        account.old_debt = None;
        steps.push(StepKind::InstalmentsDone);
        return;
    }
    while debt.next_due <= at && account.own_money() < debt.each.min(debt.owed) {
        debt.missed += 1;
        debt.next_due = debt.next_due.plus_seconds(i64::from(debt.every_days) * DAY_S);
        steps.push(StepKind::InstalmentMissed(debt.each.min(debt.owed)));
        if debt.missed > policy.missed_max {
            steps.push(StepKind::InstalmentsEnded(debt.owed));
            account.old_debt = None;
            return;
        }
    }
    account.old_debt = Some(debt);
}

/// The energy of the instalment that is due was bought for `paid`.
pub(super) fn instalment_paid(
    account: &mut Account,
    paid: Cents,
    at: Timestamp,
    steps: &mut Vec<StepKind>,
) -> Result<(), ShortfallError> {
    let due = account.old_debt.filter(|debt| debt.next_due <= at && debt.owed.is_positive());
    let mut debt = due.ok_or(ShortfallError::NoInstalmentDue)?;
    let each = debt.each.min(debt.owed);
    let energy = paid_off(&debt, each);
    debt.owed.0 -= each.0;
    debt.set_aside = debt.set_aside.saturating_sub(energy);
    debt.missed = 0;
    debt.next_due = debt.next_due.plus_seconds(i64::from(debt.every_days) * DAY_S);
    account.shortfall = account.shortfall.saturating_sub(energy);
    account.available = Cents(account.available.0.saturating_sub(paid.0).max(0));
    steps.push(StepKind::InstalmentPaid { paid, energy });
    if debt.owed.is_positive() && account.shortfall > Wh::ZERO {
        account.old_debt = Some(debt);
    } else {
        account.old_debt = None;
        steps.push(StepKind::InstalmentsDone);
    }
    Ok(())
}

/// Energy that `paid` pays off: all that is left with the last instalment.
fn paid_off(debt: &Instalments, paid: Cents) -> Wh {
    if paid >= debt.owed {
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
