//! What a receipt changes: each cent of it goes somewhere in one commit. Pure.

use super::CollectionEvent;
use super::decide::{both, ended, given_up, is_open};
use crate::config::SettlementConfig;
use crate::notice::Notice;
use crate::order::View;
use crate::proof::receipt_proof;
use crate::review::Matter;
use crate::step::{Broken, Step};
use jirani_ledger::templates::collections::{self, CreditedFor};
use jirani_ledger::templates::reversals::{ReversedFrom, reversed};
use jirani_store::{
    Change, CollectionRecord, CollectionState, Event, OrderRecord, OrderState, ReceiptRecord, ReceiptUse,
    ReleaseReason, ReversalRecord, ReversalState,
};
use jirani_units::{Cents, HouseholdId, Receipt, Timestamp};

/// Money that has certainly moved, as M-Pesa tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) receipt: Receipt,
    pub(crate) amount: Cents,
    pub(crate) paid_at: Timestamp,
    pub(crate) received_at: Timestamp,
}

/// A payment by hand that names none of our references.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    pub(crate) money: Money,
    /// The household it names, if any.
    pub(crate) payer: Option<HouseholdId>,
}

/// What the store knows of a receipt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'a> {
    pub(crate) receipt: Option<&'a ReceiptRecord>,
    /// M-Pesa took it back.
    pub(crate) reversal: Option<&'a ReversalRecord>,
}

/// Money has come in for an order.
pub(super) fn received(
    view: &View,
    collection: &CollectionRecord,
    event: &CollectionEvent,
    money: &Money,
    known: Known<'_>,
    config: &SettlementConfig,
    now: Timestamp,
) -> Result<Step, Broken> {
    if let Some(known) = known.receipt {
        return Ok(seen_before(known, money));
    }
    let order = &view.order;
    if let Some(reversal) = known.reversal {
        return Ok(gone_again(money, reversal, Some(order.buyer), now));
    }
    let mut next = ended(collection, CollectionState::Paid);
    if let Some(id) = event.checkout_request_id() {
        next.checkout_request_id = Some(id.to_owned());
    }
    // A second payment leaves the first one's receipt where it is.
    if collection.receipt.is_none() {
        next.receipt = Some(money.receipt.clone());
    }
    let (buyer, receipt, amount) = (order.buyer, money.receipt.clone(), money.amount);
    let mut step = if is_open(order) {
        let (last, placed) = view
            .last_payment_at()
            .zip(view.placed_at())
            .ok_or_else(|| Broken(format!("order {} awaits money without a deadline", order.id)))?;
        // Money that is known has moved by now, and our reference did not exist before
        // the order did: any other time only means that M-Pesa's clock is not the chain's.
        let paid_at = money.paid_at.min(now).max(placed);
        if paid_at.seconds() > last.seconds() {
            let mut step = both(view, next, Some(given_up(view, ReleaseReason::PaymentTimeout)));
            keep(&mut step, buyer, money, CreditedFor::Late(order.id), now);
            step.tell(buyer, &Notice::PaidLate(order.id, receipt, amount), now);
            step.said("paid too late: kept as balance")
        } else if amount < order.due {
            let mut step = both(view, next, Some(given_up(view, ReleaseReason::PaidShort)));
            keep(&mut step, buyer, money, CreditedFor::Short(order.id), now);
            step.tell(buyer, &Notice::PaidShort(order.id, receipt, amount), now);
            step.said("paid less than the due: kept as balance")
        } else {
            let paid = OrderRecord {
                state: OrderState::Paid,
                proof: Some(receipt_proof(&config.deployment_key, &config.shortcode, &receipt)),
                paid_at: Some(paid_at),
                ..order.clone()
            };
            let mut step = both(view, next, Some(paid));
            step.change(Change::Receipt(record(money, Some(buyer), ReceiptUse::Order(order.id))));
            step.change(Change::Post(collections::collected(&receipt, amount, now)));
            step.said("paid")
        }
    } else {
        let mut step = both(view, next, None);
        if matches!(order.state, OrderState::Paid | OrderState::Settled) {
            keep(&mut step, buyer, money, CreditedFor::Double(order.id), now);
            step.tell(buyer, &Notice::PaidAgain(order.id, receipt, amount), now);
        } else {
            keep(&mut step, buyer, money, CreditedFor::Late(order.id), now);
            step.tell(buyer, &Notice::PaidLate(order.id, receipt, amount), now);
        }
        step.said("the order needs no money any more: kept as balance")
    };
    step.resolve(Matter::CollectionUnknown(order.id), "its receipt has come");
    Ok(step)
}

/// What a payment that names none of our references becomes.
pub(crate) fn loose(loose: &Loose, known: Known<'_>, now: Timestamp) -> Step {
    let Loose { money, payer } = loose;
    if let Some(known) = known.receipt {
        return seen_before(known, money);
    }
    if let Some(reversal) = known.reversal {
        return gone_again(money, reversal, *payer, now);
    }
    let mut step = Step::default();
    if let Some(payer) = payer {
        keep(&mut step, *payer, money, CreditedFor::ByHand, now);
        step.tell(*payer, &Notice::PaidByHand(money.receipt.clone(), money.amount), now);
        return step.said("paid by hand: the household's balance");
    }
    step.change(Change::Receipt(record(money, None, ReceiptUse::Suspense)));
    for transfer in collections::by_hand(&money.receipt, None, money.amount, now) {
        step.change(Change::Post(transfer));
    }
    step.review(
        Matter::Suspense(money.receipt.clone()),
        format!("{} came in, and nobody can say from which household", money.amount),
    );
    step.said("nobody can say whose it is: suspense")
}

/// News of a payment that M-Pesa has taken back: it came and went, and nobody has
/// it. What was left of it, if not all was taken, is its payer's or nobody's.
fn gone_again(money: &Money, reversal: &ReversalRecord, payer: Option<HouseholdId>, now: Timestamp) -> Step {
    let taken = reversal.amount.min(money.amount);
    let left = Cents(money.amount.0 - taken.0);
    let mut step = Step::default();
    step.change(Change::Receipt(record(money, payer, ReceiptUse::Reversed)));
    step.change(Change::Post(collections::collected(&money.receipt, money.amount, now)));
    let named = reversal.reversal.as_ref().unwrap_or(&reversal.receipt);
    for transfer in reversed(named, taken, ReversedFrom::Unallocated, now) {
        step.change(Change::Post(transfer));
    }
    if left.is_positive() {
        step.change(Change::Post(match payer {
            Some(payer) => collections::credited(&money.receipt, payer, left, CreditedFor::ByHand, now),
            None => collections::suspended(&money.receipt, left, now),
        }));
    }
    if reversal.state == ReversalState::Waiting {
        step.change(Change::Reversal(ReversalRecord { state: ReversalState::Booked, ..reversal.clone() }));
    }
    step.said("M-Pesa took it back before it was known: nobody has it")
}

fn seen_before(known: &ReceiptRecord, money: &Money) -> Step {
    if known.amount == money.amount {
        return Step::nothing("this receipt is known already");
    }
    let mut step = Step::nothing("contradiction: this receipt is known with another amount");
    step.review(
        Matter::ReceiptDiffers(known.receipt.clone()),
        format!(
            "first told with {}, then with {}; the first stands in the ledger",
            known.amount, money.amount
        ),
    );
    step
}

/// All of `money` becomes `payer`'s balance.
fn keep(step: &mut Step, payer: HouseholdId, money: &Money, why: CreditedFor, now: Timestamp) {
    step.change(Change::Receipt(record(money, Some(payer), ReceiptUse::Balance(payer))));
    step.change(Change::Post(collections::collected(&money.receipt, money.amount, now)));
    step.change(Change::Post(collections::credited(&money.receipt, payer, money.amount, why, now)));
    step.announce(Event::Balance(payer));
}

fn record(money: &Money, payer: Option<HouseholdId>, used_for: ReceiptUse) -> ReceiptRecord {
    let Money { receipt, amount, paid_at, received_at } = money.clone();
    ReceiptRecord { receipt, amount, paid_at, payer, used_for, received_at, version: 0 }
}
