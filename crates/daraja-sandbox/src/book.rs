//! Whose money is where: accounts, and every movement between them.
//!
//! Promises: a movement takes from one account what it gives to another, so
//! all accounts together hold zero; movements are kept for ever.

use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An account at M-Pesa.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// Banks and agents: where money comes from and goes to.
    Outside,
    /// What M-Pesa earned.
    Revenue,
    /// A customer's own money.
    Customer(Msisdn),
    /// Part of a shortcode's money.
    Shortcode(String, Purse),
}

/// Part of a shortcode's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purse {
    /// Collections land here, payouts leave from here.
    Utility,
    /// Charges paid: below zero by what M-Pesa has charged.
    Charges,
}

impl Account {
    /// The utility account of a shortcode.
    pub fn utility(code: &str) -> Self {
        Self::Shortcode(code.to_owned(), Purse::Utility)
    }

    /// The charges-paid account of a shortcode.
    pub fn charges(code: &str) -> Self {
        Self::Shortcode(code.to_owned(), Purse::Charges)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str("outside"),
            Self::Revenue => f.write_str("revenue"),
            Self::Customer(msisdn) => write!(f, "customer/{}", msisdn.number()),
            Self::Shortcode(code, Purse::Utility) => write!(f, "{code}/utility"),
            Self::Shortcode(code, Purse::Charges) => write!(f, "{code}/charges"),
        }
    }
}

impl std::str::FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("account `{text}`");
        match text.split_once('/') {
            None if text == "outside" => Ok(Self::Outside),
            None if text == "revenue" => Ok(Self::Revenue),
            Some(("customer", number)) => number.parse().map(Self::Customer).map_err(|_| unknown()),
            Some((code, "utility")) => Ok(Self::utility(code)),
            Some((code, "charges")) => Ok(Self::charges(code)),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for Account {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// The payout shortcode's float at the start.
    OpeningFloat,
    /// A customer put money in, or took it out.
    CustomerCash,
    /// A customer paid a shortcode: by a prompt or by hand.
    PayBill,
    /// A shortcode paid a customer.
    Payout,
    /// M-Pesa's charge for a payout.
    PayoutCharge,
}

/// One movement of money.
#[derive(Clone, Debug, Serialize)]
pub struct Movement {
    /// 1, 2, 3, ...
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: MovementKind,
    /// Whose money became less.
    pub from: Account,
    /// Whose money became more.
    pub to: Account,
    /// How much, above zero.
    #[serde(rename = "amount_cents")]
    pub amount: Cents,
    /// M-Pesa's receipt number, if it has one.
    pub receipt: Option<String>,
    /// The payer's account reference, or the payout's id.
    pub reference: Option<String>,
}

/// All accounts and movements.
#[derive(Default)]
pub struct Book {
    balances: BTreeMap<Account, i64>,
    movements: Vec<Movement>,
    saved: usize,
}

impl Book {
    /// What is on an account.
    pub fn balance(&self, account: &Account) -> Cents {
        Cents(self.balances.get(account).copied().unwrap_or(0))
    }

    /// Moves money. Limits are the caller's business. Nothing moves for an
    /// amount that is not above zero.
    pub fn move_money(
        &mut self,
        at: Timestamp,
        kind: MovementKind,
        (from, to): (Account, Account),
        amount: Cents,
        (receipt, reference): (Option<&str>, Option<&str>),
    ) {
        if amount.is_positive() {
            let seq = self.movements.last().map_or(1, |last| last.seq + 1);
            let (receipt, reference) = (receipt.map(str::to_owned), reference.map(str::to_owned));
            self.enter(Movement { seq, at, kind, from, to, amount, receipt, reference });
        }
    }

    /// Takes up a stored movement.
    pub fn restore(&mut self, movement: Movement) {
        self.enter(movement);
        self.saved = self.movements.len();
    }

    fn enter(&mut self, movement: Movement) {
        let (from, to) = (movement.from.clone(), movement.to.clone());
        *self.balances.entry(from).or_default() -= movement.amount.0;
        *self.balances.entry(to).or_default() += movement.amount.0;
        self.movements.push(movement);
    }

    /// Every account and its balance.
    pub fn balances(&self) -> impl Iterator<Item = (&Account, Cents)> {
        self.balances.iter().map(|(account, cents)| (account, Cents(*cents)))
    }

    /// Every movement, oldest first.
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// Movements not handed out for saving yet.
    pub fn take_unsaved(&mut self) -> &[Movement] {
        let from = std::mem::replace(&mut self.saved, self.movements.len());
        &self.movements[from..]
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Book, MovementKind};
    use jirani_units::{Cents, Timestamp};
    use proptest::prelude::*;

    fn account(index: u8) -> Account {
        match index % 4 {
            0 => Account::Outside,
            1 => Account::utility("600966"),
            2 => Account::charges("600992"),
            _ => Account::Customer("0712000111".parse().unwrap()),
        }
    }

    proptest! {
        #[test]
        fn all_accounts_together_hold_zero(moves in prop::collection::vec((0..4_u8, 0..4_u8, -5..1_000_i64), 0..50)) {
            let mut book = Book::default();
            for (from, to, amount) in moves {
                book.move_money(Timestamp(0), MovementKind::PayBill, (account(from), account(to)), Cents(amount), (None, None));
            }
            prop_assert_eq!(book.balances().map(|(_, cents)| cents).sum::<Cents>(), Cents::ZERO);
        }
    }

    #[test]
    fn accounts_survive_being_written_down() {
        for index in 0..4 {
            assert_eq!(account(index).to_string().parse(), Ok(account(index)));
        }
        assert!("600966/pocket".parse::<Account>().is_err());
    }
}
