//! What stands on an account.

use crate::account::Account;
use jirani_units::Cents;

/// Balance of one account: four counters that only grow (holds fall when ended).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountBalance {
    /// Posted debits.
    pub debits: Cents,
    /// Posted credits.
    pub credits: Cents,
    /// Held debits, not yet posted or voided.
    pub debits_held: Cents,
    /// Held credits, not yet posted or voided.
    pub credits_held: Cents,
}

impl AccountBalance {
    /// Credits less debits.
    pub fn net(&self) -> Cents {
        Cents(self.credits.0 - self.debits.0)
    }

    /// What may be spent: net less held debits.
    pub fn available(&self) -> Cents {
        Cents(self.net().0 - self.debits_held.0)
    }

    /// Debits less credits: how an asset is counted.
    pub fn net_debit(&self) -> Cents {
        Cents(self.debits.0 - self.credits.0)
    }
}

/// Every account that has rows, with its balance.
pub type Balances = Vec<(Account, AccountBalance)>;
