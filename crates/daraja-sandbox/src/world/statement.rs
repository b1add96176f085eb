//! The statement: every account, every movement.

use super::World;
use crate::book::{Account, Movement, MovementKind, Purse};
use jirani_units::{Cents, Timestamp};
use serde::Serialize;
use std::collections::VecDeque;

/// What the business's accounts hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON fields carry the unit")]
pub struct Totals {
    /// The collecting shortcode.
    pub collection_cents: Cents,
    /// The paying shortcode; zero when it is the collecting one.
    pub payout_cents: Cents,
    /// Charges paid: zero or below.
    pub charges_cents: Cents,
    /// The three together: what the business has at M-Pesa.
    pub sum_cents: Cents,
    /// All accounts together, customers and M-Pesa included: always zero.
    pub imbalance_cents: Cents,
}

/// A balance.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// What is on it.
    pub balance_cents: Cents,
}

/// The statement.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// As of.
    pub at: Timestamp,
    /// What the business's accounts hold.
    pub totals: Totals,
    /// Every account.
    pub accounts: Vec<Line>,
    /// Movements asked for, oldest first.
    pub movements: Vec<Movement>,
    /// How many movements there are in all.
    pub movement_count: u64,
    /// Number of the oldest movement that is remembered; older ones are only in
    /// the database, and in the balances.
    pub oldest_seq: u64,
}

/// Which lines of a shortcode's statement.
#[derive(Clone, Debug)]
pub struct StatementOf {
    /// The shortcode.
    pub shortcode: String,
    /// One of its accounts, or all together.
    pub purse: Option<Purse>,
    /// Lines of movements after this one.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
    /// Only the last so many.
    pub last: Option<usize>,
}

/// A line of a shortcode's statement.
#[derive(Clone, Debug, Serialize)]
pub struct StatementRow {
    /// The movement.
    pub seq: u64,
    /// M-Pesa's receipt.
    pub receipt: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: MovementKind,
    /// In words.
    pub details: String,
    /// Which account.
    pub account: Account,
    /// What came.
    pub paid_in_cents: Cents,
    /// What went.
    pub withdrawn_cents: Cents,
    /// What is there after it: on this account, or on all when all are asked for.
    pub balance_cents: Cents,
    /// The other side.
    pub other_party: String,
    /// The receipt of the transaction that this one reverses.
    pub linked_receipt: Option<String>,
    /// The account reference, or the payout's id.
    pub reference: Option<String>,
}

impl World {
    /// What the business's accounts hold.
    pub fn totals(&self) -> Totals {
        let (collection, payout) = (&self.config.collection.code, &self.config.payout.code);
        let held = |code: &str| {
            let accounts = [Account::working(code), Account::utility(code)];
            accounts.iter().map(|account| self.book.balance(account)).sum::<Cents>()
        };
        let apart = collection != payout;
        let collection_cents = held(collection);
        let payout_cents = if apart { held(payout) } else { Cents::ZERO };
        let charged = |code: &str| self.book.balance(&Account::charges(code));
        let charges_cents =
            if apart { [charged(payout), charged(collection)].into_iter().sum() } else { charged(payout) };
        Totals {
            collection_cents,
            payout_cents,
            charges_cents,
            sum_cents: [collection_cents, payout_cents, charges_cents].into_iter().sum(),
            imbalance_cents: self.book.balances().map(|(_, cents)| cents).sum(),
        }
    }

    /// The statement, with at most `limit` movements after number `after`.
    pub fn statement(&self, after: u64, limit: usize) -> Statement {
        let movements = self.book.movements();
        let from = movements.partition_point(|movement| movement.seq <= after);
        Statement {
            at: self.now,
            totals: self.totals(),
            accounts: self
                .book
                .balances()
                .map(|(account, balance_cents)| Line { account: account.clone(), balance_cents })
                .collect(),
            movements: movements.range(from..).take(limit).cloned().collect(),
            movement_count: self.book.last_seq(),
            oldest_seq: movements.front().map_or(0, |first| first.seq),
        }
    }

    /// The lines of a shortcode's accounts, each with the balance after it.
    pub fn statement_of(&self, of: &StatementOf) -> Vec<StatementRow> {
        let purses = [Purse::Working, Purse::Utility, Purse::Charges];
        let accounts: Vec<Account> = purses
            .into_iter()
            .filter(|purse| of.purse.is_none_or(|only| only == *purse))
            .map(|purse| Account::Shortcode(of.shortcode.clone(), purse))
            .collect();
        let mut balance: Cents = accounts.iter().map(|account| self.book.carried(account)).sum();
        let mut rows = VecDeque::new();
        for movement in self.book.movements() {
            for (account, other, cents) in [
                (&movement.from, &movement.to, -movement.amount.0),
                (&movement.to, &movement.from, movement.amount.0),
            ] {
                if !accounts.contains(account) {
                    continue;
                }
                balance = Cents(balance.0 + cents);
                if movement.seq > of.after && (of.last.is_some() || rows.len() < of.limit) {
                    rows.push_back(self.row(movement, account, other, cents, balance));
                }
                if of.last.is_some_and(|last| rows.len() > last) {
                    rows.pop_front();
                }
            }
        }
        rows.into()
    }

    fn row(
        &self,
        movement: &Movement,
        account: &Account,
        other: &Account,
        cents: i64,
        balance_cents: Cents,
    ) -> StatementRow {
        let other_party = self.party(other);
        let reference = movement.reference.as_deref().unwrap_or_default();
        let details = match movement.kind {
            MovementKind::OpeningFloat | MovementKind::BusinessCash if cents > 0 => {
                "Deposit from bank".to_owned()
            }
            MovementKind::OpeningFloat | MovementKind::BusinessCash => "Transfer to bank".to_owned(),
            MovementKind::CustomerCash => "Cash".to_owned(),
            MovementKind::PayBill => format!("Pay Bill from {other_party} Acc. {reference}"),
            MovementKind::Payout => format!("Business Payment to {other_party}"),
            MovementKind::PayoutCharge => "Business Payment Charge".to_owned(),
            MovementKind::PayBillCharge | MovementKind::CustomerCharge => "Pay Bill Charge".to_owned(),
            MovementKind::FloatMove => format!("Organization transfer with {other_party}"),
            MovementKind::Reversal => format!("Reversal of {reference} with {other_party}"),
        };
        let reversal = movement.kind == MovementKind::Reversal;
        StatementRow {
            seq: movement.seq,
            receipt: movement.receipt.clone(),
            at: movement.at,
            kind: movement.kind,
            details,
            account: account.clone(),
            paid_in_cents: Cents(cents.max(0)),
            withdrawn_cents: Cents((-cents).max(0)),
            balance_cents,
            other_party,
            linked_receipt: movement.reference.clone().filter(|_| reversal),
            reference: movement.reference.clone().filter(|_| !reversal),
        }
    }
}
