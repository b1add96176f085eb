//! A second, naive reading of the rules: keeps every row and recounts everything
//! from scratch each time. Slow on purpose; the property tests hold [`crate::Book`]
//! and the stores to it.

use crate::account::Account;
use crate::balance::AccountBalance;
use crate::transfer::{Kind, Posting, Refusal, Transfer, TransferId};
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
        if let Some(row) = self.find(transfer.id) {
            let repeat = Transfer { memo: row.memo.clone(), at: row.at, ..transfer.clone() };
            return if repeat == *row { Ok(Posting::AlreadyApplied) } else { Err(Refusal::IdReused) };
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
        let Some(row) = self.find(hold).filter(|row| row.kind == Kind::Hold) else {
            return Err(Refusal::UnknownHold);
        };
        if row.debit != transfer.debit || row.credit != transfer.credit || row.amount != transfer.amount {
            return Err(Refusal::HoldDiffers);
        }
        if self.ended(hold) { Err(Refusal::HoldEnded) } else { Ok(()) }
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
