//! M1 to M3: the ledger, every row applied again by its rules.

use super::Material;
use crate::audit::Finding;
use crate::bundle::{TransferLine, account};
use jirani_ledger::{Account, Book, Kind, Posting, Reason, Refusal, Transfer, TransferId};
use jirani_units::{Cents, Timestamp};
use std::collections::BTreeMap;

/// The ledger as its rows make it, or the first row that does not fit.
fn booked(material: &Material) -> Result<Book, (u64, String, Option<Refusal>)> {
    let mut book = Book::default();
    for (expected, line) in (1..).zip(&material.bundle.transfers) {
        if line.sequence != expected {
            return Err((expected, "is missing".to_owned(), None));
        }
        let transfer = transfer(line).ok_or((expected, "is no transfer".to_owned(), None))?;
        match book.apply(&transfer) {
            Ok(Posting::Applied) => {}
            Ok(Posting::AlreadyApplied) => return Err((expected, "repeats another row".to_owned(), None)),
            Err(refusal) => return Err((expected, refusal.to_string(), Some(refusal))),
        }
    }
    Ok(book)
}

fn transfer(line: &TransferLine) -> Option<Transfer> {
    let id = |text: &str| {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| TransferId(bytes))
    };
    let hold = match &line.hold {
        Some(text) => Some(id(text)?),
        None => None,
    };
    Some(Transfer {
        id: id(&line.id)?,
        debit: account(&line.debit)?,
        credit: account(&line.credit)?,
        amount: Cents(line.amount_cents),
        reason: Reason::ALL.into_iter().find(|reason| reason.name() == line.reason)?,
        kind: Kind::from_code(line.kind, hold)?,
        memo: String::new(),
        at: Timestamp(line.at_us),
    })
}

/// Rows without a gap, each by the rules of double entry, all accounts summing to zero;
/// every daily balance is what the rows until then make.
pub fn m1(material: &Material) -> Finding {
    let book = match booked(material) {
        Ok(book) => book,
        // Overdrawing is M3's.
        Err((_, _, Some(Refusal::InsufficientBalance))) => {
            return Finding::NotChecked("the ledger is overdrawn (M3)".to_owned());
        }
        Err((row, what, _)) => return Finding::Violated(format!("journal row {row} {what}")),
    };
    let sum: i64 = book.balances().iter().map(|(_, balance)| balance.net().0).sum();
    if sum != 0 {
        return Finding::Violated(format!("all accounts sum to {}", Cents(sum)));
    }
    Finding::from_difference(daily_differs(material))
}

/// The first daily balance that the rows do not make, or that is missing.
fn daily_differs(material: &Material) -> Option<String> {
    let mut balances: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut expected: BTreeMap<(String, &str), (i64, i64)> = BTreeMap::new();
    let mut day = String::new();
    let mut holds: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &material.bundle.transfers {
        day = day.max(Timestamp(line.at_us).to_string().chars().take(10).collect());
        let amount = line.amount_cents;
        let (posted, held) = match line.kind {
            0 => (amount, 0),
            1 => {
                holds.insert(&line.id, amount);
                (0, amount)
            }
            // A hold that is posted in part is let go of whole.
            kind => {
                let held = line.hold.as_deref().and_then(|hold| holds.remove(hold)).unwrap_or(0);
                (if kind == 2 { amount } else { 0 }, -held)
            }
        };
        let debit = balances.entry(&line.debit).or_default();
        (debit.0, debit.1) = (debit.0 - posted, debit.1 + held);
        let debit = *debit;
        expected.insert((day.clone(), &line.debit), debit);
        let credit = balances.entry(&line.credit).or_default();
        credit.0 += posted;
        let credit = *credit;
        expected.insert((day.clone(), &line.credit), credit);
    }
    for line in &material.bundle.balances {
        let counted = expected.remove(&(line.day.clone(), line.account.as_str()));
        if counted != Some((line.net_cents, line.held_cents)) {
            return Some(format!(
                "{} at the end of {}: the bundle says {}, its rows {}",
                line.account,
                line.day,
                Cents(line.net_cents),
                counted.map_or_else(|| "nothing".to_owned(), |(net, _)| Cents(net).to_string())
            ));
        }
    }
    expected.keys().next().map(|(day, account)| format!("{account} moved on {day} and has no balance then"))
}

/// M-Pesa's money = balances + operator + clearing + suspense - receivables.
pub fn m2(material: &Material) -> Finding {
    let Ok(book) = booked(material) else {
        return Finding::NotChecked("the ledger's rows do not fit (M1, M3)".to_owned());
    };
    let (mut assets, mut owed) = (0i64, 0i64);
    for (account, balance) in book.balances() {
        if account.is_asset() && !matches!(account, Account::ReversalsReceivable(_)) {
            assets -= balance.net().0;
        } else {
            owed += balance.net().0;
        }
    }
    Finding::from_difference((assets != owed).then(|| {
        format!(
            "M-Pesa holds {}, balances, operator, clearing and suspense less receivables are {}",
            Cents(assets),
            Cents(owed)
        )
    }))
}

/// No available balance is negative after any row.
pub fn m3(material: &Material) -> Finding {
    match booked(material) {
        Ok(_) => Finding::Holds,
        Err((row, _, Some(Refusal::InsufficientBalance))) => {
            Finding::Violated(format!("journal row {row} takes more than there was"))
        }
        Err((row, what, _)) => Finding::NotChecked(format!("journal row {row} {what} (M1)")),
    }
}
