//! What money that comes in is for: emergency credit, then what is due of old debt; the
//! rest is balance. An instalment is a purchase: what it pays off is energy, bought like any
//! other and burned against what is owed.

use super::account::{Account, Instalments, Policy, cost};
use super::step::{ShortfallError, StepKind};
use crate::limits::HELD_MAX;
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
        let debt = self.old_debt.filter(|debt| debt.next_due <= at)?;
        let due = self.instalment(&debt);
        (due.energy > Wh::ZERO && self.own_money() >= due.at_most).then_some(due)
    }

    /// What one instalment buys: as much as it pays for at the price agreed or at retail now,
    /// whichever is higher, so that the operator can always sell it; no more than is owed, or
    /// than one order holds.
    fn instalment(&self, debt: &Instalments) -> InstalmentDue {
        let price = debt.price.max(self.retail);
        let payable =
            u128::from(u64::try_from(debt.each.0).unwrap_or(0)) * 1_000 / u128::from(price.0.max(1));
        let payable = Wh(u64::try_from(payable).unwrap_or(u64::MAX));
        let energy = payable.min(debt.set_aside).min(self.shortfall).min(HELD_MAX);
        InstalmentDue { energy, at_most: cost(energy, price) }
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
    while debt.next_due <= at && account.own_money() < account.instalment(&debt).at_most {
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

/// `energy` of the instalment that is due was bought for `paid`.
pub(super) fn instalment_paid(
    account: &mut Account,
    paid: Cents,
    energy: Wh,
    at: Timestamp,
    steps: &mut Vec<StepKind>,
) -> Result<(), ShortfallError> {
    let due = account.old_debt.filter(|debt| debt.next_due <= at);
    let mut debt = due.ok_or(ShortfallError::NoInstalmentDue)?;
    debt.set_aside = debt.set_aside.saturating_sub(energy);
    debt.owed = cost(debt.set_aside, debt.price);
    debt.missed = 0;
    debt.next_due = debt.next_due.plus_seconds(i64::from(debt.every_days) * DAY_S);
    account.shortfall = account.shortfall.saturating_sub(energy);
    account.available = Cents(account.available.0.saturating_sub(paid.0).max(0));
    steps.push(StepKind::InstalmentPaid { paid, energy });
    if debt.set_aside > Wh::ZERO && account.shortfall > Wh::ZERO {
        account.old_debt = Some(debt);
    } else {
        account.old_debt = None;
        steps.push(StepKind::InstalmentsDone);
    }
    Ok(())
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
