//! Each row of the table, and the money it moves.

use super::decide::*;
use super::money::{Known, Loose, Money, loose};
use crate::fixtures::{BUYER, DEADLINE, END, LAST, SELLER, collection, config, view};
use crate::order::View;
use crate::review::Matter;
use crate::step::Step;
use jirani_daraja::{QueryOutcome, SendError, StkAccepted};
use jirani_ledger::Account;
use jirani_store::{
    Change, CollectionState, OrderState, PayWith, ReceiptRecord, ReceiptUse, ReversalRecord, ReversalState,
};
use jirani_units::{Cents, HouseholdId, Timestamp};

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
    decide(view, event, Known::default(), &config(), now).unwrap()
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
            Change::Receipt(_) | Change::Notice(_) | Change::Reversal(_) => {}
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
    let not_sent = Err(SendError::NotSent { code: "400.002.02".to_owned(), message: String::new() });
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
                Some(CollectionState::Refused { code: "400.002.02".to_owned() }),
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
    assert_eq!(next_of(&lost).1, Some(OrderState::Paid), "the secret path is enough while the id is lost");
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
        let known = receipt_record(amount, ReceiptUse::Suspense);
        let view = open(CollectionState::Pending);
        let known = Known { receipt: Some(&known), reversal: None };
        let again = decide(&view, &event, known, &config(), NOW).unwrap();
        assert!(again.changes.is_empty());
        assert_eq!(again.outcome.starts_with("contradiction"), amount == 100);
        let asked = again.opened.iter().map(|opened| opened.matter.clone()).collect::<Vec<_>>();
        let matter = Matter::ReceiptDiffers(money(1, NOW).receipt);
        assert_eq!(asked, if amount == 100 { vec![matter] } else { vec![] });
        let hand = Loose { money: money(3_700, NOW), payer: Some(SELLER) };
        assert!(loose(&hand, known, NOW).changes.is_empty());
    }
}

#[test]
fn a_clock_behind_the_chains_does_not_cost_the_payer_the_order() {
    let early = Timestamp::from_seconds(990);
    let step = step(&open(CollectionState::Pending), &CollectionEvent::Received(money(3_700, early)), NOW);
    assert!(step.changes.iter().any(|change| matches!(
        change,
        Change::Order(order) if order.paid_at == Some(Timestamp::from_seconds(1_000))
    )));
}

#[test]
fn a_payment_by_hand_goes_to_the_household_it_names_or_to_suspense() {
    let clearing = Account::CollectionsUnallocated;
    for (payer, account) in [(Some(SELLER), Account::Household(SELLER)), (None, Account::Suspense)] {
        let step = loose(&Loose { money: money(500, NOW), payer }, Known::default(), NOW);
        let posts = vec![(Account::MpesaCollection, clearing, 500), (clearing, account, 500)];
        assert_eq!(next_of(&step), (None, None, posts));
    }
}

fn receipt_record(amount: i64, used_for: ReceiptUse) -> ReceiptRecord {
    let Money { receipt, amount, paid_at, received_at } = money(amount, NOW);
    ReceiptRecord { receipt, amount, paid_at, payer: Some(SELLER), used_for, received_at, version: 1 }
}

/// What a household is told, by its word.
fn told(step: &Step) -> Vec<(Option<HouseholdId>, &str)> {
    let notices = step.changes.iter().filter_map(|change| match change {
        Change::Notice(notice) => Some((notice.household, notice.code.as_str())),
        _ => None,
    });
    notices.collect()
}

#[test]
fn a_busy_phone_or_door_is_asked_again_after_its_time_and_not_when_there_is_none() {
    use CollectionState::{Pending, Planned, SendUnknown};
    let no =
        |code: &str| CollectionEvent::Refused { checkout_request_id: ID.to_owned(), code: code.to_owned() };
    let shut = |code: &str| {
        CollectionEvent::Sent(Err(SendError::NotSent { code: code.to_owned(), message: String::new() }))
    };
    let asked = |code: &str| CollectionEvent::Queried(QueryOutcome::Refused { code: code.to_owned() });
    for (state, event, wait_s) in [
        (Pending, no("17"), 120),
        (SendUnknown, no("17"), 120),
        (Pending, asked("17"), 120),
        (Pending, no("26"), 60),
        (Pending, no("1001"), 120),
        (SendUnknown, shut("500.001.1001"), 60),
        (SendUnknown, shut("500.003.02"), 10),
        (SendUnknown, shut("mpesa.unreachable"), 10),
    ] {
        let again = step(&open(state.clone()), &event, NOW);
        assert_eq!(next_of(&again), (Some(Planned), None, vec![]), "{event:?}");
        let Change::Collection(next) = &again.changes[0] else { panic!("{again:?}") };
        assert_eq!(next.next_check_at, Some(NOW.plus_seconds(wait_s)), "{event:?}");
        // It is sent again at that moment, although the deadline is over, and not before.
        let mut view = open(Planned);
        view.collection = Some(next.clone());
        let at = NOW.plus_seconds(wait_s);
        assert_eq!(effect(&view, NOW), Ok(CollectionEffect::Rest(at)));
        assert_eq!(effect(&view, at), Ok(CollectionEffect::Prompt));
        // Nobody could answer a prompt in the last minute.
        let late = END.plus_seconds(-60 - wait_s);
        let over = step(&open(state), &event, late);
        assert_eq!(next_of(&over).1, Some(OrderState::Releasing), "{event:?}");
    }
}

#[test]
fn word_of_a_prompt_that_was_put_off_does_not_end_the_one_that_followed() {
    let put_off = CollectionEvent::Refused { checkout_request_id: ID.to_owned(), code: "17".to_owned() };
    let mut view = open(CollectionState::SendUnknown);
    view.collection.as_mut().unwrap().checkout_request_id = Some(ID.to_owned());
    assert!(step(&view, &put_off, NOW).changes.is_empty());
    let second =
        CollectionEvent::Refused { checkout_request_id: "ws_CO_2".to_owned(), code: "1032".to_owned() };
    assert_eq!(next_of(&step(&view, &second, NOW)).1, Some(OrderState::Releasing));
    let paid = CollectionEvent::Paid { checkout_request_id: ID.to_owned(), money: money(3_700, NOW) };
    assert_eq!(next_of(&step(&view, &paid, NOW)).1, Some(OrderState::Paid), "money counts whatever paid it");
}

#[test]
fn what_nobody_decided_goes_to_a_person_and_a_receipt_takes_it_back() {
    use CollectionState::{Expired, Pending, Planned, ReceiptAwaited, SendUnknown};
    let matter = Matter::CollectionUnknown(jirani_units::OrderId(17));
    for (state, event, next, notice) in [
        (Planned, CollectionEvent::WindowOver, Expired, None),
        (SendUnknown, CollectionEvent::WindowOver, Expired, Some("outcome_sought")),
        (Pending, CollectionEvent::Queried(QueryOutcome::Pending), Expired, Some("outcome_sought")),
        (Pending, CollectionEvent::Queried(QueryOutcome::Paid), ReceiptAwaited, Some("receipt_sought")),
        (ReceiptAwaited, CollectionEvent::WindowOver, ReceiptAwaited, Some("receipt_sought")),
    ] {
        let over = step(&open(state.clone()), &event, END);
        assert_eq!(next_of(&over), (Some(next), Some(OrderState::Releasing), vec![]), "{state:?}");
        assert_eq!(over.opened.iter().any(|opened| opened.matter == matter), notice.is_some(), "{state:?}");
        assert_eq!(told(&over).first().map(|(_, code)| *code), notice, "{state:?}");
    }
    let view = view(OrderState::Released, PayWith::Mpesa, Some(collection(Expired)));
    let found = step(&view, &CollectionEvent::Received(money(3_700, NOW)), END);
    assert_eq!(found.closed.first().map(|(closed, _)| closed), Some(&matter));
}

#[test]
fn who_paid_otherwise_than_asked_is_told_where_the_money_is() {
    let late = Timestamp(LAST.0 + 1_000_000);
    for (order, amount, paid_at, code) in [
        (OrderState::AwaitingPayment, 3_700, late, Some("paid_late")),
        (OrderState::AwaitingPayment, 3_600, NOW, Some("paid_short")),
        (OrderState::AwaitingPayment, 3_700, NOW, None),
        (OrderState::Paid, 3_700, NOW, Some("paid_again")),
        (OrderState::Settled, 3_700, NOW, Some("paid_again")),
        (OrderState::Releasing, 3_700, NOW, Some("paid_late")),
        (OrderState::Released, 3_700, NOW, Some("paid_late")),
    ] {
        let view = view(order, PayWith::Mpesa, Some(collection(CollectionState::Pending)));
        let step = step(&view, &CollectionEvent::Received(money(amount, paid_at)), NOW.max(paid_at));
        let expected: Vec<_> = code.into_iter().map(|code| (Some(BUYER), code)).collect();
        assert_eq!(told(&step), expected, "{order:?} {amount} at {paid_at}");
    }
}

#[test]
fn a_payment_that_was_taken_back_before_it_was_known_comes_and_goes() {
    let reversal = |amount| ReversalRecord {
        receipt: money(1, NOW).receipt,
        reversal: "UJ3BACK001".parse().ok(),
        amount: Cents(amount),
        payer: None,
        state: ReversalState::Waiting,
        heard_at: NOW,
        version: 1,
    };
    let (mpesa, clearing) = (Account::MpesaCollection, Account::CollectionsUnallocated);
    let came_and_went = vec![(mpesa, clearing, 3_700), (clearing, mpesa, 3_700)];
    let whole = reversal(3_700);
    let known = Known { receipt: None, reversal: Some(&whole) };
    let event = CollectionEvent::Received(money(3_700, NOW));
    let step = decide(&open(CollectionState::Pending), &event, known, &config(), NOW).unwrap();
    let booked = |step: &Step| {
        step.changes.iter().any(
            |change| matches!(change, Change::Reversal(reversal) if reversal.state == ReversalState::Booked),
        )
    };
    assert!(booked(&step), "{step:?}");
    assert_eq!(next_of(&step), (None, None, came_and_went), "the order still awaits its money");
    let part = reversal(3_000);
    let known = Known { receipt: None, reversal: Some(&part) };
    let step = loose(&Loose { money: money(3_700, NOW), payer: Some(SELLER) }, known, NOW);
    assert!(booked(&step));
    assert_eq!(next_of(&step).2[2], (clearing, Account::Household(SELLER), 700));
}
