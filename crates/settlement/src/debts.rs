//! What households owe after M-Pesa took payments back: paid from the first money
//! that reaches their balance, in the commit that brings it.

use crate::notice::Notice;
use jirani_ledger::templates::reversals::recovered;
use jirani_ledger::{Account, AccountBalance, Balances, Kind, TransferId};
use jirani_store::Change;
use jirani_units::{Cents, HouseholdId, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::sync::{PoisonError, RwLock};
use tokio::sync::{Mutex, MutexGuard};

/// Who owes, as the ledger has it; and a lock for whoever lets a debt be paid, since
/// two commits must not both pay the same debt.
#[derive(Default)]
pub(crate) struct Debts {
    owing: RwLock<HashSet<HouseholdId>>,
    paying: Mutex<()>,
}

/// Money that becomes free on a balance, and the transfer that frees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gain {
    pub(crate) household: HouseholdId,
    amount: Cents,
    cause: TransferId,
}

impl Debts {
    /// Learns who owes from all balances.
    pub(crate) fn learn(&self, balances: &Balances) {
        let owing = balances.iter().filter_map(|(account, balance)| match account {
            Account::ReversalsReceivable(household) if balance.net_debit().is_positive() => Some(*household),
            _ => None,
        });
        *self.owing.write().unwrap_or_else(PoisonError::into_inner) = owing.collect();
    }

    pub(crate) fn owes(&self, household: HouseholdId) {
        self.owing.write().unwrap_or_else(PoisonError::into_inner).insert(household);
    }

    pub(crate) fn is_free(&self, household: HouseholdId) {
        self.owing.write().unwrap_or_else(PoisonError::into_inner).remove(&household);
    }

    pub(crate) async fn paying(&self) -> MutexGuard<'_, ()> {
        self.paying.lock().await
    }

    /// What `changes` bring to households that owe.
    pub(crate) fn gains(&self, changes: &[Change]) -> Vec<Gain> {
        let owing = self.owing.read().unwrap_or_else(PoisonError::into_inner);
        if owing.is_empty() {
            return Vec::new();
        }
        let mut gains: BTreeMap<HouseholdId, Gain> = BTreeMap::new();
        for change in changes {
            let Change::Post(transfer) = change else { continue };
            let gained = match (transfer.debit, transfer.credit, transfer.kind) {
                (_, Account::Household(household), Kind::Posted)
                | (Account::Household(household), _, Kind::Void(_)) => (household, transfer.amount.0),
                (Account::Household(household), _, Kind::Posted) => (household, -transfer.amount.0),
                _ => continue,
            };
            let (household, cents) = gained;
            if owing.contains(&household) {
                let gain = Gain { household, amount: Cents::ZERO, cause: transfer.id };
                gains.entry(household).or_insert(gain).amount.0 += cents;
            }
        }
        gains.into_values().filter(|gain| gain.amount.is_positive()).collect()
    }
}

impl Gain {
    /// What of it pays the debt that `receivable` shows, and what is owed then.
    pub(crate) fn pays(&self, receivable: &AccountBalance, at: Timestamp) -> (Vec<Change>, Cents) {
        let owed = receivable.net_debit();
        let paid = owed.min(self.amount);
        let left = Cents(owed.0 - paid.0);
        if !paid.is_positive() {
            return (Vec::new(), owed);
        }
        let notice = Notice::DebtPaid(self.cause, paid, left).to(self.household, at);
        (vec![Change::Post(recovered(self.household, paid, self.cause, at)), notice], left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{BUYER, SELLER};
    use jirani_ledger::templates::{collections, payouts};
    use jirani_units::PayoutId;

    const NOW: Timestamp = Timestamp(5);

    fn owing(cents: i64) -> AccountBalance {
        AccountBalance { debits: Cents(cents), ..AccountBalance::default() }
    }

    fn credit(household: HouseholdId, cents: i64) -> Change {
        let receipt = "UJ32ABCDEF".parse().unwrap();
        let why = collections::CreditedFor::ByHand;
        Change::Post(collections::credited(&receipt, household, Cents(cents), why, NOW))
    }

    #[test]
    fn only_who_owes_pays_and_no_more_than_is_owed_or_came_in() {
        let debts = Debts::default();
        assert_eq!(debts.gains(&[credit(BUYER, 500)]), []);
        debts.owes(BUYER);
        assert_eq!(debts.gains(&[credit(SELLER, 500)]), []);
        let gains = debts.gains(&[credit(BUYER, 500)]);
        for (owed, paid, left) in [(200, 200, 0), (500, 500, 0), (900, 500, 400)] {
            let (changes, rest) = gains[0].pays(&owing(owed), NOW);
            let Change::Post(transfer) = &changes[0] else { panic!("{changes:?}") };
            assert_eq!((transfer.amount, rest), (Cents(paid), Cents(left)));
            assert_eq!(transfer.credit, Account::ReversalsReceivable(BUYER));
        }
        assert_eq!(gains[0].pays(&owing(0), NOW).0.len(), 0);
        debts.is_free(BUYER);
        assert_eq!(debts.gains(&[credit(BUYER, 500)]), []);
    }

    #[test]
    fn a_hold_that_is_let_go_is_money_that_came_in() {
        let debts = Debts::default();
        debts.owes(BUYER);
        let payout =
            payouts::Payout { id: PayoutId(3), household: BUYER, sent: Cents(2_000), charge: Cents(500) };
        let of = |transfers: Vec<jirani_ledger::Transfer>| {
            let changes: Vec<Change> = transfers.into_iter().map(Change::Post).collect();
            debts.gains(&changes).iter().map(|gain| gain.amount.0).collect::<Vec<_>>()
        };
        assert_eq!(of(payouts::failed(&payout, NOW)), [2_500]);
        assert_eq!(of(payouts::holds(&payout, NOW)), [0_i64; 0]);
        assert_eq!(of(payouts::paid(&payout, Cents(500), NOW)), [0_i64; 0]);
    }
}
