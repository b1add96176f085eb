//! M1 to M3: the ledger against itself. Balances are recounted here from the
//! journal, without the code that keeps them.

use super::{Evidence, Finding};
use jirani_ledger::{Account, Kind, Transfer, TransferId, chain::Verifier};
use jirani_store::AccountBalance;
use jirani_units::Cents;
use std::collections::{BTreeMap, HashMap};

/// What a row moves at once and what it sets aside (or, below zero, lets go of): a
/// hold that is posted in part is let go of whole.
fn moves(transfer: &Transfer, holds: &mut HashMap<TransferId, i64>) -> (i64, i64) {
    let amount = transfer.amount.0;
    let mut ended = |hold| holds.remove(&hold).unwrap_or(0);
    match transfer.kind {
        Kind::Posted => (amount, 0),
        Kind::Hold => {
            holds.insert(transfer.id, amount);
            (0, amount)
        }
        Kind::Post(hold) => (amount, -ended(hold)),
        Kind::Void(hold) => (0, -ended(hold)),
    }
}

/// Balances as the journal's rows say.
pub fn recount(evidence: &Evidence) -> BTreeMap<Account, AccountBalance> {
    let mut balances: BTreeMap<Account, AccountBalance> = BTreeMap::new();
    let mut holds: HashMap<TransferId, i64> = HashMap::new();
    for row in &evidence.journal {
        let transfer = &row.transfer;
        let (posted, held) = moves(transfer, &mut holds);
        let debit = balances.entry(transfer.debit).or_default();
        debit.debits = Cents(debit.debits.0 + posted);
        debit.debits_held = Cents(debit.debits_held.0 + held);
        let credit = balances.entry(transfer.credit).or_default();
        credit.credits = Cents(credit.credits.0 + posted);
        credit.credits_held = Cents(credit.credits_held.0 + held);
    }
    balances
}

/// Every row moves one positive amount between two accounts, no row was altered or
/// removed, the stored balances are the journal's, and all of them sum to zero.
pub fn m1(evidence: &Evidence) -> Finding {
    let mut verifier = Verifier::new();
    for row in &evidence.journal {
        if let Err(broken) = verifier.check(row.sequence, &row.transfer, &row.hash) {
            return Finding::Violated(broken.to_string());
        }
        if !row.transfer.amount.is_positive() || row.transfer.debit == row.transfer.credit {
            return Finding::Violated(format!("journal row {} moves nothing", row.sequence));
        }
    }
    let recounted = recount(evidence);
    for (account, stored) in &evidence.balances {
        let counted = recounted.get(account).copied().unwrap_or_default();
        if counted != *stored {
            return Finding::Violated(format!(
                "{account}: the journal says {}, the stored balance {}",
                counted.net(),
                stored.net()
            ));
        }
    }
    if let Some((account, _)) =
        recounted.iter().find(|(account, _)| !evidence.balances.iter().any(|(found, _)| found == *account))
    {
        return Finding::Violated(format!("{account} has rows and no stored balance"));
    }
    let sum: i64 = evidence.balances.iter().map(|(_, balance)| balance.net().0).sum();
    Finding::from_difference((sum != 0).then(|| format!("all accounts sum to {}", Cents(sum))))
}

/// M-Pesa's money = balances + operator + clearing + suspense - receivables.
pub fn m2(evidence: &Evidence) -> Finding {
    let (mut assets, mut receivables, mut owed) = (0i64, 0i64, 0i64);
    for (account, balance) in recount(evidence) {
        let net = balance.net().0;
        match account {
            Account::ReversalsReceivable(_) => receivables -= net,
            account if account.is_asset() => assets -= net,
            _ => owed += net,
        }
    }
    Finding::from_difference((assets != owed - receivables).then(|| {
        format!(
            "M-Pesa holds {}, balances, operator, clearing and suspense less receivables are {}",
            Cents(assets),
            Cents(owed - receivables)
        )
    }))
}

/// No available balance is negative, now or after any row of the journal.
pub fn m3(evidence: &Evidence) -> Finding {
    let mut available: BTreeMap<Account, i64> = BTreeMap::new();
    let mut holds: HashMap<TransferId, i64> = HashMap::new();
    for row in &evidence.journal {
        let transfer = &row.transfer;
        let (posted, held) = moves(transfer, &mut holds);
        *available.entry(transfer.credit).or_default() += posted;
        let left = available.entry(transfer.debit).or_default();
        *left -= posted + held;
        if *left < 0 && matches!(transfer.debit, Account::Household(_)) {
            return Finding::Violated(format!(
                "{} was overdrawn by {} at journal row {}",
                transfer.debit,
                Cents(-*left),
                row.sequence
            ));
        }
    }
    Finding::Holds
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_chain::ChainSnapshot;
    use jirani_ledger::Reason;
    use jirani_store::JournalRow;
    use jirani_units::{HouseholdId, Timestamp};

    fn evidence(transfers: Vec<Transfer>) -> Evidence {
        let (mut journal, mut hash) = (Vec::new(), None);
        for (index, transfer) in transfers.into_iter().enumerate() {
            let sequence = index as u64 + 1;
            let previous = hash.unwrap_or(jirani_ledger::chain::GENESIS);
            let own = jirani_ledger::chain::hash(&previous, sequence, &transfer);
            hash = Some(own);
            journal.push(JournalRow { sequence, transfer, hash: own });
        }
        let mut evidence = Evidence {
            chain: ChainSnapshot::default(),
            attested: Vec::new(),
            journal,
            balances: Vec::new(),
            orders: Vec::new(),
            receipts: Vec::new(),
            payouts: Vec::new(),
            proof_key: ([0; 32], String::new()),
            guarantee: Finding::Holds,
        };
        evidence.balances = recount(&evidence).into_iter().collect();
        evidence
    }

    fn transfer(debit: Account, credit: Account, amount: i64, kind: Kind, key: &str) -> Transfer {
        Transfer {
            id: TransferId::derive("test", key.as_bytes()),
            debit,
            credit,
            amount: Cents(amount),
            reason: Reason::Collection,
            kind,
            memo: String::new(),
            at: Timestamp(0),
        }
    }

    fn household() -> Account {
        Account::Household(HouseholdId(7))
    }

    #[test]
    fn a_sound_ledger_holds() {
        let hold = TransferId::derive("test", b"hold");
        let sound = evidence(vec![
            transfer(Account::MpesaCollection, household(), 500, Kind::Posted, "in"),
            transfer(household(), Account::MpesaPayout, 200, Kind::Hold, "hold"),
            transfer(household(), Account::MpesaPayout, 200, Kind::Post(hold), "out"),
        ]);
        for finding in [m1(&sound), m2(&sound), m3(&sound)] {
            assert_eq!(finding, Finding::Holds);
        }
    }

    #[test]
    fn a_hold_posted_in_part_frees_the_rest() {
        let hold = TransferId::derive("test", b"hold");
        let sound = evidence(vec![
            transfer(Account::MpesaCollection, household(), 500, Kind::Posted, "in"),
            transfer(household(), Account::MpesaPayout, 500, Kind::Hold, "hold"),
            transfer(household(), Account::MpesaPayout, 200, Kind::Post(hold), "part"),
            transfer(household(), Account::MpesaPayout, 300, Kind::Posted, "rest"),
        ]);
        assert_eq!(recount(&sound)[&household()].debits_held, Cents(0));
        for finding in [m1(&sound), m2(&sound), m3(&sound)] {
            assert_eq!(finding, Finding::Holds);
        }
    }

    #[test]
    fn an_altered_row_is_named() {
        let mut altered = evidence(vec![
            transfer(Account::MpesaCollection, household(), 500, Kind::Posted, "one"),
            transfer(Account::MpesaCollection, household(), 600, Kind::Posted, "two"),
        ]);
        altered.journal[1].transfer.amount = Cents(601);
        assert!(matches!(m1(&altered), Finding::Violated(text) if text.contains("row 2")));
    }

    #[test]
    fn a_balance_that_is_not_the_journals_is_named() {
        let mut wrong = evidence(vec![transfer(Account::MpesaCollection, household(), 5, Kind::Posted, "a")]);
        for (account, balance) in &mut wrong.balances {
            if *account == household() {
                balance.credits = Cents(6);
            }
        }
        assert!(matches!(m1(&wrong), Finding::Violated(text) if text.contains("household/7")));
    }

    #[test]
    fn an_overdraft_is_found_even_when_it_was_mended_later() {
        let overdrawn = evidence(vec![
            transfer(household(), Account::MpesaPayout, 100, Kind::Hold, "early"),
            transfer(Account::MpesaCollection, household(), 500, Kind::Posted, "late"),
        ]);
        assert!(matches!(m3(&overdrawn), Finding::Violated(text) if text.contains("row 1")));
    }
}
