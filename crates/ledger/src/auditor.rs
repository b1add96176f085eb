//! A second, naive reading of the rules: keeps every row and recounts everything
//! from scratch each time. Slow on purpose; the property tests hold [`crate::Book`]
//! and the stores to it.

use crate::account::Account;
use crate::balance::AccountBalance;
use crate::refusal::{GroupRefusal, Posting, Refusal};
use crate::transfer::{Kind, Transfer, TransferId};
use jirani_units::Cents;

/// The reference model.
#[derive(Clone, Debug, Default)]
pub struct Auditor {
    rows: Vec<Transfer>,
}

impl Auditor {
    /// What must become of a transfer; keeps it when applied.
    pub fn apply(&mut self, transfer: &Transfer) -> Result<Posting, Refusal> {
        if transfer.amount.0 < 1 {
            return Err(Refusal::AmountNotPositive);
        }
        if transfer.debit == transfer.credit {
            return Err(Refusal::SameAccount);
        }
        if transfer.memo.len() > 256 {
            return Err(Refusal::MemoTooLong);
        }
        if let Some(row) = self.find(transfer.id) {
            return repeated(row, transfer);
        }
        match transfer.kind {
            Kind::Post(hold) | Kind::Void(hold) => self.may_end(hold, transfer)?,
            Kind::Posted | Kind::Hold => {
                let left = self.sum(transfer.debit, |b| b.credits)
                    - self.sum(transfer.debit, |b| b.debits)
                    - self.sum(transfer.debit, |b| b.debits_held);
                if transfer.debit.never_overdrawn() && left < i128::from(transfer.amount.0) {
                    return Err(Refusal::InsufficientBalance);
                }
            }
        }
        self.rows.push(transfer.clone());
        let debits = self.sum(transfer.debit, |b| b.debits) + self.sum(transfer.debit, |b| b.debits_held);
        let credits =
            self.sum(transfer.credit, |b| b.credits) + self.sum(transfer.credit, |b| b.credits_held);
        if debits.max(credits) > i128::from(i64::MAX) {
            self.rows.pop();
            return Err(Refusal::Overflow);
        }
        Ok(Posting::Applied)
    }

    /// What must become of a group: all of its transfers, or none.
    pub fn apply_group(&mut self, group: &[Transfer]) -> Result<Vec<Posting>, GroupRefusal> {
        let mut trial = self.clone();
        let mut postings = Vec::new();
        for (index, transfer) in group.iter().enumerate() {
            postings.push(trial.apply(transfer).map_err(|refusal| GroupRefusal { index, refusal })?);
        }
        *self = trial;
        Ok(postings)
    }

    /// The rows applied, in order.
    pub fn rows(&self) -> &[Transfer] {
        &self.rows
    }

    /// Balance of one account, counted over all rows.
    pub fn balance(&self, account: Account) -> AccountBalance {
        let count = |side: fn(&AccountBalance) -> Cents| {
            Cents(i64::try_from(self.sum(account, |b| side(&b))).unwrap_or(i64::MAX))
        };
        AccountBalance {
            debits: count(|b| b.debits),
            credits: count(|b| b.credits),
            debits_held: count(|b| b.debits_held),
            credits_held: count(|b| b.credits_held),
        }
    }

    fn find(&self, id: TransferId) -> Option<&Transfer> {
        self.rows.iter().find(|row| row.id == id)
    }

    fn ended(&self, hold: TransferId) -> bool {
        self.rows.iter().any(|row| row.kind == Kind::Post(hold) || row.kind == Kind::Void(hold))
    }

    fn may_end(&self, hold: TransferId, transfer: &Transfer) -> Result<(), Refusal> {
        let row = self.find(hold).ok_or(Refusal::UnknownHold)?;
        let void = transfer.kind == Kind::Void(hold);
        for (wrong, refusal) in [
            (row.kind != Kind::Hold, Refusal::NotAHold),
            (row.debit != transfer.debit, Refusal::HoldDebitDiffers),
            (row.credit != transfer.credit, Refusal::HoldCreditDiffers),
            (row.amount < transfer.amount, Refusal::HoldAmountDiffers),
            (void && row.amount != transfer.amount, Refusal::HoldAmountDiffers),
            (row.reason != transfer.reason, Refusal::HoldReasonDiffers),
            (self.ended(hold), Refusal::HoldEnded),
        ] {
            if wrong {
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn sum(&self, account: Account, counter: impl Fn(AccountBalance) -> Cents) -> i128 {
        let mut sum = 0;
        for row in &self.rows {
            let open_hold = row.kind == Kind::Hold && !self.ended(row.id);
            let posted = matches!(row.kind, Kind::Posted | Kind::Post(_));
            let mut one = AccountBalance::default();
            if row.debit == account {
                one.debits.0 = if posted { row.amount.0 } else { 0 };
                one.debits_held.0 = if open_hold { row.amount.0 } else { 0 };
            }
            if row.credit == account {
                one.credits.0 = if posted { row.amount.0 } else { 0 };
                one.credits_held.0 = if open_hold { row.amount.0 } else { 0 };
            }
            sum += i128::from(counter(one).0);
        }
        sum
    }
}

/// What becomes of a transfer whose id has a row.
fn repeated(row: &Transfer, again: &Transfer) -> Result<Posting, Refusal> {
    let code = |transfer: &Transfer| transfer.kind.code();
    for (wrong, refusal) in [
        (code(row) != code(again), Refusal::IdReusedKind),
        (row.kind.hold() != again.kind.hold(), Refusal::IdReusedHold),
        (row.debit != again.debit, Refusal::IdReusedDebit),
        (row.credit != again.credit, Refusal::IdReusedCredit),
        (row.amount != again.amount, Refusal::IdReusedAmount),
        (row.reason != again.reason, Refusal::IdReusedReason),
    ] {
        if wrong {
            return Err(refusal);
        }
    }
    Ok(Posting::AlreadyApplied)
}
