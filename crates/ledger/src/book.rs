//! The whole ledger in memory: for tests, tools and recomputing balances.

use crate::account::Account;
use crate::balance::{AccountBalance, Balances};
use crate::rules::{Decision, Facts, decide};
use crate::transfer::{Posting, Refusal, Transfer, TransferId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Transfers applied so far and the balances they make.
#[derive(Clone, Debug, Default)]
pub struct Book {
    transfers: HashMap<TransferId, Transfer>,
    ended: HashSet<TransferId>,
    balances: BTreeMap<Account, AccountBalance>,
}

impl Book {
    /// Applies a transfer by the rules, or says why not.
    pub fn apply(&mut self, transfer: &Transfer) -> Result<Posting, Refusal> {
        let hold = transfer.kind.hold();
        let facts = Facts {
            earlier: self.transfers.get(&transfer.id),
            hold: hold.and_then(|hold| self.transfers.get(&hold)),
            hold_ended: hold.is_some_and(|hold| self.ended.contains(&hold)),
            debit: self.balance(transfer.debit),
            credit: self.balance(transfer.credit),
        };
        match decide(transfer, &facts)? {
            Decision::AlreadyApplied => Ok(Posting::AlreadyApplied),
            Decision::Apply { debit, credit } => {
                self.balances.insert(transfer.debit, debit);
                self.balances.insert(transfer.credit, credit);
                self.ended.extend(hold);
                self.transfers.insert(transfer.id, transfer.clone());
                Ok(Posting::Applied)
            }
        }
    }

    /// Balance of one account; zero when it has no rows.
    pub fn balance(&self, account: Account) -> AccountBalance {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    /// Every account that has rows, in order.
    pub fn balances(&self) -> Balances {
        self.balances.iter().map(|(account, balance)| (*account, *balance)).collect()
    }
}
