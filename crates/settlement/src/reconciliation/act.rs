//! What an approved decision changes: read, decided by the ledger's templates, and
//! committed by the desk in one piece.

use super::gather::shortcode;
use crate::error::SettlementError;
use crate::float;
use crate::float::record::FloatEvent;
use crate::notice::Notice;
use crate::payout::decided_by_hand;
use crate::review::Matter;
use crate::service::Settlement;
use crate::step::Step;
use jirani_ledger::templates::{reversals, review, shortcodes};
use jirani_ledger::{Account, Reason, Transfer};
use jirani_reconciliation::Decision;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{
    Change, CollectionState, Event, JournalRow, PayoutState, ReceiptRecord, ReceiptUse, ReversalState,
};
use jirani_units::{Cents, Clock as _, HouseholdId, OrderId, PayoutId, Receipt};

type Acted = Result<Step, SettlementError>;

fn unfit(why: impl Into<String>) -> SettlementError {
    SettlementError::UnfitDecision(why.into())
}

impl Settlement {
    /// What `decision` would change now; an error says why it cannot be done.
    pub(super) async fn act(&self, decision: &Decision) -> Acted {
        let now = self.clock.now();
        let mut step = Step::default();
        match decision {
            Decision::Attach { receipt, household_id } => return self.attach(receipt, *household_id).await,
            Decision::PayoutPaid { payout_id, receipt } => {
                return self.decide_payout(*payout_id, Some(receipt)).await;
            }
            Decision::PayoutFailed { payout_id } => return self.decide_payout(*payout_id, None).await,
            Decision::FloatMoved { number, receipt } => {
                self.unused(receipt).await?;
                let seen = FloatEvent::OnStatement(Some(receipt.clone()));
                return self.decide_float(*number, &seen).await;
            }
            Decision::FloatFailed { number } => {
                return self.decide_float(*number, &FloatEvent::NotOnStatement).await;
            }
            Decision::CollectionUnpaid { order_id } => return self.unpaid(*order_id).await,
            Decision::WriteOff { receipt } => return self.write_off(receipt).await,
            Decision::Correct { sequence } => return self.correct(*sequence).await,
            Decision::BookFound { receipt, shortcode: on, amount_cents } => {
                if self.store.receipt(receipt).await?.is_some() {
                    return Err(unfit(format!("{receipt} is booked already")));
                }
                // One that M-Pesa took back before anybody told of it is in suspense and out again.
                self.not_ours(receipt).await?;
                let found = shortcodes::found(receipt, shortcode(*on), *amount_cents, now);
                step.change(Change::Post(found));
                // From here it is like any payment that nobody can name.
                step.change(Change::Receipt(ReceiptRecord {
                    receipt: receipt.clone(),
                    amount: *amount_cents,
                    paid_at: now,
                    payer: None,
                    used_for: ReceiptUse::Suspense,
                    received_at: now,
                    version: 0,
                }));
                step.review(
                    Matter::Suspense(receipt.clone()),
                    format!("{amount_cents} was found on M-Pesa's statement, and nobody can say whose it is"),
                );
            }
            Decision::BookDeposit { receipt, shortcode: to, amount_cents } => {
                self.unused(receipt).await?;
                let deposited = shortcodes::float_deposited(receipt, shortcode(*to), *amount_cents, now);
                step.change(Change::Post(deposited));
            }
            Decision::BookSweep { receipt, shortcode: from, amount_cents } => {
                self.unused(receipt).await?;
                step.change(Change::Post(shortcodes::swept(receipt, shortcode(*from), *amount_cents, now)));
            }
            // Its receipt is of what was charged for, which stands in the ledger too.
            Decision::BookCharge { receipt, amount_cents } => {
                step.change(Change::Post(shortcodes::charged(receipt, *amount_cents, now)));
            }
            Decision::Explained => {}
        }
        Ok(step.said(decision.to_string()))
    }

    async fn attach(&self, receipt: &Receipt, owner: HouseholdId) -> Acted {
        let now = self.clock.now();
        self.store.household(owner).await?.ok_or(SettlementError::UnknownHousehold)?;
        let known = self.store.receipt(receipt).await?;
        let Some(known) = known.filter(|known| known.used_for == ReceiptUse::Suspense) else {
            return Err(unfit(format!("{receipt} is not in suspense")));
        };
        let mut step = Step::default();
        step.change(Change::Post(review::attached(receipt, owner, known.amount, now)));
        step.tell(owner, &Notice::PaidByHand(receipt.clone(), known.amount), now);
        step.announce(Event::Balance(owner));
        step.change(Change::Receipt(ReceiptRecord {
            payer: Some(owner),
            used_for: ReceiptUse::Balance(owner),
            ..known
        }));
        Ok(step)
    }

    async fn decide_payout(&self, id: PayoutId, receipt: Option<&Receipt>) -> Acted {
        let payout = self.store.payout(id).await?.ok_or_else(|| unfit(format!("there is no payout {id}")))?;
        if !matches!(payout.state, PayoutState::Unknown | PayoutState::Accepted) {
            return Err(unfit(format!("payout {id} is not unknown")));
        }
        if let Some(receipt) = receipt {
            self.unused(receipt).await?;
        }
        Ok(decided_by_hand(&payout, receipt, self.clock.now()))
    }

    /// A receipt proves one movement: it must not stand for another one already.
    async fn unused(&self, receipt: &Receipt) -> Result<(), SettlementError> {
        if self.store.receipt(receipt).await?.is_some() {
            return Err(unfit(format!("{receipt} is a payment to us")));
        }
        if self.store.reversal(receipt).await?.is_some() {
            return Err(unfit(format!("{receipt} is a payment to us that was taken back")));
        }
        self.not_ours(receipt).await
    }

    /// The part of [`Self::unused`] that is about money that we moved ourselves.
    async fn not_ours(&self, receipt: &Receipt) -> Result<(), SettlementError> {
        let mut last = PayoutId(0);
        loop {
            let page = self.store.payouts_after(last, PAGE_MAX).await?;
            let Some(end) = page.last() else { break };
            last = end.id;
            if let Some(payout) = page.iter().find(|payout| payout.receipt.as_ref() == Some(receipt)) {
                return Err(unfit(format!("{receipt} is payout {}", payout.id)));
            }
        }
        if let Some(number) = self.float_move_under(receipt).await? {
            return Err(unfit(format!("{receipt} is move {number} of float")));
        }
        // A row is named by its receipt alone: neither where the money lay nor how much
        // it was makes another one of it.
        let (any, cents, now) = (shortcodes::Shortcode::Collection, Cents(1), self.clock.now());
        for (account, row, what) in [
            (Account::OperatorFloat, shortcodes::float_deposited(receipt, any, cents, now), "deposit"),
            (Account::OperatorSweeps, shortcodes::swept(receipt, any, cents, now), "sweep"),
        ] {
            if self.stands(account, &row).await? {
                return Err(unfit(format!("{receipt} is a {what} of the operator's")));
            }
        }
        Ok(())
    }

    /// Whether `row` is in the journal of this account, and was not undone.
    async fn stands(&self, account: Account, row: &Transfer) -> Result<bool, SettlementError> {
        let undone = review::corrected(0, row, row.at).map(|undone| undone.id);
        let (mut after, mut stands) = (0, false);
        loop {
            let page = self.store.journal_of_after(account, after, PAGE_MAX).await?;
            let Some(end) = page.last() else { return Ok(stands) };
            after = end.sequence;
            for JournalRow { transfer, .. } in &page {
                stands = (stands || transfer.id == row.id) && Some(transfer.id) != undone;
            }
        }
    }

    /// What became of a move of float, by persons who have looked on M-Pesa's statement.
    async fn decide_float(&self, number: u64, seen: &FloatEvent) -> Acted {
        let record = self.float_move(number).await?;
        let record = record.ok_or_else(|| unfit(format!("there is no move {number} of float")))?;
        let (step, changes) = float::step_of(&record, seen, self.clock.now())
            .map_err(|error| SettlementError::from_trouble(error.into()))?;
        if changes { Ok(step) } else { Err(unfit(format!("move {number} of float is not unknown"))) }
    }

    async fn unpaid(&self, id: OrderId) -> Acted {
        let collection = self.store.collection(id).await?;
        match collection.map(|collection| collection.state) {
            Some(CollectionState::Expired | CollectionState::Refused { .. }) => Ok(Step::default()),
            Some(CollectionState::Paid) => Err(unfit(format!("order {id} was paid"))),
            _ => Err(unfit(format!("order {id} is still waiting; its deadline decides first"))),
        }
    }

    async fn write_off(&self, receipt: &Receipt) -> Acted {
        let reversal = self.store.reversal(receipt).await?;
        let booked = reversal.filter(|reversal| reversal.state == ReversalState::Booked);
        let Some((reversal, payer)) =
            booked.and_then(|reversal| reversal.payer.map(|payer| (reversal, payer)))
        else {
            return Err(unfit(format!("nobody owes anything for {receipt}")));
        };
        let owed = self.store.balance(Account::ReversalsReceivable(payer)).await?.net_debit();
        let rest: Cents = owed.min(reversal.amount);
        if !rest.is_positive() {
            return Err(unfit(format!("nothing is owed for {receipt} any more")));
        }
        let named = reversal.reversal.as_ref().unwrap_or(&reversal.receipt);
        let mut step = Step::default();
        step.change(Change::Post(reversals::written_off(named, payer, rest, self.clock.now())));
        step.announce(Event::Balance(payer));
        Ok(step)
    }

    /// Undoes a row about the operator's own money. Rows that a payment's, a payout's or
    /// an order's record stands for have ways out of their own.
    async fn correct(&self, sequence: u64) -> Acted {
        let row = match sequence.checked_sub(1) {
            Some(before) => self.store.journal_after(before, 1).await?.into_iter().next(),
            None => None,
        };
        let Some(row) = row else { return Err(unfit(format!("there is no journal row {sequence}"))) };
        let is_own = matches!(
            row.transfer.reason,
            Reason::FloatDeposit | Reason::BankSweep | Reason::MpesaCharge | Reason::TaxPayment
        );
        let undone = review::corrected(sequence, &row.transfer, self.clock.now()).filter(|_| is_own);
        let Some(undone) = undone else {
            return Err(unfit(format!(
                "journal row {sequence} cannot be undone: only the operator's own deposits, sweeps, charges and taxes can"
            )));
        };
        let mut step = Step::default();
        step.change(Change::Post(undone));
        Ok(step)
    }
}
