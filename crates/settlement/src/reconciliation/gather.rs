//! Our side: the ledger's rows on M-Pesa's accounts, each with the numbers M-Pesa may
//! know it by and the time in which M-Pesa did it.
//!
//! A row's id is made from the number it is about, so M-Pesa's numbers are tried on
//! the rows, not the other way round; payments and payouts are named by their records
//! besides, so that one that M-Pesa does not list has a name as well.

use crate::float;
use crate::float::record::FloatState;
use crate::service::Settlement;
use jirani_ledger::templates::shortcodes::Shortcode;
use jirani_ledger::templates::{collections, payouts, reversals, review, shortcodes};
use jirani_ledger::{Account, Kind as Step, Reason, Transfer, TransferId};
use jirani_reconciliation::{Kind, MARGIN_S, Ours, Purse, Theirs};
use jirani_store::{JournalRow, StoreError};
use jirani_units::{Cents, Receipt, Timestamp};
use std::collections::{HashMap, HashSet};
use std::future::Future;

/// Rows of one page.
const PAGE: u32 = 1_000;
/// M-Pesa's clock and ours may differ by so much, in seconds.
const SKEW_S: i64 = 300;
/// Moves of float that are named: more than two days have.
const MOVES: u32 = 200;
/// Readings of an account until nothing was posted meanwhile, at most.
const READINGS_MAX: usize = 5;

/// Every account of ours at M-Pesa with its account in the ledger.
const PURSES: [(Purse, Account); 3] = [
    (Purse::Collection, Account::MpesaCollection),
    (Purse::Payout, Account::MpesaPayout),
    (Purse::Charges, Account::MpesaCharges),
];

/// Our account, as the ledger's templates name it.
pub(super) const fn shortcode(purse: Purse) -> Shortcode {
    match purse {
        Purse::Collection => Shortcode::Collection,
        Purse::Payout => Shortcode::Payout,
        Purse::Charges => Shortcode::Charges,
    }
}

/// What a row's id says it is about.
struct Named {
    receipt: Receipt,
    kind: Kind,
    /// When M-Pesa says it was, where known.
    at: Option<Timestamp>,
}

/// Our side.
pub(super) struct OurBooks {
    pub(super) lines: Vec<Ours>,
    totals: [Cents; 3],
}

impl OurBooks {
    /// Our balance of these accounts.
    pub(super) fn total(&self, purses: &[Purse]) -> Cents {
        let wanted = PURSES.iter().zip(self.totals).filter(|((purse, _), _)| purses.contains(purse));
        wanted.map(|(_, total)| total).sum()
    }
}

/// Names that M-Pesa's lines give to rows of ours.
fn names_of(theirs: &[Theirs]) -> HashMap<TransferId, Named> {
    let mut names = HashMap::new();
    let (one, at) = (Cents(1), Timestamp::from_seconds(0));
    for line in theirs {
        for receipt in [&line.receipt, &line.linked].into_iter().flatten() {
            let mut name = |transfer: Transfer, kind: Kind| {
                let named = Named { receipt: receipt.clone(), kind, at: None };
                names.entry(transfer.id).or_insert(named);
            };
            for taken in reversals::reversed(receipt, one, reversals::ReversedFrom::Suspense, at) {
                name(taken, Kind::Reversal);
            }
            name(review::refunded(receipt, review::RefundedFrom::Suspense, one, at), Kind::Reversal);
            name(shortcodes::charged(receipt, one, at), Kind::Charge);
            name(shortcodes::float_deposited(receipt, Shortcode::Payout, one, at), Kind::Deposit);
            name(shortcodes::swept(receipt, Shortcode::Payout, one, at), Kind::Withdrawal);
            name(collections::collected(receipt, one, at), Kind::Payment);
            // Found money is whatever M-Pesa calls it.
            if line.receipt.as_ref() == Some(receipt) && line.kind != Kind::Charge {
                name(shortcodes::found(receipt, Shortcode::Payout, one, at), line.kind);
            }
        }
    }
    names
}

/// What a row is, by its reason.
const fn kind_of(reason: Reason) -> Kind {
    match reason {
        Reason::Collection => Kind::Payment,
        Reason::Payout => Kind::Payout,
        Reason::PayoutCharge | Reason::MpesaCharge => Kind::Charge,
        Reason::Reversal | Reason::Refund => Kind::Reversal,
        Reason::FloatMove => Kind::FloatMove,
        Reason::FloatDeposit => Kind::Deposit,
        Reason::BankSweep | Reason::TaxPayment => Kind::Withdrawal,
        _ => Kind::Other,
    }
}

/// What a row moves on `account`; `None` when nothing.
fn moved(transfer: &Transfer, account: Account) -> Option<Cents> {
    match transfer.kind {
        Step::Posted | Step::Post(_) if transfer.debit == account => Some(transfer.amount),
        Step::Posted | Step::Post(_) if transfer.credit == account => Some(Cents(-transfer.amount.0)),
        _ => None,
    }
}

/// A row that was undone, and what undoes it, cancel each other out.
fn without_undone(rows: Vec<JournalRow>) -> Vec<JournalRow> {
    let undoing = |row: &JournalRow| {
        review::corrected(row.sequence, &row.transfer, row.transfer.at).map(|undone| undone.id)
    };
    let ids: HashSet<TransferId> = rows.iter().map(|row| row.transfer.id).collect();
    let undone: HashSet<TransferId> = rows.iter().filter_map(undoing).filter(|id| ids.contains(id)).collect();
    rows.into_iter()
        .filter(|row| {
            !undone.contains(&row.transfer.id) && undoing(row).is_none_or(|id| !undone.contains(&id))
        })
        .collect()
}

/// The last place whose row is before `since`: rows stand in the order of time.
/// `at(place)` is the time of the first row after `place`; `None` when there is none.
async fn place_before<F>(since: Timestamp, at: impl Fn(u64) -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<Option<Timestamp>, StoreError>>,
{
    let is_before = async |place: u64| Ok::<_, StoreError>(at(place).await?.is_some_and(|row| row < since));
    let (mut low, mut high) = (0_u64, 1_u64);
    if !is_before(0).await? {
        return Ok(0);
    }
    while is_before(high).await? {
        (low, high) = (high, high.saturating_mul(2));
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if is_before(middle).await? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

impl Settlement {
    /// Our lines that M-Pesa may have done from `from` on, and our balances.
    pub(super) async fn our_books(&self, theirs: &[Theirs], from: Timestamp) -> Result<OurBooks, StoreError> {
        let since = from.plus_seconds(-MARGIN_S);
        let mut names = names_of(theirs);
        self.name_payments(&mut names, since).await?;
        self.name_moves(&mut names).await?;
        let (mut lines, mut totals) = (Vec::new(), [Cents::ZERO; 3]);
        for ((purse, account), total) in PURSES.into_iter().zip(&mut totals) {
            let rows;
            (rows, *total) = self.rows_of(account, since).await?;
            for row in without_undone(rows) {
                let Some(amount) = moved(&row.transfer, account) else { continue };
                lines.push(self.our_line(purse, &row, amount, &names).await?);
            }
        }
        Ok(OurBooks { lines, totals })
    }

    async fn rows_of(
        &self,
        account: Account,
        since: Timestamp,
    ) -> Result<(Vec<JournalRow>, Cents), StoreError> {
        let after = place_before(since, |place| async move {
            Ok(self.store.journal_after(place, 1).await?.first().map(|row| row.transfer.at))
        })
        .await?;
        let mut rows = Vec::new();
        let mut place = after;
        let mut balance = self.store.balance(account).await?;
        for _ in 0..READINGS_MAX {
            loop {
                let page = self.store.journal_of_after(account, place, PAGE).await?;
                let Some(last) = page.last() else { break };
                place = last.sequence;
                rows.extend(page);
            }
            let again = self.store.balance(account).await?;
            if again == balance {
                break;
            }
            balance = again;
        }
        Ok((rows, balance.net_debit()))
    }

    async fn name_payments(
        &self,
        names: &mut HashMap<TransferId, Named>,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut place = place_before(since, |place| async move {
            Ok(self.store.receipts_after(place, 1).await?.first().map(|(_, record)| record.received_at))
        })
        .await?;
        loop {
            let page = self.store.receipts_after(place, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            place = *last;
            for (_, record) in page {
                let id = collections::collected(&record.receipt, record.amount, record.paid_at).id;
                let at = Some(record.paid_at);
                names.insert(id, Named { receipt: record.receipt, kind: Kind::Payment, at });
            }
        }
    }

    /// The last moves of float, as far as M-Pesa has told their numbers.
    async fn name_moves(&self, names: &mut HashMap<TransferId, Named>) -> Result<(), StoreError> {
        for record in self.float_moves(MOVES).await? {
            if let FloatState::Moved(Some(receipt)) = record.state.clone() {
                let named = Named { receipt, kind: Kind::FloatMove, at: None };
                names.insert(float::hold(&record).id, named);
            }
        }
        Ok(())
    }

    async fn our_line(
        &self,
        purse: Purse,
        row: &JournalRow,
        amount: Cents,
        names: &HashMap<TransferId, Named>,
    ) -> Result<Ours, StoreError> {
        let transfer = &row.transfer;
        let mut line = Ours {
            purse,
            kind: kind_of(transfer.reason),
            names: Vec::new(),
            amount_cents: amount,
            earliest: transfer.at.plus_seconds(-MARGIN_S),
            latest: transfer.at.plus_seconds(SKEW_S),
            sequence: row.sequence,
            about: transfer.memo.clone(),
        };
        let payout = match payouts::payout_of(transfer) {
            Some(id) => self.store.payout(id).await?,
            None => None,
        };
        if let Some(payout) = payout {
            line.earliest = payout.created_at.plus_seconds(-SKEW_S);
            line.names.extend(payout.receipt);
            return Ok(line);
        }
        if let Some(named) = names.get(&transfer.kind.hold().unwrap_or(transfer.id)) {
            line.names.push(named.receipt.clone());
            line.kind = named.kind;
            if let Some(at) = named.at {
                line.earliest = at.plus_seconds(-SKEW_S);
                line.latest = at.plus_seconds(SKEW_S);
            }
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_place_is_found_among_rows_in_the_order_of_time() {
        for length in [0_u64, 1, 2, 3, 7, 8, 1_000] {
            for since in [0, 1, 2, 5, 8, 500, 999, 1_000, 2_000] {
                // Row n is at second n; rows count from 1.
                let at = |place: u64| async move {
                    let next = place + 1;
                    Ok((next <= length).then(|| Timestamp::from_seconds(next.try_into().unwrap())))
                };
                let since_at = Timestamp::from_seconds(since.try_into().unwrap());
                let place = place_before(since_at, at).await.unwrap();
                // Nothing at or after the moment is skipped, and little is read in vain.
                assert!(place < since.max(1), "{length} {since} {place}");
                assert!(place + 1 >= (since.saturating_sub(1)).min(length), "{length} {since} {place}");
            }
        }
    }
}
