//! What M-Pesa's words and the clock do to a collection and its order. Pure.

use super::money::{Known, Money, received};
use crate::config::SettlementConfig;
use crate::notice::Notice;
use crate::order::{View, releasing};
use crate::review::Matter;
use crate::step::{Broken, Step};
use jirani_daraja::codes::{self, Retry};
use jirani_daraja::{QueryOutcome, SendError, StkAccepted};
use jirani_store::{
    Change, CollectionRecord, CollectionState, Event, OrderRecord, OrderState, ReleaseReason,
};
use jirani_units::{Receipt, Timestamp};

/// Seconds from the prompt to the first query, then from query to query.
const CHECKS_S: [i64; 6] = [20, 20, 30, 45, 60, 90];
/// Seconds that a person needs at least for a prompt that is sent again.
const PROMPT_LIFE_S: i64 = 60;
/// Seconds to wait after M-Pesa's door was shut, before it is knocked at again.
const DOOR_WAIT_S: i64 = 10;
/// Seconds to wait when M-Pesa says that the phone is busy with another prompt.
const PHONE_WAIT_S: i64 = 60;

/// What happens to a collection.
#[derive(Clone, Debug)]
pub(crate) enum CollectionEvent {
    /// The prompt is about to be asked for.
    Sending,
    /// M-Pesa's answer, or its absence.
    Sent(Result<StkAccepted, SendError>),
    /// A query was answered.
    Queried(QueryOutcome),
    /// Deadline and grace are over.
    WindowOver,
    /// Callback: paid.
    Paid { checkout_request_id: String, money: Money },
    /// Callback: paid, but its receipt or amount cannot be read.
    PaidWithoutReceipt { checkout_request_id: String },
    /// Callback: refused for good.
    Refused { checkout_request_id: String, code: String },
    /// Callback: a code that says nothing final.
    Undecided { checkout_request_id: String, code: String },
    /// C2B confirmation with our reference.
    Received(Money),
}

/// What the collection's state asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectionEffect {
    Prompt,
    Query,
    Expire,
    Rest(Timestamp),
}

/// What the collection of an order that awaits money asks for at `now`.
pub(crate) fn effect(view: &View, now: Timestamp) -> Result<CollectionEffect, Broken> {
    let (collection, end) = awaited(view)?;
    Ok(match (&collection.state, collection.next_check_at) {
        (CollectionState::Planned, at) if now < prompt_until(view, collection, end) => match at {
            Some(at) if now < at => CollectionEffect::Rest(at),
            _ => CollectionEffect::Prompt,
        },
        // The last query tells a payer who paid from one who never did.
        (CollectionState::Pending, _) if now >= end => CollectionEffect::Query,
        (CollectionState::Pending, Some(at)) if now >= at => CollectionEffect::Query,
        (CollectionState::Pending, Some(at)) => CollectionEffect::Rest(if at < end { at } else { end }),
        _ if now >= end => CollectionEffect::Expire,
        _ => CollectionEffect::Rest(end),
    })
}

/// A first prompt is sent until the deadline; one that M-Pesa put off as long as a
/// person can still answer it within the grace.
fn prompt_until(view: &View, collection: &CollectionRecord, end: Timestamp) -> Timestamp {
    let was_put_off = collection.next_check_at > Some(collection.created_at);
    if was_put_off { end.plus_seconds(-PROMPT_LIFE_S) } else { view.order.deadline.unwrap_or(end) }
}

/// What `event` changes; `known` is what the store knows of the event's receipt.
pub(crate) fn decide(
    view: &View,
    event: &CollectionEvent,
    known: Known<'_>,
    config: &SettlementConfig,
    now: Timestamp,
) -> Result<Step, Broken> {
    use CollectionState::{Expired, Pending, Planned, ReceiptAwaited, Refused, SendUnknown};
    let Some(collection) = &view.collection else {
        return Err(Broken(format!("order {} has no collection", view.order.id)));
    };
    if let Some(claimed) = event.checkout_request_id() {
        if !is_ours(collection, claimed) {
            return Ok(Step::nothing("foreign: it names another prompt than ours"));
        }
        if is_earlier(collection, claimed) && event.receipt().is_none() {
            return Ok(Step::nothing("finished: it is about an earlier prompt that M-Pesa put off"));
        }
    }
    let open = is_open(&view.order);
    Ok(match (event, &collection.state) {
        (CollectionEvent::Sending, Planned) if open => both(view, next(collection, SendUnknown), None),
        (CollectionEvent::Sent(Ok(accepted)), SendUnknown) if open => {
            let mut next = next(collection, Pending);
            next.checkout_request_id = Some(accepted.checkout_request_id.clone());
            next.next_check_at = Some(now.plus_seconds(CHECKS_S[0]));
            both(view, next, None)
        }
        (CollectionEvent::Sent(Err(SendError::NotSent { code, .. })), SendUnknown) if open => {
            not_paid(view, collection, code, wait_after_no_send(code), now)?
        }
        (CollectionEvent::Queried(outcome), Pending) if open => queried(view, collection, outcome, now)?,
        (CollectionEvent::WindowOver, Planned | SendUnknown | Pending) if open => {
            expired(view, collection, ended(collection, Expired), now)
        }
        (CollectionEvent::WindowOver, ReceiptAwaited) if open => {
            receipt_missing(view, ended(collection, ReceiptAwaited), now)
        }
        (CollectionEvent::Paid { money, .. } | CollectionEvent::Received(money), _) => {
            received(view, collection, event, money, known, config, now)?
        }
        (CollectionEvent::PaidWithoutReceipt { checkout_request_id }, SendUnknown | Pending) if open => {
            let mut next = ended(collection, ReceiptAwaited);
            next.checkout_request_id = Some(checkout_request_id.clone());
            let awaited = OrderRecord { state: OrderState::ReceiptAwaited, ..view.order.clone() };
            both(view, next, Some(awaited)).said("paid; its receipt cannot be read and is awaited")
        }
        (CollectionEvent::Refused { code, checkout_request_id }, SendUnknown | Pending) if open => {
            let mut named = collection.clone();
            named.checkout_request_id = Some(checkout_request_id.clone());
            not_paid(view, &named, code, wait_after_refusal(code), now)?
        }
        (CollectionEvent::Undecided { code, .. }, _) => {
            Step::nothing(format!("undecided ({code}): the deadline decides"))
        }
        (CollectionEvent::Refused { code, .. }, ReceiptAwaited) => {
            Step::nothing(format!("contradiction: refused ({code}), but a query says paid"))
        }
        (
            CollectionEvent::Refused { code, .. },
            Refused { .. } | Expired | CollectionState::Paid | Planned,
        ) => Step::nothing(format!("finished: refused ({code}) changes nothing any more")),
        (CollectionEvent::PaidWithoutReceipt { .. }, _) => {
            Step::nothing("paid, it says, without a receipt: for a person to look at")
        }
        _ => Step::nothing("the payment has moved on"),
    })
}

impl CollectionEvent {
    pub(super) fn checkout_request_id(&self) -> Option<&str> {
        match self {
            Self::Paid { checkout_request_id, .. }
            | Self::PaidWithoutReceipt { checkout_request_id }
            | Self::Refused { checkout_request_id, .. }
            | Self::Undecided { checkout_request_id, .. } => Some(checkout_request_id),
            _ => None,
        }
    }

    /// The receipt it speaks of.
    pub(crate) fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Paid { money, .. } | Self::Received(money) => Some(&money.receipt),
            _ => None,
        }
    }
}

/// The secret path is ours; the id must be too, once we know it. Before anything
/// was sent, no prompt can be ours; while an answer is lost, any may be.
fn is_ours(collection: &CollectionRecord, claimed: &str) -> bool {
    match (&collection.checkout_request_id, &collection.state) {
        (_, CollectionState::SendUnknown) => true,
        (Some(ours), _) => ours == claimed,
        (None, state) => *state != CollectionState::Planned,
    }
}

/// Whether it is about a prompt that M-Pesa put off, which another one followed.
fn is_earlier(collection: &CollectionRecord, claimed: &str) -> bool {
    matches!(collection.state, CollectionState::Planned | CollectionState::SendUnknown)
        && collection.checkout_request_id.as_deref() == Some(claimed)
}

/// Seconds after which the same prompt may be asked for again; `None` when M-Pesa's
/// no is the payer's, or a person's to mend.
fn wait_after_refusal(code: &str) -> Option<i64> {
    match codes::prompt_refusal(code)?.retry {
        Retry::After(seconds) => Some(i64::from(seconds)),
        Retry::Now | Retry::PersonFirst | Retry::OperatorFirst => None,
    }
}

/// The same for a request that never went in: a full or closed door opens again,
/// what M-Pesa cannot read stays unreadable.
fn wait_after_no_send(code: &str) -> Option<i64> {
    match code {
        "500.001.1001" => Some(PHONE_WAIT_S),
        code if code.starts_with("500.003.") || code.starts_with("mpesa.unreachable") => Some(DOOR_WAIT_S),
        _ => None,
    }
}

pub(super) fn is_open(order: &OrderRecord) -> bool {
    matches!(order.state, OrderState::AwaitingPayment | OrderState::ReceiptAwaited)
}

fn awaited(view: &View) -> Result<(&CollectionRecord, Timestamp), Broken> {
    let end = view.given_up_at();
    view.collection
        .as_ref()
        .zip(end)
        .ok_or_else(|| Broken(format!("order {} awaits money without a collection", view.order.id)))
}

fn queried(
    view: &View,
    collection: &CollectionRecord,
    outcome: &QueryOutcome,
    now: Timestamp,
) -> Result<Step, Broken> {
    let (_, end) = awaited(view)?;
    let checks = collection.checks.saturating_add(1);
    Ok(match outcome {
        QueryOutcome::Paid => {
            let next = CollectionRecord { checks, ..ended(collection, CollectionState::ReceiptAwaited) };
            if now >= end {
                return Ok(receipt_missing(view, next, now));
            }
            both(view, next, Some(OrderRecord { state: OrderState::ReceiptAwaited, ..view.order.clone() }))
        }
        QueryOutcome::Refused { code } => {
            let asked = CollectionRecord { checks, ..collection.clone() };
            not_paid(view, &asked, code, wait_after_refusal(code), now)?
        }
        QueryOutcome::Pending if now >= end => {
            let next = CollectionRecord { checks, ..ended(collection, CollectionState::Expired) };
            expired(view, collection, next, now)
        }
        QueryOutcome::Pending => {
            let step = usize::try_from(checks).unwrap_or(usize::MAX).min(CHECKS_S.len() - 1);
            let next_check_at = Some(now.plus_seconds(CHECKS_S[step]));
            both(view, CollectionRecord { checks, next_check_at, ..collection.clone() }, None)
        }
    })
}

/// Certainly not paid: another prompt after `wait_s` seconds if there is time for
/// one, else the order is given up.
fn not_paid(
    view: &View,
    collection: &CollectionRecord,
    code: &str,
    wait_s: Option<i64>,
    now: Timestamp,
) -> Result<Step, Broken> {
    let (_, end) = awaited(view)?;
    let again = wait_s.map(|wait_s| now.plus_seconds(wait_s));
    if let Some(at) = again.filter(|at| *at < end.plus_seconds(-PROMPT_LIFE_S)) {
        let next = CollectionRecord { next_check_at: Some(at), ..next(collection, CollectionState::Planned) };
        return Ok(both(view, next, None).said(format!("put off ({code}): asked for again later")));
    }
    let over = given_up(view, ReleaseReason::PaymentRefused);
    Ok(both(view, refused(collection, code), Some(over)).said(format!("refused ({code})")))
}

/// Nothing was proven in time. If a prompt may have been out, a person decides what
/// became of it; a proof that comes later still counts.
fn expired(view: &View, before: &CollectionRecord, next: CollectionRecord, now: Timestamp) -> Step {
    let (order, buyer) = (view.order.id, view.order.buyer);
    let mut step = both(view, next, Some(given_up(view, ReleaseReason::PaymentTimeout)));
    if before.state != CollectionState::Planned {
        step.review(
            Matter::CollectionUnknown(order),
            format!("M-Pesa gave no final word on the prompt of order {order} by its deadline"),
        );
        step.tell(buyer, &Notice::OutcomeSought(order), now);
    }
    step
}

/// M-Pesa says paid, but its receipt was not found in time to settle.
fn receipt_missing(view: &View, next: CollectionRecord, now: Timestamp) -> Step {
    let (order, buyer) = (view.order.id, view.order.buyer);
    let mut step = both(view, next, Some(given_up(view, ReleaseReason::PaymentTimeout)));
    step.review(
        Matter::CollectionUnknown(order),
        format!("M-Pesa says order {order} was paid, but no receipt came by its deadline"),
    );
    step.tell(buyer, &Notice::ReceiptSought(order), now);
    step
}

fn next(collection: &CollectionRecord, state: CollectionState) -> CollectionRecord {
    CollectionRecord { state, ..collection.clone() }
}

/// In a state where nobody is asked any more.
pub(super) fn ended(collection: &CollectionRecord, state: CollectionState) -> CollectionRecord {
    CollectionRecord { next_check_at: None, ..next(collection, state) }
}

fn refused(collection: &CollectionRecord, code: &str) -> CollectionRecord {
    ended(collection, CollectionState::Refused { code: code.to_owned() })
}

pub(super) fn given_up(view: &View, reason: ReleaseReason) -> OrderRecord {
    releasing(&view.order, reason)
}

/// Changes the collection and, if it changes too, the order.
pub(super) fn both(view: &View, collection: CollectionRecord, order: Option<OrderRecord>) -> Step {
    let mut step = Step::default();
    step.change(Change::Collection(collection));
    step.announce(Event::Order(view.order.id, view.order.buyer));
    if let Some(order) = order {
        step.change(Change::Order(order));
    }
    step
}
