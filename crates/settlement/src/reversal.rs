//! Payments that M-Pesa took back. The seller is never touched (M3).
//!
//! | the payment | what is in the ledger then |
//! |---|---|
//! | unknown | nothing yet; when it is told, it comes and goes, and settles nothing |
//! | waits for its order, whose settlement was never sent | out of clearing; the order is released |
//! | waits for its order, whose settlement was sent | nothing until the chain has decided, then as below |
//! | settled an order | the payer owes it |
//! | became balance | the payer owes it, and pays with what is on the balance |
//! | in suspense | out of suspense |
//! | taken back before | nothing |
//!
//! What is owed is paid from the first money that reaches the payer's balance
//! ([`crate::debts`]). M-Pesa calls nobody when it takes a payment back: the
//! statement tells, and whoever reads it calls [`Settlement::payment_reversed`].

use crate::engine::Key;
use crate::error::SettlementError;
use crate::inbox::{Heard, Note};
use crate::interruption::Moment;
use crate::notice::Notice;
use crate::order::releasing;
use crate::review::Matter;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Step, Trouble};
use jirani_ledger::templates::collections::{self, CreditedFor};
use jirani_ledger::templates::reversals::{ReversedFrom, reversed};
use jirani_ledger::{Account, Refusal};
use jirani_store::{
    Change, Event, OrderRecord, OrderState, ReceiptRecord, ReceiptUse, ReleaseReason, ReversalRecord,
    ReversalState, StoreError,
};
use jirani_units::{Cents, Clock as _, HouseholdId, OrderId, Receipt, Timestamp};

/// Word of a payment that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TakenBack {
    pub(crate) receipt: Receipt,
    /// M-Pesa's number of the taking back, where known.
    pub(crate) reversal: Option<Receipt>,
    pub(crate) amount: Cents,
}

/// Where word of a payment that was taken back has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is in the ledger, or stored until it can be.
    Done,
    /// The payment waits for this order, and this is not the order's lane: nothing was changed.
    Belongs(OrderId),
}

/// What the decision looks at.
struct Scene<'a> {
    receipt: Option<&'a ReceiptRecord>,
    /// The order the receipt waits for, and whether its settlement was ever sent.
    order: Option<(&'a OrderRecord, bool)>,
    /// What the payer's balance holds that is free.
    available: Cents,
    /// What was stored of this reversal.
    known: Option<&'a ReversalRecord>,
}

/// What the reversal changes now, and who owes after it.
fn decide(news: &TakenBack, scene: &Scene<'_>, now: Timestamp) -> (Step, Option<HouseholdId>) {
    if scene.known.is_some_and(|known| known.state == ReversalState::Booked) {
        return (Step::nothing("this reversal is known already"), None);
    }
    let record = |state, payer| ReversalRecord {
        receipt: news.receipt.clone(),
        reversal: news.reversal.clone(),
        amount: news.amount,
        payer,
        state,
        heard_at: scene.known.map_or(now, |known| known.heard_at),
        version: scene.known.map_or(0, |known| known.version),
    };
    let mut step = Step::default();
    let Some(receipt) = scene.receipt else {
        if scene.known.is_none() {
            step.change(Change::Reversal(record(ReversalState::Waiting, None)));
        }
        return (step.said("waits: the payment itself is not known yet"), None);
    };
    let amount = news.amount.min(receipt.amount);
    if news.amount != receipt.amount {
        step.review(
            Matter::ReversalDiffers(receipt.receipt.clone()),
            format!("the payment had {}, {} was taken back", receipt.amount, news.amount),
        );
    }
    let named = news.reversal.as_ref().unwrap_or(&news.receipt);
    // Bumps the receipt's version, so that nobody uses it in another way meanwhile.
    let mut used = receipt.clone();
    let (from, payer) = match (receipt.used_for, scene.order) {
        (ReceiptUse::Order(_), Some((order, false))) if order.state == OrderState::Paid => {
            used.used_for = ReceiptUse::Reversed;
            step.change(Change::Order(OrderRecord {
                proof: None,
                paid_at: None,
                ..releasing(order, ReleaseReason::PaymentRefused)
            }));
            step.announce(Event::Order(order.id, order.buyer));
            let left = Cents(receipt.amount.0 - amount.0);
            if left.is_positive() {
                let why = CreditedFor::GivenUp(order.id);
                step.change(Change::Post(collections::credited(
                    &receipt.receipt,
                    order.buyer,
                    left,
                    why,
                    now,
                )));
            }
            (ReversedFrom::Unallocated, Some(order.buyer))
        }
        (ReceiptUse::Order(_), _) => {
            if scene.known.is_none() {
                step.change(Change::Reversal(record(ReversalState::Waiting, receipt.payer)));
            }
            return (step.said("waits: the chain decides about its order first"), None);
        }
        (ReceiptUse::Reversed, _) => {
            return (Step::nothing("this payment was taken back before"), None);
        }
        (ReceiptUse::Suspense, _) => {
            used.used_for = ReceiptUse::Reversed;
            step.resolve(Matter::Suspense(receipt.receipt.clone()), "M-Pesa took it back");
            (ReversedFrom::Suspense, None)
        }
        (ReceiptUse::Settled(_), _) => match receipt.payer {
            Some(payer) => (ReversedFrom::Balance(payer, scene.available), Some(payer)),
            None => return (step.said("contradiction: settled without a payer"), None),
        },
        (ReceiptUse::Balance(payer), _) => (ReversedFrom::Balance(payer, scene.available), Some(payer)),
    };
    step.change(Change::Receipt(used));
    for transfer in reversed(named, amount, from, now) {
        step.change(Change::Post(transfer));
    }
    step.change(Change::Reversal(record(ReversalState::Booked, payer)));
    let owes = matches!(from, ReversedFrom::Balance(..)).then_some(payer).flatten();
    if let Some(payer) = payer {
        let recovered = if owes.is_some() { scene.available.min(amount) } else { amount };
        let owed = Cents(amount.0 - recovered.0);
        step.tell(payer, &Notice::TakenBack(receipt.receipt.clone(), amount, owed), now);
        step.announce(Event::Balance(payer));
    }
    (step.said("M-Pesa took it back"), owes)
}

impl Settlement {
    /// Books that M-Pesa took a payment back. `reversal` is the number of the taking
    /// back itself, where it is known; once a number was told, tell the same again.
    /// Telling it again changes nothing. On return it is in the ledger, or stored
    /// until the payment is known or the chain has decided about its order.
    pub async fn payment_reversed(
        &self,
        receipt: Receipt,
        reversal: Option<Receipt>,
        amount: Cents,
    ) -> Result<(), SettlementError> {
        let busy = self.clock.busy();
        let news = TakenBack { receipt, reversal, amount };
        let used_for = self.store.receipt(&news.receipt).await?.map(|receipt| receipt.used_for);
        if let Some(ReceiptUse::Order(order)) = used_for {
            // In the order's lane nothing is being sent about it meanwhile.
            let heard = Heard::TakenBack(news);
            self.lanes.note(Key::Order(order), Note { place: None, heard }, busy);
            return self.look(Key::Order(order)).await;
        }
        match self.apply_reversal(&news, None).await.map_err(SettlementError::from_trouble)? {
            Applied::Done => Ok(()),
            // The payment became the order's since the look at it.
            Applied::Belongs(order) => {
                self.lanes.note(Key::Order(order), Note { place: None, heard: Heard::TakenBack(news) }, busy);
                self.look(Key::Order(order)).await
            }
        }
    }

    /// Commits what the reversal changes; decides anew when somebody was faster. `lane` is the
    /// order's in whose lane this runs: only there is it certain that nobody sends a settlement
    /// between the look at what was sent and the commit.
    pub(crate) async fn apply_reversal(
        &self,
        news: &TakenBack,
        lane: Option<OrderId>,
    ) -> Result<Applied, Trouble> {
        self.interruption.reached(Moment::ReversalHeard);
        for _ in 0..COMMIT_ATTEMPTS {
            let known = self.store.reversal(&news.receipt).await?;
            let receipt = self.store.receipt(&news.receipt).await?;
            let order = match receipt.as_ref().map(|receipt| receipt.used_for) {
                Some(ReceiptUse::Order(id)) if lane != Some(id) => return Ok(Applied::Belongs(id)),
                Some(ReceiptUse::Order(id)) => {
                    let was_sent = self.store.outbox(&format!("settle/{id}")).await?.is_some();
                    Some((self.load_order(id).await?, was_sent))
                }
                _ => None,
            };
            let payer = receipt.as_ref().and_then(|receipt| match receipt.used_for {
                ReceiptUse::Balance(payer) => Some(payer),
                ReceiptUse::Settled(_) => receipt.payer,
                _ => None,
            });
            // A debt is paid by one at a time.
            let paying = self.debts.paying().await;
            let available = match payer {
                Some(payer) => self.store.balance(Account::Household(payer)).await?.available(),
                None => Cents::ZERO,
            };
            let scene = Scene {
                receipt: receipt.as_ref(),
                order: order.as_ref().map(|(order, was_sent)| (order, *was_sent)),
                available: available.max(Cents::ZERO),
                known: known.as_ref(),
            };
            let (step, owes) = decide(news, &scene, self.clock.now());
            tracing::info!(receipt = %news.receipt, outcome = step.outcome, "a payment was taken back");
            let committed = self.commit_unpaid(step).await;
            if committed.is_ok()
                && let Some(payer) = owes
            {
                self.debts.owes(payer);
            }
            drop(paying);
            match committed {
                // The payment itself came between the look and the commit.
                Ok(_) if receipt.is_none() && self.store.receipt(&news.receipt).await?.is_some() => {}
                // Somebody changed a record, or spent what was available.
                Err(
                    StoreError::Conflict { .. }
                    | StoreError::Refused { refusal: Refusal::InsufficientBalance, .. },
                ) => {}
                done => return Ok(done.map(|_| Applied::Done)?),
            }
        }
        Err(Trouble::Contended(format!("the reversal of {}", news.receipt)))
    }

    /// A payment has become known: a reversal of it that was told meanwhile is booked, or left
    /// to the lane of the order that the payment waits for.
    pub(crate) async fn reversal_of(&self, receipt: &Receipt, lane: Option<OrderId>) -> Result<(), Trouble> {
        let Some(waiting) = self.store.reversal(receipt).await? else { return Ok(()) };
        if waiting.state == ReversalState::Booked {
            return Ok(());
        }
        let ReversalRecord { receipt, reversal, amount, .. } = waiting;
        match self.apply_reversal(&TakenBack { receipt, reversal, amount }, lane).await? {
            Applied::Done => {}
            Applied::Belongs(order) => self.lanes.poke(Key::Order(order), self.clock.busy()),
        }
        Ok(())
    }

    /// Looks at every reversal that waits: its payment may be known, or its order have
    /// ended, since a process that saw only one of them ended.
    pub(crate) async fn waiting_reversals(&self) -> Result<(), Trouble> {
        for waiting in self.store.waiting_reversals().await? {
            match self.store.receipt(&waiting.receipt).await?.map(|receipt| receipt.used_for) {
                None => {}
                Some(ReceiptUse::Order(order)) => self.lanes.poke(Key::Order(order), self.clock.busy()),
                Some(_) => self.reversal_of(&waiting.receipt, None).await?,
            }
        }
        Ok(())
    }

    /// An order has ended: a reversal of its money that waited for that is booked.
    pub(crate) async fn reversal_after(&self, id: OrderId) -> Result<(), Trouble> {
        let Some(receipt) = self.store.collection(id).await?.and_then(|collection| collection.receipt) else {
            return Ok(());
        };
        self.reversal_of(&receipt, Some(id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{BUYER, order};
    use jirani_store::PayWith;

    const NOW: Timestamp = Timestamp::from_seconds(1_050);

    fn news(cents: i64) -> TakenBack {
        TakenBack {
            receipt: "UJ32ABCDEF".parse().unwrap(),
            reversal: "UJ3BACK001".parse().ok(),
            amount: Cents(cents),
        }
    }

    fn receipt(used_for: ReceiptUse) -> ReceiptRecord {
        ReceiptRecord {
            receipt: news(0).receipt,
            amount: Cents(3_700),
            paid_at: NOW,
            payer: (used_for != ReceiptUse::Suspense).then_some(BUYER),
            used_for,
            received_at: NOW,
            version: 1,
        }
    }

    /// Debited accounts with amounts, the order's and the reversal's next state.
    type Next = (Vec<(Account, Account, i64)>, Option<OrderState>, Option<ReversalState>);

    fn next(step: &Step) -> Next {
        let mut next = (Vec::new(), None, None);
        for change in &step.changes {
            match change {
                Change::Post(post) => next.0.push((post.debit, post.credit, post.amount.0)),
                Change::Order(order) => next.1 = Some(order.state),
                Change::Reversal(reversal) => next.2 = Some(reversal.state),
                _ => {}
            }
        }
        next
    }

    #[test]
    fn each_payment_that_is_taken_back_ends_where_the_table_says() {
        use ReversalState::{Booked, Waiting};
        let (mpesa, owed) = (Account::MpesaCollection, Account::ReversalsReceivable(BUYER));
        let (clearing, balance) = (Account::CollectionsUnallocated, Account::Household(BUYER));
        let paid = order(OrderState::Paid, PayWith::Mpesa);
        let id = paid.id;
        let waits = Some(ReceiptUse::Order(id));
        for (name, used_for, was_sent, available, expected, owes) in [
            ("unknown", None, false, 0, (vec![], None, Some(Waiting)), None),
            (
                "not sent",
                waits,
                false,
                0,
                (vec![(clearing, mpesa, 3_700)], Some(OrderState::Releasing), Some(Booked)),
                None,
            ),
            ("sent", waits, true, 0, (vec![], None, Some(Waiting)), None),
            (
                "settled",
                Some(ReceiptUse::Settled(id)),
                true,
                0,
                (vec![(owed, mpesa, 3_700)], None, Some(Booked)),
                Some(BUYER),
            ),
            (
                "balance",
                Some(ReceiptUse::Balance(BUYER)),
                false,
                1_000,
                (vec![(owed, mpesa, 3_700), (balance, owed, 1_000)], None, Some(Booked)),
                Some(BUYER),
            ),
            (
                "suspense",
                Some(ReceiptUse::Suspense),
                false,
                0,
                (vec![(Account::Suspense, mpesa, 3_700)], None, Some(Booked)),
                None,
            ),
            ("before", Some(ReceiptUse::Reversed), false, 0, (vec![], None, None), None),
        ] {
            let receipt = used_for.map(receipt);
            let scene = Scene {
                receipt: receipt.as_ref(),
                order: (used_for == waits).then_some((&paid, was_sent)),
                available: Cents(available),
                known: None,
            };
            let (step, owing) = decide(&news(3_700), &scene, NOW);
            assert_eq!((next(&step), owing), (expected, owes), "{name}");
        }
    }

    #[test]
    fn told_again_it_changes_nothing_and_another_amount_is_for_a_person() {
        let known = ReversalRecord {
            receipt: news(0).receipt,
            reversal: None,
            amount: Cents(3_700),
            payer: Some(BUYER),
            state: ReversalState::Booked,
            heard_at: NOW,
            version: 2,
        };
        let receipt = receipt(ReceiptUse::Balance(BUYER));
        let scene = |known| Scene { receipt: Some(&receipt), order: None, available: Cents::ZERO, known };
        assert!(decide(&news(3_700), &scene(Some(&known)), NOW).0.is_empty());
        let waiting = ReversalRecord { state: ReversalState::Waiting, ..known.clone() };
        let (step, _) = decide(&news(3_700), &scene(Some(&waiting)), NOW);
        assert_eq!(next(&step).2, Some(ReversalState::Booked), "what waited is booked");
        let (step, _) = decide(&news(9_900), &scene(None), NOW);
        assert_eq!(step.opened.len(), 1);
        assert_eq!(next(&step).0[0].2, 3_700, "no more than came in");
    }
}
