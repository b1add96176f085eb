//! Reads the whole journal and recounts it: the chain of hashes, every rule at
//! every row, and the balances that the store keeps beside it.

use crate::error::StoreError;
use crate::ledger::JournalRow;
use crate::verbs::{PAGE_MAX, Store};
use jirani_ledger::chain::{Alteration, Broken, Verifier, alteration};
use jirani_ledger::{Account, AccountBalance, Decision, Facts, Kind, Refusal, Transfer, TransferId, decide};
use std::collections::{BTreeMap, HashMap};

/// How often balances are compared again because rows came in meanwhile.
const TRIES: usize = 64;

/// A journal that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows.
    pub rows: u64,
    /// Hash of the last one; zeroes when there is none. Kept elsewhere, it shows
    /// later that history was not rewritten as a whole.
    pub head: [u8; 32],
}

/// The first thing in the journal that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A row was altered, dropped or moved.
    #[error("{broken}{}", .what.map_or("", of))]
    Chain {
        /// The first such row.
        broken: Broken,
        /// What was done to it, if it was altered.
        what: Option<Alteration>,
    },
    /// A row is chained in, but the rules would have refused it.
    #[error("ledger.row_against_rules: journal row {sequence} should have been refused ({refusal})")]
    Rule {
        /// The row.
        sequence: u64,
        /// Why it should have been refused.
        refusal: Refusal,
    },
    /// A stored balance is not what the rows make.
    #[error("ledger.balance_differs: {account} is kept as {stored:?}, its rows make {counted:?}")]
    Balance {
        /// The account.
        account: Account,
        /// As kept.
        stored: AccountBalance,
        /// As counted.
        counted: AccountBalance,
    },
    /// The journal grows too fast to be compared with its balances.
    #[error("ledger.too_busy: the ledger changes too fast to be verified now; try again when it is quieter")]
    TooBusy,
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const fn of(what: Alteration) -> &'static str {
    match what {
        Alteration::Content => ": its content is not what was hashed; its hash and the rows after it are",
        Alteration::Hash => ": its stored hash alone was changed; its content and the rows after it hold",
        Alteration::History => ": its content and its hash, or everything from it on",
    }
}

/// Balances and open holds, row by row: memory for accounts, not for rows.
#[derive(Default)]
struct Recount {
    chain: Verifier,
    balances: BTreeMap<Account, AccountBalance>,
    holds: HashMap<TransferId, Transfer>,
}

impl Recount {
    fn balance(&self, account: Account) -> AccountBalance {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    fn take(&mut self, row: JournalRow) -> Result<(), VerifyError> {
        let JournalRow { sequence, transfer, hash } = row;
        self.chain
            .check(sequence, &transfer, &hash)
            .map_err(|broken| VerifyError::Chain { broken, what: None })?;
        let ended = transfer.kind.hold();
        let facts = Facts {
            earlier: None,
            hold: ended.and_then(|hold| self.holds.get(&hold)),
            hold_ended: false,
            debit: self.balance(transfer.debit),
            credit: self.balance(transfer.credit),
        };
        let decision =
            decide(&transfer, &facts).map_err(|refusal| VerifyError::Rule { sequence, refusal })?;
        if let Decision::Apply { debit, credit } = decision {
            self.balances.insert(transfer.debit, debit);
            self.balances.insert(transfer.credit, credit);
        }
        if let Some(hold) = ended {
            self.holds.remove(&hold);
        }
        if transfer.kind == Kind::Hold {
            self.holds.insert(transfer.id, transfer);
        }
        Ok(())
    }

    /// Takes what is new in the journal; true if anything was.
    async fn catch_up(&mut self, store: &dyn Store) -> Result<bool, VerifyError> {
        let start = self.chain.head().0;
        loop {
            let rows = store.journal_after(self.chain.head().0, PAGE_MAX).await?;
            if rows.is_empty() {
                return Ok(self.chain.head().0 > start);
            }
            for row in rows {
                match self.take(row) {
                    Err(VerifyError::Chain { broken: broken @ Broken::Altered { sequence }, .. }) => {
                        let what = self.alteration(store, sequence).await?;
                        return Err(VerifyError::Chain { broken, what });
                    }
                    done => done?,
                }
            }
        }
    }

    /// What was done to the altered row `sequence`, told by the row after it.
    async fn alteration(&self, store: &dyn Store, sequence: u64) -> Result<Option<Alteration>, StoreError> {
        let rows = store.journal_after(self.chain.head().0, 2).await?;
        let Some((row, rest)) = rows.split_first().filter(|(row, _)| row.sequence == sequence) else {
            return Ok(None);
        };
        let next = rest.first().filter(|next| next.sequence == sequence + 1);
        let next = next.map(|next| (&next.transfer, &next.hash));
        Ok(Some(alteration(&self.chain.head().1, (sequence, &row.transfer, &row.hash), next)))
    }
}

/// Verifies the ledger of `store`; names the first bad row or balance.
pub async fn verify_ledger(store: &dyn Store) -> Result<Verified, VerifyError> {
    let mut recount = Recount::default();
    recount.catch_up(store).await?;
    for _ in 0..TRIES {
        let stored: BTreeMap<Account, AccountBalance> = store.balances().await?.into_iter().collect();
        // Balances are of one moment; if rows came before it, count them first.
        if recount.catch_up(store).await? {
            continue;
        }
        let accounts = stored.keys().chain(recount.balances.keys());
        for account in accounts {
            let counted = recount.balance(*account);
            let stored = stored.get(account).copied().unwrap_or_default();
            if stored != counted {
                return Err(VerifyError::Balance { account: *account, stored, counted });
            }
        }
        let (rows, head) = recount.chain.head();
        return Ok(Verified { rows, head });
    }
    Err(VerifyError::TooBusy)
}
