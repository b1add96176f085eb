//! Each row of the table.

use super::PayoutQueue;
use super::asking::{Asked, PayoutEffect, effect};
use super::decide::{PayoutEvent, decide};
use super::queue::{Queue, QueueNews};
use crate::names::Names;
use crate::review::Matter;
use jirani_daraja::callback::{B2cOutcome, B2cResult, FoundTransaction, TransactionState};
use jirani_daraja::{B2cAccepted, SendError};
use jirani_ledger::Kind;
use jirani_store::{Change, PayoutRecord, PayoutState};
use jirani_units::{Cents, HouseholdId, PayoutId, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(500);

fn names() -> Names {
    Names::new([9; 32], "")
}

fn payout(state: PayoutState) -> PayoutRecord {
    PayoutRecord {
        id: PayoutId(3),
        household: HouseholdId(2),
        msisdn: "254712345678".parse().unwrap(),
        amount: Cents(20_500),
        sent: Cents(20_000),
        charge: Cents(500),
        attempt: 1,
        originator_id: names().originator_id(PayoutId(3), 1),
        secret: "0".repeat(32),
        conversation_id: None,
        state,
        receipt: None,
        key: "k".to_owned(),
        created_at: Timestamp(0),
        final_at: None,
        version: 1,
    }
}

fn failed() -> PayoutState {
    PayoutState::Failed { code: "2040".to_owned() }
}

fn result(outcome: B2cOutcome) -> PayoutEvent {
    result_of(1, outcome)
}

fn result_of(attempt: u32, outcome: B2cOutcome) -> PayoutEvent {
    PayoutEvent::Result(B2cResult {
        originator_id: names().originator_id(PayoutId(3), attempt),
        conversation_id: Some("AG_1".to_owned()),
        outcome,
    })
}

fn paid(amount: impl Into<Option<i64>>) -> B2cOutcome {
    B2cOutcome::Paid {
        receipt: "UJ3PAYOUT1".parse().ok(),
        amount: amount.into().map(Cents),
        paid_at: None,
        utility_funds: None,
    }
}

fn refused(code: &str) -> PayoutEvent {
    result(B2cOutcome::Refused { code: code.to_owned() })
}

fn answered(answer: Result<(), SendError>, first: bool) -> PayoutEvent {
    let accepted = |()| B2cAccepted { conversation_id: "AG_1".to_owned() };
    PayoutEvent::Answered { answer: answer.map(accepted), first }
}

fn not_sent(code: &str) -> Result<(), SendError> {
    Err(SendError::NotSent { code: code.to_owned(), message: String::new() })
}

fn found(state: TransactionState, amount: impl Into<Option<i64>>, made_by: Option<&str>) -> PayoutEvent {
    PayoutEvent::Found(FoundTransaction {
        state,
        receipt: "UJ3PAYOUT1".parse().ok(),
        amount: amount.into().map(Cents),
        charge: None,
        made_by: made_by.map(str::to_owned),
        initiated_at: None,
        finalised_at: None,
        reason: None,
    })
}

/// The next state and attempt, and how many holds are posted and voided.
type Next = Option<(PayoutState, u32, usize, usize)>;

fn next(before: &PayoutRecord, event: &PayoutEvent) -> Next {
    let decided = decide(before, event, &names(), NOW);
    let (mut posted, mut voided, mut next) = (0, 0, None);
    for change in decided.step.changes {
        match change {
            Change::Post(transfer) if matches!(transfer.kind, Kind::Post(_)) => posted += 1,
            Change::Post(transfer) if matches!(transfer.kind, Kind::Void(_)) => voided += 1,
            Change::Payout(payout) => {
                assert_eq!(payout.final_at.is_some(), posted + voided > 0);
                assert_eq!(payout.originator_id, names().originator_id(payout.id, payout.attempt));
                next = Some((payout.state, payout.attempt));
            }
            Change::Notice(notice) => assert_eq!(notice.household, Some(before.household)),
            other => panic!("{other:?}"),
        }
    }
    next.map(|(state, attempt)| (state, attempt, posted, voided))
}

#[test]
fn each_event_moves_a_payout_as_its_table_says() {
    use PayoutState::{Accepted, Paid, Planned, Unknown};
    let unknown = || Err(SendError::Unknown { message: String::new() });
    let (posted, voided) = (Some((Paid, 1, 2, 0)), Some((failed(), 1, 0, 2)));
    let again = Some((Planned, 2, 0, 0));
    let undecided = || B2cOutcome::Unknown { code: "26".to_owned() };
    let completed = || TransactionState::Completed;
    let word = |word: &str| TransactionState::Ended { word: word.to_owned() };
    let declined = Some((PayoutState::Failed { code: "Declined".to_owned() }, 1, 0, 2));
    let bad = Some((PayoutState::Failed { code: "400.002.02".to_owned() }, 1, 0, 2));
    let pending = TransactionState::Undecided { word: "Authorized".to_owned() };
    for (event, expected) in [
        (PayoutEvent::Sending, [Some((Unknown, 1, 0, 0)), None, None, None, None]),
        (answered(Ok(()), true), [None, Some((Accepted, 1, 0, 0)), None, None, None]),
        (answered(Err(SendError::Duplicate), true), [None, Some((Accepted, 1, 0, 0)), None, None, None]),
        (answered(not_sent("400.002.02"), true), [None, bad, None, None, None]),
        (answered(not_sent("500.003.02"), true), [None, Some((Planned, 1, 0, 0)), None, None, None]),
        (answered(not_sent("400.002.02"), false), [None, None, None, None, None]),
        (answered(unknown(), true), [None, None, None, None, None]),
        (result(paid(20_000)), [None, posted.clone(), posted.clone(), None, None]),
        (result(paid(19_900)), [None, None, None, None, None]),
        (result(paid(None)), [None, None, None, None, None]),
        (refused("2040"), [None, voided.clone(), voided, None, None]),
        (refused("1"), [None, again.clone(), again.clone(), None, None]),
        (refused("2001"), [None, again.clone(), again, None, None]),
        (result(undecided()), [None, None, None, None, None]),
        (PayoutEvent::QueueTimeout, [None, None, None, None, None]),
        (found(completed(), 20_000, None), [None, posted.clone(), posted, None, None]),
        (found(completed(), 100, None), [None, None, None, None, None]),
        (found(completed(), None, None), [None, None, None, None, None]),
        (found(completed(), 20_000, Some("another")), [None, None, None, None, None]),
        (found(word("Declined"), 20_000, None), [None, declined.clone(), declined, None, None]),
        (found(pending, 20_000, None), [None, None, None, None, None]),
        (PayoutEvent::Unanswered { code: "25".to_owned() }, [None, None, None, None, None]),
        (PayoutEvent::Overdue, [None, None, None, None, None]),
    ] {
        let states = [Planned, Unknown, Accepted, Paid, failed()];
        for (state, expected) in states.into_iter().zip(expected) {
            assert_eq!(next(&payout(state.clone()), &event), expected, "{state:?} {event:?}");
        }
    }
}

#[test]
fn what_is_ours_to_mend_halts_the_queue_and_what_was_paid_opens_it() {
    let bad = |code: &str| Some(QueueNews::BadInitiator { code: code.to_owned() });
    for (event, news) in [
        (refused("1"), Some(QueueNews::Empty)),
        (refused("2001"), bad("2001")),
        (refused("8006"), bad("8006")),
        (refused("2040"), Some(QueueNews::Flows)),
        (result(paid(20_000)), Some(QueueNews::Flows)),
        (result(paid(1)), None),
        (PayoutEvent::Unanswered { code: "2001".to_owned() }, bad("2001")),
        (PayoutEvent::Unanswered { code: "25".to_owned() }, None),
    ] {
        let decided = decide(&payout(PayoutState::Accepted), &event, &names(), NOW);
        assert_eq!(decided.queue, news, "{event:?}");
    }
    let shut = answered(not_sent("500.003.02"), true);
    assert_eq!(decide(&payout(PayoutState::Unknown), &shut, &names(), NOW).queue, Some(QueueNews::Empty));
}

#[test]
fn a_contradiction_completes_nothing_and_goes_to_a_person() {
    let mut accepted = payout(PayoutState::Accepted);
    accepted.conversation_id = Some("AG_2".to_owned());
    let mut second = payout(PayoutState::Accepted);
    (second.attempt, second.originator_id) = (2, names().originator_id(second.id, 2));
    for (before, event) in [
        (payout(PayoutState::Accepted), result(paid(19_900))),
        (accepted, result(paid(20_000))),
        (payout(PayoutState::Accepted), found(TransactionState::Completed, 100, None)),
        (payout(failed()), result(paid(20_000))),
        (payout(PayoutState::Paid), result(paid(30_000))),
        (second, result_of(1, paid(20_000))),
    ] {
        assert_eq!(next(&before, &event), None, "{event:?}");
        let decided = decide(&before, &event, &names(), NOW);
        assert_eq!(decided.step.opened[0].matter, Matter::PayoutDiffers(before.id), "{event:?}");
    }
    let overdue = decide(&payout(PayoutState::Accepted), &PayoutEvent::Overdue, &names(), NOW);
    assert_eq!(overdue.step.opened[0].matter, Matter::PayoutUnknown(PayoutId(3)));
}

#[test]
fn a_result_for_another_payout_or_an_attempt_that_has_ended_changes_nothing() {
    let mut second = payout(PayoutState::Planned);
    (second.attempt, second.originator_id) = (2, names().originator_id(second.id, 2));
    let again = result_of(1, B2cOutcome::Refused { code: "1".to_owned() });
    assert_eq!(next(&second, &again), None);
    let after_all = next(&second, &result_of(1, paid(20_000)));
    assert_eq!(after_all, Some((PayoutState::Paid, 1, 2, 0)), "its record names the attempt that paid");
    assert_eq!(next(&second, &result_of(7, paid(20_000))), None);
    let decided = decide(&second, &result_of(7, paid(20_000)), &names(), NOW);
    assert!(decided.step.is_empty() && decided.step.outcome.starts_with("foreign"));
}

#[test]
fn an_unknown_payout_is_asked_about_at_once_after_a_restart_and_rarer_later() {
    let (asked, queue) = (Asked::default(), Queue::default());
    let (unknown, accepted) = (payout(PayoutState::Unknown), payout(PayoutState::Accepted));
    let id = unknown.id;
    let of = |payout: &PayoutRecord, now| effect(payout, asked.get(id), &queue, now);
    assert_eq!(of(&payout(PayoutState::Planned), NOW), PayoutEffect::Send);
    assert_eq!(of(&unknown, NOW), PayoutEffect::Ask);
    let (mut now, mut waits) = (NOW, Vec::new());
    for _ in 0..9 {
        asked.note(id, now);
        let PayoutEffect::Rest(Some(at)) = of(&accepted, now) else { panic!("{:?}", of(&accepted, now)) };
        waits.push(at.since(now) / 1_000_000);
        now = at;
        assert_eq!(of(&accepted, now), PayoutEffect::Ask);
    }
    assert_eq!(waits, [30, 60, 120, 300, 900, 3_600, 14_400, 14_400, 14_400]);
    asked.note_in_vain(id);
    assert_eq!(of(&unknown, now), PayoutEffect::Repeat, "the same id again pays at most once");
    assert_eq!(of(&accepted, now), PayoutEffect::Ask, "what was accepted is never sent again");
    queue.set(PayoutQueue::Stopped { code: "2001".to_owned(), since: NOW });
    assert_eq!(of(&unknown, now), PayoutEffect::Rest(None), "a wrong password is not tried on");
}
