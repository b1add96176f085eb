//! What the chain's answers do to an order. Pure.

use super::View;
use crate::market::{is_bought_back, is_calls};
use crate::names::CollectionNames;
use crate::notice::Notice;
use crate::offer::release_part;
use crate::step::{Broken, Step};
use jirani_chain::Outcome;
use jirani_ledger::templates::collections::{self, CreditedFor};
use jirani_ledger::templates::orders::{self, PaidFrom, Part, Party};
use jirani_store::{
    Change, CollectionRecord, CollectionState, Event, OfferState, OrderRecord, OrderState, PayWith,
    ReceiptRecord, ReceiptUse, ReleaseReason,
};
use jirani_units::{Cents, OrderId, Timestamp, Wh};

/// From this excess on the buyer is told: below a shilling it is only the rounding
/// to whole shillings.
const OVER_CENTS: i64 = 100;
/// Why a call's order ends of whose offers the chain refused some.
const OFFER_REFUSED: &str = "market.offer_refused";

/// What happens to an order on chain.
#[derive(Clone, Debug)]
pub(crate) enum OrderEvent {
    /// The chain has answered the placing (from balance: and settling).
    Placed(Outcome),
    /// Offers that a call's order holds were refused: it ends, and what is left of it goes
    /// on as the order of this number; not when prices have changed since.
    OffersRefused(Option<OrderId>),
    /// The chain has answered the settling.
    Settled(Outcome),
    /// The tokens are back; the signature, if it was us who gave them back.
    Released(Option<String>),
}

/// What the order's state asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderEffect {
    Place,
    PlaceAndSettle,
    /// The collection's turn.
    Collect,
    Settle,
    Release,
    /// Nothing more, ever.
    Rest,
}

/// What `order` asks for.
pub(crate) fn effect(order: &OrderRecord) -> OrderEffect {
    match (order.state, order.pay_with) {
        (OrderState::Planned, PayWith::Mpesa) => OrderEffect::Place,
        (OrderState::Planned, PayWith::Balance) => OrderEffect::PlaceAndSettle,
        (OrderState::AwaitingPayment | OrderState::ReceiptAwaited, _) => OrderEffect::Collect,
        (OrderState::Paid, _) => OrderEffect::Settle,
        (OrderState::Releasing, _) => OrderEffect::Release,
        (OrderState::Settled | OrderState::Released | OrderState::Refused, _) => OrderEffect::Rest,
    }
}

/// What `event` changes. `view` must hold the offers.
pub(crate) fn decide(
    view: &View,
    event: &OrderEvent,
    names: CollectionNames,
    now: Timestamp,
) -> Result<Step, Broken> {
    let order = &view.order;
    match (order.state, event, order.pay_with) {
        (OrderState::Planned, OrderEvent::Placed(Outcome::Landed { signature, at, .. }), PayWith::Mpesa) => {
            placed(view, signature, *at, names, now)
        }
        (OrderState::Planned, OrderEvent::Placed(Outcome::Landed { signature, .. }), PayWith::Balance) => {
            let mut next = settled(order, signature, now);
            next.placed_signature = Some(signature.clone());
            let mut step = Step::default();
            allocate(&mut step, view, PaidFrom::Balance, now)?;
            if is_bought_back(&order.key) {
                tell_bought_back(&mut step, order, now);
            }
            finish(step, view, next, true)
        }
        (OrderState::Planned, OrderEvent::Placed(Outcome::Refused { code, .. }), _) => {
            let (step, next) = refused(view, code, now);
            finish(step, view, next, false)
        }
        (OrderState::Planned, OrderEvent::OffersRefused(again), PayWith::Balance) => {
            goes_on(view, *again, now)
        }
        (OrderState::Paid, OrderEvent::Settled(Outcome::Landed { signature, .. }), _) => {
            let receipt = used_receipt(view)?;
            let mut step = Step::default();
            allocate(&mut step, view, PaidFrom::Mpesa, now)?;
            let excess = Cents(receipt.amount.0 - order.due.0);
            if excess.is_positive() {
                let to_buyer = collections::excess(order.id, &receipt.receipt, order.buyer, excess, now);
                step.change(Change::Post(to_buyer));
                if excess.0 >= OVER_CENTS {
                    let notice = Notice::PaidOver(order.id, receipt.receipt.clone(), excess);
                    step.tell(order.buyer, &notice, now);
                }
                step.announce(Event::Balance(order.buyer));
            }
            let used_for = ReceiptUse::Settled(order.id);
            step.change(Change::Receipt(ReceiptRecord { used_for, ..receipt.clone() }));
            finish(step, view, settled(order, signature, now), true)
        }
        (OrderState::Paid, OrderEvent::Settled(Outcome::Refused { code, .. }), _) => {
            let receipt = used_receipt(view)?;
            let mut step = Step::default();
            let why = CreditedFor::GivenUp(order.id);
            let credit = collections::credited(&receipt.receipt, order.buyer, receipt.amount, why, now);
            step.change(Change::Post(credit));
            let notice = Notice::NotDelivered(order.id, receipt.receipt.clone(), receipt.amount);
            step.tell(order.buyer, &notice, now);
            let used_for = ReceiptUse::Balance(order.buyer);
            step.change(Change::Receipt(ReceiptRecord { used_for, ..receipt.clone() }));
            step.change(Change::Order(OrderRecord {
                refusal: Some(code.clone()),
                ..releasing(order, ReleaseReason::PaymentTimeout)
            }));
            step.announce(Event::Order(order.id, order.buyer)).announce(Event::Balance(order.buyer));
            Ok(step)
        }
        (OrderState::Releasing, OrderEvent::Released(signature), _) => {
            let mut next = order.clone();
            next.state = OrderState::Released;
            next.final_signature.clone_from(signature);
            next.final_at = Some(now);
            finish(Step::default(), view, next, false)
        }
        _ => Ok(Step::nothing("the order has moved on")),
    }
}

/// The order, given up for `reason`.
pub(crate) fn releasing(order: &OrderRecord, reason: ReleaseReason) -> OrderRecord {
    OrderRecord { state: OrderState::Releasing, release_reason: Some(reason), ..order.clone() }
}

/// The order as it ends that could not be placed; its due goes back to the balance.
fn refused(view: &View, code: &str, now: Timestamp) -> (Step, OrderRecord) {
    let order = &view.order;
    let mut next = order.clone();
    next.state = OrderState::Refused;
    next.refusal = Some(code.to_owned());
    next.final_at = Some(now);
    let mut step = Step::default();
    if order.pay_with == PayWith::Balance {
        next.proof = None;
        next.paid_at = None;
        step.change(Change::Post(orders::returned(order.id, view.party(order.buyer), order.due, now)));
        step.announce(Event::Balance(order.buyer));
    }
    (step, next)
}

/// Ends an order of a call of whose offers some were refused, and makes one of the fills
/// that are left: who sells them has no part in the refusal. What they hold of their offers
/// passes from the one to the other.
fn goes_on(view: &View, again: Option<OrderId>, now: Timestamp) -> Result<Step, Broken> {
    let order = &view.order;
    let (mut step, next) = refused(view, OFFER_REFUSED, now);
    let mut fills = Vec::with_capacity(order.fills.len());
    for (fill, offer) in order.fills.iter().zip(&view.offers) {
        if fill.offer != offer.id {
            return Err(Broken(format!("order {} was read with other offers than its own", order.id)));
        }
        if offer.state == OfferState::Refused || again.is_none() {
            step.change(Change::Offer(release_part(offer, Wh(u64::from(fill.energy_wh)), false)?));
            step.announce(Event::Offer(offer.id, offer.seller));
        } else {
            fills.push(*fill);
        }
    }
    step.announce(Event::Order(next.id, next.buyer));
    step.change(Change::Order(next));
    let Some(again) = again.filter(|_| !fills.is_empty()) else { return Ok(step) };
    let due = jirani_market::shares(&fills, order.fee, order.tax)
        .map_err(|error| Broken(format!("what is left of order {} has no price: {error}", order.id)))?
        .due;
    step.change(Change::Post(orders::from_balance(again, view.party(order.buyer), due, now)));
    step.change(Change::Order(OrderRecord {
        id: again,
        fills,
        due,
        proof: Some(crate::proof::transfer_proof(orders::from_balance_id(again))),
        paid_at: Some(now),
        key: crate::market::again(&order.key),
        created_at: now,
        version: 0,
        ..order.clone()
    }));
    step.announce(Event::Order(again, order.buyer));
    Ok(step)
}

fn settled(order: &OrderRecord, signature: &str, now: Timestamp) -> OrderRecord {
    // A call follows an attestation: its trades are after that, also while a clock stands.
    let final_at = if is_calls(&order.key) { now.max(Timestamp(order.created_at.0 + 1)) } else { now };
    OrderRecord {
        state: OrderState::Settled,
        final_signature: Some(signature.to_owned()),
        final_at: Some(final_at),
        ..order.clone()
    }
}

fn placed(
    view: &View,
    signature: &str,
    at: Timestamp,
    names: CollectionNames,
    now: Timestamp,
) -> Result<Step, Broken> {
    let order = &view.order;
    let mut next = order.clone();
    next.state = OrderState::AwaitingPayment;
    next.placed_signature = Some(signature.to_owned());
    next.deadline = Some(at.plus_seconds(view.window_s));
    let mut step = Step::default();
    step.announce(Event::Order(order.id, order.buyer));
    let Some(msisdn) = view.msisdn else {
        step.change(Change::Order(releasing(&next, ReleaseReason::PaymentRefused)));
        return Ok(step.said("the buyer has no phone any more"));
    };
    let amount = jirani_market::collect(order.due)
        .map_err(|error| Broken(format!("the due of order {} cannot be collected: {error}", order.id)))?;
    step.change(Change::Order(next));
    step.change(Change::Collection(CollectionRecord {
        order: order.id,
        payer: order.buyer,
        msisdn,
        amount,
        reference: names.reference,
        secret: names.secret,
        checkout_request_id: None,
        state: CollectionState::Planned,
        receipt: None,
        created_at: now,
        next_check_at: Some(now),
        checks: 0,
        version: 0,
    }));
    Ok(step)
}

fn used_receipt(view: &View) -> Result<&ReceiptRecord, Broken> {
    let order = &view.order;
    let receipt = view.receipt.as_ref().filter(|receipt| receipt.used_for == ReceiptUse::Order(order.id));
    receipt
        .filter(|receipt| receipt.amount >= order.due)
        .ok_or_else(|| Broken(format!("order {} is paid without a receipt that covers it", order.id)))
}

/// The due goes where it belongs, out of clearing.
fn allocate(step: &mut Step, view: &View, from: PaidFrom, now: Timestamp) -> Result<(), Broken> {
    let order = &view.order;
    let shares = jirani_market::shares(&order.fills, order.fee, order.tax)
        .map_err(|error| Broken(format!("order {} cannot be shared out: {error}", order.id)))?;
    let mut parts = Vec::with_capacity(shares.sellers.len() + 3);
    for (place, (seller, amount)) in (0u8..).zip(&shares.sellers) {
        let who = view.party(*seller);
        if matches!(who, Party::Household(_)) && amount.is_positive() {
            step.announce(Event::Balance(*seller));
        }
        parts.push((Part::Sale(place, who), *amount));
    }
    parts.push((Part::Fee, shares.fee));
    parts.push((Part::Tax, shares.tax));
    parts.push((Part::Rounding, shares.rounding));
    let sum: Cents = parts.iter().map(|(_, amount)| *amount).sum();
    if sum != order.due {
        return Err(Broken(format!("the parts of order {} do not add up to its due", order.id)));
    }
    for transfer in orders::settled(order.id, from, parts, now) {
        step.change(Change::Post(transfer));
    }
    Ok(())
}

/// The seller hears what the operator bought, and for how much.
fn tell_bought_back(step: &mut Step, order: &OrderRecord, now: Timestamp) {
    if let Some(fill) = order.fills.first() {
        step.tell(fill.seller, &Notice::BoughtBack(order.id, order.energy_wh(), fill.price), now);
    }
}

/// The order is final: what it held of its offers is sold, or free again.
fn finish(mut step: Step, view: &View, next: OrderRecord, sold: bool) -> Result<Step, Broken> {
    for (fill, offer) in next.fills.iter().zip(&view.offers) {
        if fill.offer != offer.id {
            return Err(Broken(format!("order {} was read with other offers than its own", next.id)));
        }
        step.change(Change::Offer(release_part(offer, Wh(u64::from(fill.energy_wh)), sold)?));
        step.announce(Event::Offer(offer.id, offer.seller));
    }
    step.announce(Event::Order(next.id, next.buyer));
    step.change(Change::Order(next));
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{BUYER, END, GENERATOR, SELLER, collection, order, view};
    use crate::names::Names;
    use jirani_ledger::Account;
    use jirani_store::Proof;

    const NOW: Timestamp = Timestamp::from_seconds(1_010);

    fn names() -> CollectionNames {
        Names::new([9; 32], "").collection(jirani_units::OrderId(17))
    }

    fn landed() -> Outcome {
        Outcome::Landed {
            signature: "sig".to_owned(),
            slot: 3,
            at: Timestamp::from_seconds(1_000),
            rows: Vec::new(),
        }
    }

    fn refused() -> Outcome {
        Outcome::Refused {
            code: "energy.offer_expired".to_owned(),
            message: String::new(),
            retry: jirani_chain::Retry::Never,
        }
    }

    fn paid_view(received: i64) -> View {
        let mut view = view(OrderState::Paid, PayWith::Mpesa, Some(collection(CollectionState::Paid)));
        view.order.proof = Some(Proof::Receipt([1; 32]));
        view.order.paid_at = Some(NOW);
        view.receipt = Some(ReceiptRecord {
            receipt: "UJ32ABCDEF".parse().unwrap(),
            amount: Cents(received),
            paid_at: NOW,
            payer: Some(BUYER),
            used_for: ReceiptUse::Order(view.order.id),
            received_at: NOW,
            version: 1,
        });
        view
    }

    fn next_order(step: &Step) -> Option<&OrderRecord> {
        step.changes.iter().find_map(|change| match change {
            Change::Order(order) => Some(order),
            _ => None,
        })
    }

    fn posts(step: &Step) -> Vec<(Account, Account, i64)> {
        let posts = step.changes.iter().filter_map(|change| match change {
            Change::Post(transfer) => Some((transfer.debit, transfer.credit, transfer.amount.0)),
            _ => None,
        });
        posts.collect()
    }

    fn reserved(step: &Step) -> Vec<(u64, u64)> {
        let offers = step.changes.iter().filter_map(|change| match change {
            Change::Offer(offer) => Some((offer.reserved_wh.0, offer.sold_wh.0)),
            _ => None,
        });
        offers.collect()
    }

    #[test]
    fn each_state_asks_for_one_thing() {
        use OrderEffect::{Collect, Place, PlaceAndSettle, Release, Rest, Settle};
        for (state, pay_with, expected) in [
            (OrderState::Planned, PayWith::Mpesa, Place),
            (OrderState::Planned, PayWith::Balance, PlaceAndSettle),
            (OrderState::AwaitingPayment, PayWith::Mpesa, Collect),
            (OrderState::ReceiptAwaited, PayWith::Mpesa, Collect),
            (OrderState::Paid, PayWith::Mpesa, Settle),
            (OrderState::Releasing, PayWith::Mpesa, Release),
            (OrderState::Settled, PayWith::Mpesa, Rest),
            (OrderState::Released, PayWith::Mpesa, Rest),
            (OrderState::Refused, PayWith::Balance, Rest),
        ] {
            assert_eq!(effect(&order(state, pay_with)), expected, "{state:?}");
        }
    }

    #[test]
    fn an_event_out_of_turn_changes_nothing() {
        use OrderState::{
            AwaitingPayment, Paid, Planned, ReceiptAwaited, Refused, Released, Releasing, Settled,
        };
        let states = [Planned, AwaitingPayment, ReceiptAwaited, Paid, Settled, Releasing, Released, Refused];
        for (event, only) in [
            (OrderEvent::Placed(landed()), Planned),
            (OrderEvent::Placed(refused()), Planned),
            (OrderEvent::Settled(refused()), Paid),
            (OrderEvent::Released(None), Releasing),
        ] {
            for state in states.into_iter().filter(|state| *state != only) {
                let step = decide(&view(state, PayWith::Mpesa, None), &event, names(), NOW).unwrap();
                assert!(step.changes.is_empty() && step.events.is_empty(), "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_placed_order_and_its_collection_are_stored_together() {
        let view = view(OrderState::Planned, PayWith::Mpesa, None);
        let step = decide(&view, &OrderEvent::Placed(landed()), names(), NOW).unwrap();
        let order = next_order(&step).unwrap();
        assert_eq!(order.state, OrderState::AwaitingPayment);
        assert_eq!(order.deadline, Some(Timestamp::from_seconds(1_120)));
        assert!(step.changes.iter().any(|change| matches!(
            change,
            Change::Collection(collection)
                if collection.amount == Cents(3_700) && collection.state == CollectionState::Planned
        )));
    }

    #[test]
    fn a_refused_order_frees_its_offers_and_returns_the_balance() {
        for (pay_with, expected) in [
            (PayWith::Mpesa, vec![]),
            (PayWith::Balance, vec![(Account::OrdersClearing, Account::Household(BUYER), 3_690)]),
        ] {
            let view = view(OrderState::Planned, pay_with, None);
            let step = decide(&view, &OrderEvent::Placed(refused()), names(), NOW).unwrap();
            assert_eq!(next_order(&step).unwrap().refusal.as_deref(), Some("energy.offer_expired"));
            assert_eq!((posts(&step), reserved(&step)), (expected, vec![(0, 0), (200, 0)]));
        }
    }

    #[test]
    fn a_settled_orders_due_goes_to_sellers_and_operator_and_the_rest_back() {
        let step = decide(&paid_view(3_700), &OrderEvent::Settled(landed()), names(), NOW).unwrap();
        let from = Account::CollectionsUnallocated;
        let expected = vec![
            (from, Account::Household(SELLER), 1_500),
            (from, Account::OperatorSales, 1_500),
            (from, Account::OperatorFees, 450),
            (from, Account::OperatorTaxes, 240),
            (from, Account::Household(BUYER), 10),
        ];
        assert_eq!(posts(&step), expected);
        assert_eq!(reserved(&step), [(0, 1_000), (200, 500)]);
        assert_eq!(next_order(&step).unwrap().state, OrderState::Settled);
        assert!(!step.events.contains(&Event::Balance(GENERATOR)));
    }

    #[test]
    fn an_order_from_balance_is_settled_in_one_step() {
        let view = view(OrderState::Planned, PayWith::Balance, None);
        let step = decide(&view, &OrderEvent::Placed(landed()), names(), NOW).unwrap();
        let order = next_order(&step).unwrap();
        assert_eq!(order.state, OrderState::Settled);
        assert_eq!(order.placed_signature, order.final_signature);
        let posts = posts(&step);
        assert!(posts.iter().all(|(debit, ..)| *debit == Account::OrdersClearing));
        assert_eq!(posts.iter().map(|(.., amount)| amount).sum::<i64>(), 3_690);
    }

    #[test]
    fn what_the_chain_refuses_to_settle_becomes_the_payers_balance() {
        let step = decide(&paid_view(3_700), &OrderEvent::Settled(refused()), names(), END).unwrap();
        let back = (Account::CollectionsUnallocated, Account::Household(BUYER), 3_700);
        assert_eq!((posts(&step), reserved(&step)), (vec![back], vec![]));
        assert_eq!(next_order(&step).unwrap().state, OrderState::Releasing);
        assert!(step.changes.iter().any(|change| matches!(
            change,
            Change::Receipt(receipt) if receipt.used_for == ReceiptUse::Balance(BUYER)
        )));
    }

    #[test]
    fn a_released_order_frees_its_offers() {
        let mut view = view(OrderState::Releasing, PayWith::Mpesa, None);
        view.order.release_reason = Some(ReleaseReason::PaymentRefused);
        let step = decide(&view, &OrderEvent::Released(None), names(), END).unwrap();
        assert_eq!(next_order(&step).unwrap().state, OrderState::Released);
        assert_eq!((posts(&step), reserved(&step)), (vec![], vec![(0, 0), (200, 0)]));
    }

    #[test]
    fn records_that_contradict_each_other_stop_the_order() {
        let mut short = paid_view(3_689);
        assert!(decide(&short, &OrderEvent::Settled(landed()), names(), NOW).is_err());
        short.receipt = None;
        assert!(decide(&short, &OrderEvent::Settled(landed()), names(), NOW).is_err());
        let mut other = paid_view(3_700);
        other.offers.reverse();
        assert!(decide(&other, &OrderEvent::Settled(landed()), names(), NOW).is_err());
    }
}
