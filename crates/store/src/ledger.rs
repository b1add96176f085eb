//! Reading the ledger.

use jirani_ledger::{Account, Transfer};
use jirani_units::Cents;

/// A journal row: a transfer, its place, and the chain of hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// 1, 2, 3, ... without gaps.
    pub sequence: u64,
    /// The transfer.
    pub transfer: Transfer,
    /// SHA-256 over the previous row's hash and this row's canonical bytes.
    pub hash: [u8; 32],
}

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
}

/// Every account with its balance.
pub type Balances = Vec<(Account, AccountBalance)>;
