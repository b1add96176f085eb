//! What M-Pesa's words and the clock do to a collection and its order. Pure.

use crate::config::SettlementConfig;
use crate::order::{View, releasing};
use crate::proof::receipt_proof;
use crate::step::{Broken, Step};
use crate::transfers;
use jirani_daraja::{QueryOutcome, SendError, StkAccepted};
use jirani_store::{
    Change, CollectionRecord, CollectionState, Event, OrderRecord, OrderState, ReceiptRecord, ReceiptUse,
    ReleaseReason,
};
use jirani_units::{Cents, HouseholdId, Receipt, Timestamp};

/// Seconds from the prompt to the first query, then from query to query.
const CHECKS_S: [i64; 6] = [20, 20, 30, 45, 60, 90];

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
    let deadline = view.order.deadline.unwrap_or(end);
    Ok(match (&collection.state, collection.next_check_at) {
        (CollectionState::Planned, _) if now < deadline => CollectionEffect::Prompt,
        // The last query tells a payer who paid from one who never did.
        (CollectionState::Pending, _) if now >= end => CollectionEffect::Query,
        (CollectionState::Pending, Some(at)) if now >= at => CollectionEffect::Query,
        (CollectionState::Pending, Some(at)) => CollectionEffect::Rest(if at < end { at } else { end }),
        _ if now >= end => CollectionEffect::Expire,
        _ => CollectionEffect::Rest(end),
    })
}

/// What `event` changes; `known` is the record of the event's receipt, if there
/// is one.
pub(crate) fn decide(
    view: &View,
    event: &CollectionEvent,
    known: Option<&ReceiptRecord>,
    config: &SettlementConfig,
    now: Timestamp,
) -> Result<Step, Broken> {
    use CollectionState::{Expired, Pending, Planned, ReceiptAwaited, Refused, SendUnknown};
    let Some(collection) = &view.collection else {
        return Err(Broken(format!("order {} has no collection", view.order.id)));
    };
    if let Some(claimed) = event.checkout_request_id()
        && !is_ours(collection, claimed)
    {
        return Ok(Step::nothing("foreign: it names another prompt than ours"));
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
            both(view, refused(collection, code), Some(given_up(view, ReleaseReason::PaymentRefused)))
        }
        (CollectionEvent::Queried(outcome), Pending) if open => queried(view, collection, outcome, now)?,
        (CollectionEvent::WindowOver, Planned | SendUnknown | Pending) if open => {
            let over = given_up(view, ReleaseReason::PaymentTimeout);
            both(view, ended(collection, Expired), Some(over))
        }
        (CollectionEvent::WindowOver, ReceiptAwaited) if open => {
            let over = given_up(view, ReleaseReason::PaymentTimeout);
            both(view, ended(collection, ReceiptAwaited), Some(over))
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
            let mut next = refused(collection, code);
            next.checkout_request_id = Some(checkout_request_id.clone());
            both(view, next, Some(given_up(view, ReleaseReason::PaymentRefused)))
                .said(format!("refused ({code})"))
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
    fn checkout_request_id(&self) -> Option<&str> {
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
/// was sent, no prompt can be ours.
fn is_ours(collection: &CollectionRecord, claimed: &str) -> bool {
    match &collection.checkout_request_id {
        Some(ours) => ours == claimed,
        None => collection.state != CollectionState::Planned,
    }
}

fn is_open(order: &OrderRecord) -> bool {
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
    let timeout = || given_up(view, ReleaseReason::PaymentTimeout);
    let checks = collection.checks.saturating_add(1);
    Ok(match outcome {
        QueryOutcome::Paid => {
            let awaited = OrderRecord { state: OrderState::ReceiptAwaited, ..view.order.clone() };
            let order = if now >= end { timeout() } else { awaited };
            let next = ended(collection, CollectionState::ReceiptAwaited);
            both(view, CollectionRecord { checks, ..next }, Some(order))
        }
        QueryOutcome::Refused { code } => {
            let next = CollectionRecord { checks, ..refused(collection, code) };
            both(view, next, Some(given_up(view, ReleaseReason::PaymentRefused)))
        }
        QueryOutcome::Pending if now >= end => {
            let next = ended(collection, CollectionState::Expired);
            both(view, CollectionRecord { checks, ..next }, Some(timeout()))
        }
        QueryOutcome::Pending => {
            let step = usize::try_from(checks).unwrap_or(usize::MAX).min(CHECKS_S.len() - 1);
            let next_check_at = Some(now.plus_seconds(CHECKS_S[step]));
            both(view, CollectionRecord { checks, next_check_at, ..collection.clone() }, None)
        }
    })
}

/// Money has come in: each cent of it goes somewhere in this one commit.
fn received(
    view: &View,
    collection: &CollectionRecord,
    event: &CollectionEvent,
    money: &Money,
    known: Option<&ReceiptRecord>,
    config: &SettlementConfig,
    now: Timestamp,
) -> Result<Step, Broken> {
    if let Some(known) = known {
        return Ok(seen_before(known, money));
    }
    let order = &view.order;
    let mut next = ended(collection, CollectionState::Paid);
    if let Some(id) = event.checkout_request_id() {
        next.checkout_request_id = Some(id.to_owned());
    }
    // A second payment leaves the first one's receipt where it is.
    if collection.receipt.is_none() {
        next.receipt = Some(money.receipt.clone());
    }
    if !is_open(order) {
        let step = both(view, next, None);
        return Ok(
            keep(step, order.buyer, money, now).said("the order needs no money any more: kept as balance")
        );
    }
    let (last, placed) = view
        .last_payment_at()
        .zip(view.placed_at())
        .ok_or_else(|| Broken(format!("order {} awaits money without a deadline", order.id)))?;
    // Money that is known has moved by now, and our reference did not exist before
    // the order did: any other time only means that M-Pesa's clock is not the chain's.
    let paid_at = money.paid_at.min(now).max(placed);
    if paid_at.seconds() > last.seconds() {
        let step = both(view, next, Some(given_up(view, ReleaseReason::PaymentTimeout)));
        return Ok(keep(step, order.buyer, money, now).said("paid too late: kept as balance"));
    }
    if money.amount < order.due {
        let step = both(view, next, Some(given_up(view, ReleaseReason::PaidShort)));
        return Ok(keep(step, order.buyer, money, now).said("paid less than the due: kept as balance"));
    }
    let paid = OrderRecord {
        state: OrderState::Paid,
        proof: Some(receipt_proof(&config.deployment_key, &config.shortcode, &money.receipt)),
        paid_at: Some(paid_at),
        ..order.clone()
    };
    let mut step = both(view, next, Some(paid));
    step.change(Change::Receipt(record(money, Some(order.buyer), ReceiptUse::Order(order.id))));
    step.change(Change::Post(transfers::collected(&money.receipt, money.amount, now)));
    Ok(step.said("paid"))
}

/// What a payment that names none of our references becomes.
pub(crate) fn loose(loose: &Loose, known: Option<&ReceiptRecord>, now: Timestamp) -> Step {
    let Loose { money, payer } = loose;
    if let Some(known) = known {
        return seen_before(known, money);
    }
    let mut step = Step::default();
    if let Some(payer) = payer {
        return keep(step, *payer, money, now).said("paid by hand: the household's balance");
    }
    step.change(Change::Receipt(record(money, None, ReceiptUse::Suspense)));
    step.change(Change::Post(transfers::collected(&money.receipt, money.amount, now)));
    step.change(Change::Post(transfers::suspended(&money.receipt, money.amount, now)));
    step.said("nobody can say whose it is: suspense")
}

fn seen_before(known: &ReceiptRecord, money: &Money) -> Step {
    if known.amount == money.amount {
        Step::nothing("this receipt is known already")
    } else {
        Step::nothing("contradiction: this receipt is known with another amount")
    }
}

/// All of `money` becomes `payer`'s balance.
fn keep(mut step: Step, payer: HouseholdId, money: &Money, now: Timestamp) -> Step {
    step.change(Change::Receipt(record(money, Some(payer), ReceiptUse::Balance(payer))));
    step.change(Change::Post(transfers::collected(&money.receipt, money.amount, now)));
    step.change(Change::Post(transfers::credited(&money.receipt, payer, money.amount, now)));
    step.announce(Event::Balance(payer));
    step
}

fn record(money: &Money, payer: Option<HouseholdId>, used_for: ReceiptUse) -> ReceiptRecord {
    let Money { receipt, amount, paid_at, received_at } = money.clone();
    ReceiptRecord { receipt, amount, paid_at, payer, used_for, received_at, version: 0 }
}

fn next(collection: &CollectionRecord, state: CollectionState) -> CollectionRecord {
    CollectionRecord { state, ..collection.clone() }
}

/// In a state where nobody is asked any more.
fn ended(collection: &CollectionRecord, state: CollectionState) -> CollectionRecord {
    CollectionRecord { next_check_at: None, ..next(collection, state) }
}

fn refused(collection: &CollectionRecord, code: &str) -> CollectionRecord {
    ended(collection, CollectionState::Refused { code: code.to_owned() })
}

fn given_up(view: &View, reason: ReleaseReason) -> OrderRecord {
    releasing(&view.order, reason)
}

/// Changes the collection and, if it changes too, the order.
fn both(view: &View, collection: CollectionRecord, order: Option<OrderRecord>) -> Step {
    let mut step = Step::default();
    step.change(Change::Collection(collection));
    step.announce(Event::Order(view.order.id, view.order.buyer));
    if let Some(order) = order {
        step.change(Change::Order(order));
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{BUYER, DEADLINE, END, LAST, SELLER, collection, config, view};
    use jirani_ledger::Account;
    use jirani_store::PayWith;

    const NOW: Timestamp = Timestamp::from_seconds(1_050);
    const ID: &str = "ws_CO_1";

    fn open(state: CollectionState) -> View {
        let order = match state {
            CollectionState::ReceiptAwaited => OrderState::ReceiptAwaited,
            _ => OrderState::AwaitingPayment,
        };
        view(order, PayWith::Mpesa, Some(collection(state)))
    }

    fn money(amount: i64, paid_at: Timestamp) -> Money {
        Money { receipt: "UJ32ABCDEF".parse().unwrap(), amount: Cents(amount), paid_at, received_at: paid_at }
    }

    fn refusal() -> CollectionState {
        CollectionState::Refused { code: "1032".to_owned() }
    }

    fn step(view: &View, event: &CollectionEvent, now: Timestamp) -> Step {
        decide(view, event, None, &config(), now).unwrap()
    }

    /// Next states of collection and order, if they change, and the money that moves.
    type Next = (Option<CollectionState>, Option<OrderState>, Vec<(Account, Account, i64)>);

    fn next_of(step: &Step) -> Next {
        let mut next = (None, None, Vec::new());
        for change in &step.changes {
            match change {
                Change::Collection(collection) => next.0 = Some(collection.state.clone()),
                Change::Order(order) => next.1 = Some(order.state),
                Change::Post(post) => next.2.push((post.debit, post.credit, post.amount.0)),
                Change::Receipt(_) => {}
                other => panic!("{other:?}"),
            }
        }
        next
    }

    #[test]
    fn the_clock_and_the_state_say_what_to_do() {
        use CollectionState::{Pending, Planned, ReceiptAwaited, SendUnknown};
        let check = Timestamp::from_seconds(1_020);
        let before = Timestamp::from_seconds(1_019);
        for (state, now, expected) in [
            (Planned, before, CollectionEffect::Prompt),
            (Planned, DEADLINE, CollectionEffect::Rest(END)),
            (Planned, END, CollectionEffect::Expire),
            (SendUnknown, check, CollectionEffect::Rest(END)),
            (SendUnknown, END, CollectionEffect::Expire),
            (Pending, before, CollectionEffect::Rest(check)),
            (Pending, check, CollectionEffect::Query),
            (Pending, END, CollectionEffect::Query),
            (ReceiptAwaited, check, CollectionEffect::Rest(END)),
            (ReceiptAwaited, LAST, CollectionEffect::Rest(END)),
            (ReceiptAwaited, END, CollectionEffect::Expire),
        ] {
            assert_eq!(effect(&open(state.clone()), now), Ok(expected), "{state:?} at {now}");
        }
    }

    #[test]
    fn a_prompt_is_sent_once_and_only_a_certain_refusal_gives_the_order_up() {
        use CollectionState::{Pending, Planned, SendUnknown};
        let accepted = Ok(StkAccepted { checkout_request_id: ID.to_owned() });
        let not_sent = Err(SendError::NotSent { code: "1001".to_owned(), message: String::new() });
        let lost = Err(SendError::Unknown { message: "timeout".to_owned() });
        for (state, event, expected) in [
            (Planned, CollectionEvent::Sending, (Some(SendUnknown), None, vec![])),
            (SendUnknown, CollectionEvent::Sending, (None, None, vec![])),
            (Pending, CollectionEvent::Sending, (None, None, vec![])),
            (SendUnknown, CollectionEvent::Sent(accepted), (Some(Pending), None, vec![])),
            (SendUnknown, CollectionEvent::Sent(lost), (None, None, vec![])),
            (
                SendUnknown,
                CollectionEvent::Sent(not_sent),
                (
                    Some(CollectionState::Refused { code: "1001".to_owned() }),
                    Some(OrderState::Releasing),
                    vec![],
                ),
            ),
        ] {
            assert_eq!(next_of(&step(&open(state.clone()), &event, NOW)), expected, "{state:?} {event:?}");
        }
    }

    #[test]
    fn a_query_never_moves_money() {
        use CollectionState::{Expired, Pending, ReceiptAwaited};
        let refused = QueryOutcome::Refused { code: "1032".to_owned() };
        for (outcome, now, collection, order) in [
            (QueryOutcome::Pending, NOW, Some(Pending), None),
            (QueryOutcome::Paid, NOW, Some(ReceiptAwaited), Some(OrderState::ReceiptAwaited)),
            (refused.clone(), NOW, Some(refusal()), Some(OrderState::Releasing)),
            (QueryOutcome::Pending, END, Some(Expired), Some(OrderState::Releasing)),
            (QueryOutcome::Paid, END, Some(ReceiptAwaited), Some(OrderState::Releasing)),
            (refused, END, Some(refusal()), Some(OrderState::Releasing)),
        ] {
            let step = step(&open(Pending), &CollectionEvent::Queried(outcome.clone()), now);
            assert_eq!(next_of(&step), (collection, order, vec![]), "{outcome:?} at {now}");
        }
    }

    #[test]
    fn queries_are_spaced_wider_and_wider() {
        let mut view = open(CollectionState::Pending);
        let mut waits = Vec::new();
        for _ in 0..7 {
            let step = step(&view, &CollectionEvent::Queried(QueryOutcome::Pending), NOW);
            let [Change::Collection(next)] = step.changes.as_slice() else { panic!("{step:?}") };
            waits.push(next.next_check_at.unwrap().since(NOW) / 1_000_000);
            view.collection = Some(next.clone());
        }
        assert_eq!(waits, [20, 30, 45, 60, 90, 90, 90]);
    }

    #[test]
    fn a_refusal_gives_the_order_up_unless_something_else_is_known() {
        use CollectionState::{Expired, Paid, Pending, ReceiptAwaited, SendUnknown};
        let event = CollectionEvent::Refused { checkout_request_id: ID.to_owned(), code: "1032".to_owned() };
        for (state, expected) in [
            (SendUnknown, (Some(refusal()), Some(OrderState::Releasing), vec![])),
            (Pending, (Some(refusal()), Some(OrderState::Releasing), vec![])),
            (ReceiptAwaited, (None, None, vec![])),
            (Paid, (None, None, vec![])),
            (Expired, (None, None, vec![])),
        ] {
            assert_eq!(next_of(&step(&open(state.clone()), &event, NOW)), expected, "{state:?}");
        }
    }

    #[test]
    fn a_callback_that_names_another_prompt_changes_nothing() {
        let other = || "ws_CO_2".to_owned();
        for event in [
            CollectionEvent::Paid { checkout_request_id: other(), money: money(3_700, NOW) },
            CollectionEvent::Refused { checkout_request_id: other(), code: "1".to_owned() },
            CollectionEvent::PaidWithoutReceipt { checkout_request_id: other() },
        ] {
            let step = step(&open(CollectionState::Pending), &event, NOW);
            assert!(step.changes.is_empty() && step.outcome.starts_with("foreign"), "{step:?}");
        }
        let event = CollectionEvent::Paid { checkout_request_id: other(), money: money(3_700, NOW) };
        let unsent = step(&open(CollectionState::Planned), &event, NOW);
        assert!(unsent.changes.is_empty(), "nothing was sent, so nothing can answer");
        let lost = step(&open(CollectionState::SendUnknown), &event, NOW);
        assert_eq!(
            next_of(&lost).1,
            Some(OrderState::Paid),
            "the secret path is enough while the id is lost"
        );
    }

    #[test]
    fn money_settles_an_open_order_only_if_it_is_enough_and_in_time() {
        let (to_clearing, to_payer) = (
            |amount| (Account::MpesaCollection, Account::CollectionsUnallocated, amount),
            |amount| (Account::CollectionsUnallocated, Account::Household(BUYER), amount),
        );
        let late = Timestamp(LAST.0 + 1_000_000);
        for (amount, paid_at, order, posts) in [
            (3_700, NOW, OrderState::Paid, vec![to_clearing(3_700)]),
            (3_690, LAST, OrderState::Paid, vec![to_clearing(3_690)]),
            (9_900, NOW, OrderState::Paid, vec![to_clearing(9_900)]),
            (3_689, NOW, OrderState::Releasing, vec![to_clearing(3_689), to_payer(3_689)]),
            (3_700, late, OrderState::Releasing, vec![to_clearing(3_700), to_payer(3_700)]),
        ] {
            for event in [
                CollectionEvent::Received(money(amount, paid_at)),
                CollectionEvent::Paid { checkout_request_id: ID.to_owned(), money: money(amount, paid_at) },
            ] {
                for state in
                    [CollectionState::Pending, CollectionState::SendUnknown, CollectionState::ReceiptAwaited]
                {
                    let step = step(&open(state), &event, NOW.max(paid_at));
                    let expected = (Some(CollectionState::Paid), Some(order), posts.clone());
                    assert_eq!(next_of(&step), expected, "{amount} at {paid_at}");
                }
            }
        }
    }

    #[test]
    fn money_for_an_order_that_needs_none_becomes_balance_and_nothing_else_moves() {
        use OrderState::{Paid, Released, Releasing, Settled};
        for state in [Paid, Settled, Releasing, Released] {
            for before in [CollectionState::Paid, refusal(), CollectionState::Expired] {
                let view = view(state, PayWith::Mpesa, Some(collection(before)));
                let next = next_of(&step(&view, &CollectionEvent::Received(money(3_700, NOW)), NOW));
                assert_eq!((&next.0, next.1), (&Some(CollectionState::Paid), None));
                let from = (Account::CollectionsUnallocated, Account::Household(BUYER), 3_700);
                assert_eq!(next.2[1], from);
            }
        }
    }

    #[test]
    fn a_receipt_counts_once_whatever_it_says_the_second_time() {
        let event = CollectionEvent::Received(money(3_700, NOW));
        for amount in [3_700, 100] {
            let known = record(&money(amount, NOW), Some(SELLER), ReceiptUse::Suspense);
            let view = open(CollectionState::Pending);
            let again = decide(&view, &event, Some(&known), &config(), NOW).unwrap();
            assert!(again.changes.is_empty());
            assert_eq!(again.outcome.starts_with("contradiction"), amount == 100);
            let hand = Loose { money: money(3_700, NOW), payer: Some(SELLER) };
            assert!(loose(&hand, Some(&known), NOW).changes.is_empty());
        }
    }

    #[test]
    fn a_clock_behind_the_chains_does_not_cost_the_payer_the_order() {
        let early = Timestamp::from_seconds(990);
        let step =
            step(&open(CollectionState::Pending), &CollectionEvent::Received(money(3_700, early)), NOW);
        assert!(step.changes.iter().any(|change| matches!(
            change,
            Change::Order(order) if order.paid_at == Some(Timestamp::from_seconds(1_000))
        )));
    }

    #[test]
    fn a_payment_by_hand_goes_to_the_household_it_names_or_to_suspense() {
        let clearing = Account::CollectionsUnallocated;
        for (payer, account) in [(Some(SELLER), Account::Household(SELLER)), (None, Account::Suspense)] {
            let step = loose(&Loose { money: money(500, NOW), payer }, None, NOW);
            let posts = vec![(Account::MpesaCollection, clearing, 500), (clearing, account, 500)];
            assert_eq!(next_of(&step), (None, None, posts));
        }
    }
}
