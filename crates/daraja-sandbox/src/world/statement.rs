//! The statement: every account, every movement.

use super::World;
use crate::book::{Account, Movement};
use jirani_units::{Cents, Timestamp};
use serde::Serialize;

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
    pub movement_count: usize,
}

impl World {
    /// What the business's accounts hold.
    pub fn totals(&self) -> Totals {
        let (collection, payout) = (&self.config.collection.code, &self.config.payout.code);
        let collection_cents = self.book.balance(&Account::utility(collection));
        let payout_cents =
            if collection == payout { Cents::ZERO } else { self.book.balance(&Account::utility(payout)) };
        let charges_cents = self.book.balance(&Account::charges(payout));
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
            movements: movements[from..].iter().take(limit).cloned().collect(),
            movement_count: movements.len(),
        }
    }
}
