//! Whose money is where: accounts, and every movement between them.
//!
//! Promises: a movement takes from one account what it gives to another, so
//! all accounts together hold zero. The disk keeps every movement; memory keeps
//! the last ones, and what the older ones left on each account.

use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
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
    /// Also called MMF: what a bank sweep takes, and B2B pays from.
    Working,
    /// Payouts leave from here; collections land here unless told otherwise.
    Utility,
    /// Charges paid: below zero by what M-Pesa has charged.
    Charges,
}

impl Account {
    /// The working account of a shortcode.
    pub fn working(code: &str) -> Self {
        Self::Shortcode(code.to_owned(), Purse::Working)
    }

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
            Self::Shortcode(code, Purse::Working) => write!(f, "{code}/working"),
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
            Some((code, "working")) => Ok(Self::working(code)),
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
    /// M-Pesa's charge for a payment, borne by the business.
    PayBillCharge,
    /// M-Pesa's charge for a payment, borne by the customer.
    CustomerCharge,
    /// A business put money in from its bank, or swept it there.
    BusinessCash,
    /// A business moved money between its own accounts or shortcodes, or paid
    /// another business (B2B).
    FloatMove,
    /// A transaction was reversed; the reference is the receipt of the first.
    Reversal,
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
    carried: BTreeMap<Account, i64>,
    movements: VecDeque<Movement>,
    unsaved: usize,
    next_seq: u64,
    by_receipt: HashMap<String, u64>,
    reversed: HashMap<String, u64>,
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
            let seq = self.next_seq + 1;
            let (receipt, reference) = (receipt.map(str::to_owned), reference.map(str::to_owned));
            self.enter(Movement { seq, at, kind, from, to, amount, receipt, reference });
            self.unsaved += 1;
        }
    }

    /// Takes up what older movements, up to `last`, left on the accounts.
    pub fn carry(&mut self, last: u64, balances: impl IntoIterator<Item = (Account, i64)>) {
        self.next_seq = last;
        self.carried = balances.into_iter().collect();
        self.balances.clone_from(&self.carried);
    }

    /// Takes up a stored movement.
    pub fn restore(&mut self, movement: Movement) {
        self.enter(movement);
    }

    fn enter(&mut self, movement: Movement) {
        add(&mut self.balances, &movement);
        self.next_seq = movement.seq;
        if let Some(receipt) = &movement.receipt {
            // The first movement of a receipt is the transaction; charges follow it.
            self.by_receipt.entry(receipt.clone()).or_insert(movement.seq);
        }
        if movement.kind == MovementKind::Reversal
            && let Some(original) = &movement.reference
        {
            self.reversed.insert(original.clone(), movement.seq);
        }
        self.movements.push_back(movement);
    }

    /// Forgets the oldest movements that are saved, beyond this many.
    pub fn forget_beyond(&mut self, most: usize) {
        if self.movements.len() <= most {
            return;
        }
        while self.movements.len() > most.max(self.unsaved)
            && let Some(movement) = self.movements.pop_front()
        {
            add(&mut self.carried, &movement);
            if let Some(receipt) = &movement.receipt
                && self.by_receipt.get(receipt) == Some(&movement.seq)
            {
                self.by_receipt.remove(receipt);
            }
            if let Some(original) = movement.reference.filter(|_| movement.kind == MovementKind::Reversal) {
                self.reversed.remove(&original);
            }
        }
        // An account with nothing on it need not be remembered.
        self.carried.retain(|_, cents| *cents != 0);
    }

    /// Every account and its balance.
    pub fn balances(&self) -> impl Iterator<Item = (&Account, Cents)> {
        self.balances.iter().map(|(account, cents)| (account, Cents(*cents)))
    }

    /// What was on an account before the first movement that is remembered.
    pub fn carried(&self, account: &Account) -> Cents {
        Cents(self.carried.get(account).copied().unwrap_or(0))
    }

    /// Number of the last movement; 0 before any.
    pub fn last_seq(&self) -> u64 {
        self.next_seq
    }

    /// The movements that are remembered, oldest first.
    pub fn movements(&self) -> &VecDeque<Movement> {
        &self.movements
    }

    /// The movement of this number, if it is remembered.
    pub fn movement(&self, seq: u64) -> Option<&Movement> {
        let first = self.movements.front()?.seq;
        self.movements.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// The transaction with this receipt.
    pub fn transaction(&self, receipt: &str) -> Option<&Movement> {
        self.movement(*self.by_receipt.get(receipt)?)
    }

    /// The reversal of the transaction with this receipt.
    pub fn reversal_of(&self, receipt: &str) -> Option<&Movement> {
        self.movement(*self.reversed.get(receipt)?)
    }

    /// Movements not handed out for saving yet.
    pub fn take_unsaved(&mut self) -> Vec<Movement> {
        let from = self.movements.len() - std::mem::take(&mut self.unsaved);
        self.movements.range(from..).cloned().collect()
    }
}

fn add(balances: &mut BTreeMap<Account, i64>, movement: &Movement) {
    for (account, cents) in [(&movement.from, -movement.amount.0), (&movement.to, movement.amount.0)] {
        match balances.get_mut(account) {
            Some(balance) => *balance += cents,
            None => {
                balances.insert(account.clone(), cents);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Book, MovementKind};
    use jirani_units::{Cents, Timestamp};
    use proptest::prelude::*;

    fn account(index: u8) -> Account {
        match index % 5 {
            0 => Account::Outside,
            4 => Account::working("600966"),
            1 => Account::utility("600966"),
            2 => Account::charges("600992"),
            _ => Account::Customer("0712000111".parse().unwrap()),
        }
    }

    proptest! {
        #[test]
        fn all_accounts_together_hold_zero_whatever_is_forgotten(moves in prop::collection::vec((0..5_u8, 0..5_u8, -5..1_000_i64), 0..50), most in 0..20_usize) {
            let mut book = Book::default();
            for (from, to, amount) in moves {
                book.move_money(Timestamp(0), MovementKind::PayBill, (account(from), account(to)), Cents(amount), (None, None));
            }
            book.take_unsaved();
            book.forget_beyond(most);
            prop_assert!(book.movements().len() <= most);
            for index in 0..5 {
                let account = account(index);
                let came: i64 = book.movements().iter().filter(|m| m.to == account).map(|m| m.amount.0).sum();
                let went: i64 = book.movements().iter().filter(|m| m.from == account).map(|m| m.amount.0).sum();
                prop_assert_eq!(book.balance(&account).0, book.carried(&account).0 + came - went);
            }
            prop_assert_eq!(book.balances().map(|(_, cents)| cents).sum::<Cents>(), Cents::ZERO);
        }
    }

    #[test]
    fn accounts_survive_being_written_down() {
        for index in 0..5 {
            assert_eq!(account(index).to_string().parse(), Ok(account(index)));
        }
        assert!("600966/pocket".parse::<Account>().is_err());
    }
}
