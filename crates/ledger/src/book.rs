//! The whole ledger in memory: for tests, tools and recomputing balances.

use crate::account::Account;
use crate::balance::{AccountBalance, Balances};
use crate::refusal::{GroupRefusal, Posting, Refusal};
use crate::rules::{Decision, Facts, decide};
use crate::transfer::{Transfer, TransferId};
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

    /// Applies a group of linked transfers: all of them, or none. A later one may end
    /// a hold, or spend money, of an earlier one.
    pub fn apply_group(&mut self, group: &[Transfer]) -> Result<Vec<Posting>, GroupRefusal> {
        let mut applied: Vec<(&Transfer, [Option<AccountBalance>; 2])> = Vec::with_capacity(group.len());
        let mut postings = Vec::with_capacity(group.len());
        for (index, transfer) in group.iter().enumerate() {
            let before =
                [transfer.debit, transfer.credit].map(|account| self.balances.get(&account).copied());
            match self.apply(transfer) {
                Ok(posting) => {
                    if posting == Posting::Applied {
                        applied.push((transfer, before));
                    }
                    postings.push(posting);
                }
                Err(refusal) => {
                    for (transfer, before) in applied.into_iter().rev() {
                        self.undo(transfer, before);
                    }
                    return Err(GroupRefusal { index, refusal });
                }
            }
        }
        Ok(postings)
    }

    /// Takes the newest transfer back; `before` is what stood on its two accounts, if
    /// anything.
    fn undo(&mut self, transfer: &Transfer, before: [Option<AccountBalance>; 2]) {
        self.transfers.remove(&transfer.id);
        if let Some(hold) = transfer.kind.hold() {
            self.ended.remove(&hold);
        }
        for (account, balance) in [transfer.debit, transfer.credit].into_iter().zip(before) {
            match balance {
                Some(balance) => self.balances.insert(account, balance),
                None => self.balances.remove(&account),
            };
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
