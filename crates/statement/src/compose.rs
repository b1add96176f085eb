//! A statement out of an account's rows: counted twice, line by line and by the
//! account's counters, and handed out only when both agree.

use crate::error::StatementError;
use crate::line::{Line, What};
use crate::period::Period;
use jirani_ledger::{Account, AccountBalance, Kind, Transfer, TransferId};
use jirani_units::{Cents, Receipt, Timestamp, Wh};
use std::collections::HashMap;

/// The most lines of one statement.
pub const LINES_MAX: usize = 50_000;

/// A household's account over a period. Made by [`Composer::finish`] only: opening
/// and lines make the closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    period: Period,
    opening: Cents,
    lines: Vec<Line>,
    closing: Cents,
    held: Cents,
    through: u64,
}

/// Energy and money of all lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Energy bought, less what came to nothing.
    pub bought: Wh,
    /// Energy sold.
    pub sold: Wh,
    /// Money gained.
    pub money_in: Cents,
    /// Money given.
    pub money_out: Cents,
}

impl Statement {
    /// The period.
    pub const fn period(&self) -> &Period {
        &self.period
    }

    /// Balance before the first line.
    pub const fn opening(&self) -> Cents {
        self.opening
    }

    /// Lines, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Balance after the last line, held money included.
    pub const fn closing(&self) -> Cents {
        self.closing
    }

    /// How much of the closing is held for payouts under way.
    pub const fn held(&self) -> Cents {
        self.held
    }

    /// The newest journal row that was read: whoever asks again later finds at least
    /// the same.
    pub const fn through(&self) -> u64 {
        self.through
    }

    /// Sums over all lines.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for line in &self.lines {
            match line.what {
                What::Returned(_) => totals.bought = totals.bought.saturating_sub(line.bought),
                _ => totals.bought.0 += line.bought.0,
            }
            totals.sold.0 += line.sold.0;
            totals.money_in.0 += line.money_in().0;
            totals.money_out.0 += line.money_out().0;
        }
        totals
    }
}

/// An account's rows, taken in order of sequence from the first one on.
#[derive(Clone, Debug)]
pub struct Composer {
    account: Account,
    period: Period,
    /// Counters over every row so far.
    all: AccountBalance,
    /// Counters when the period began and when it ended.
    opening: Option<AccountBalance>,
    closing: Option<AccountBalance>,
    holds: HashMap<TransferId, Cents>,
    lines: Vec<Line>,
    through: u64,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the period.
    Before,
    /// In it, at this place of the lines; `None` for rows that move nothing.
    Within(Option<usize>),
    /// After it.
    After,
}

impl Composer {
    /// Nothing taken yet.
    pub fn new(account: Account, period: Period) -> Self {
        Self {
            account,
            period,
            all: AccountBalance::default(),
            opening: None,
            closing: None,
            holds: HashMap::new(),
            lines: Vec::new(),
            through: 0,
        }
    }

    /// The newest row taken.
    pub const fn through(&self) -> u64 {
        self.through
    }

    /// The account's counters over every row taken.
    pub const fn counted(&self) -> AccountBalance {
        self.all
    }

    /// Takes the next row of the account. A period begins with the first row dated
    /// in it or later and ends before the first one dated after it: a row that came
    /// late never changes a statement that was handed out.
    pub fn row(&mut self, sequence: u64, transfer: &Transfer) -> Result<Place, StatementError> {
        if self.opening.is_none() && transfer.at >= self.period.from() {
            self.opening = Some(self.all);
        }
        if self.closing.is_none() && transfer.at >= self.period.to() {
            self.closing = Some(self.all);
        }
        self.through = sequence;
        self.count(transfer);
        if self.closing.is_some() {
            return Ok(Place::After);
        }
        if self.opening.is_none() {
            return Ok(Place::Before);
        }
        let sign = if transfer.credit == self.account { 1 } else { -1 };
        match transfer.kind {
            Kind::Hold | Kind::Void(_) => Ok(Place::Within(None)),
            Kind::Posted | Kind::Post(_) => {
                let what = What::of(transfer);
                let place = self.push(transfer.at, what, Cents(sign * transfer.amount.0), None)?;
                Ok(Place::Within(Some(place)))
            }
        }
    }

    /// An order of the household's that was paid by M-Pesa: the payment and the
    /// energy, two lines that make nothing together, since the money never was the
    /// account's.
    pub fn paid_by_mpesa(
        &mut self,
        at: Timestamp,
        order: jirani_units::OrderId,
        due: Cents,
        energy: Wh,
        receipt: Option<Receipt>,
    ) -> Result<(), StatementError> {
        self.push(at, What::PaidByMpesa(order), due, receipt)?;
        let place = self.push(at, What::Bought(order), Cents(-due.0), None)?;
        self.lines[place].bought = energy;
        Ok(())
    }

    /// Puts energy beside the money of a line.
    pub fn energy(&mut self, place: usize, bought: Wh, sold: Wh) {
        if let Some(line) = self.lines.get_mut(place) {
            (line.bought, line.sold) = (bought, sold);
        }
    }

    fn push(
        &mut self,
        at: Timestamp,
        what: What,
        amount: Cents,
        receipt: Option<Receipt>,
    ) -> Result<usize, StatementError> {
        if self.lines.len() == LINES_MAX {
            return Err(StatementError::TooLong { limit: LINES_MAX });
        }
        let (bought, sold, balance) = (Wh::ZERO, Wh::ZERO, Cents::ZERO);
        self.lines.push(Line { at, what, bought, sold, amount, receipt, balance });
        Ok(self.lines.len() - 1)
    }

    fn count(&mut self, transfer: &Transfer) {
        let (posted, held) = match transfer.kind {
            Kind::Posted => (transfer.amount.0, 0),
            Kind::Hold => {
                self.holds.insert(transfer.id, transfer.amount);
                (0, transfer.amount.0)
            }
            Kind::Post(hold) => (transfer.amount.0, -self.holds.remove(&hold).map_or(0, |held| held.0)),
            Kind::Void(hold) => (0, -self.holds.remove(&hold).map_or(0, |held| held.0)),
        };
        // What the rules let in stays within 64 bits; what was tampered with shows below.
        let add = |counter: &mut Cents, by: i64| counter.0 = counter.0.saturating_add(by);
        if transfer.debit == self.account {
            add(&mut self.all.debits, posted);
            add(&mut self.all.debits_held, held);
        } else {
            add(&mut self.all.credits, posted);
            add(&mut self.all.credits_held, held);
        }
    }

    /// The statement, if opening and lines make the closing.
    pub fn finish(mut self) -> Result<Statement, StatementError> {
        let closing = self.closing.unwrap_or(self.all);
        let opening = self.opening.unwrap_or(closing).net();
        // Lines of rows come in order of sequence, those of M-Pesa's payments after them:
        // told by time, rows of one moment as they were posted.
        self.lines.sort_by_key(|line| line.at);
        let mut balance = i128::from(opening.0);
        for line in &mut self.lines {
            balance += i128::from(line.amount.0);
            line.balance = Cents(i64::try_from(balance).unwrap_or(i64::MAX));
        }
        if balance != i128::from(closing.net().0) {
            let made = Cents(i64::try_from(balance).unwrap_or(i64::MAX));
            return Err(StatementError::DoesNotAddUp { opening, made, closing: closing.net() });
        }
        Ok(Statement {
            period: self.period,
            opening,
            lines: self.lines,
            closing: closing.net(),
            held: closing.debits_held,
            through: self.through,
        })
    }
}
