//! What M-Pesa's answers do to a payout. Pure.

use crate::step::Step;
use crate::transfers;
use jirani_daraja::callback::{B2cOutcome, B2cResult};
use jirani_daraja::{B2cAccepted, SendError};
use jirani_store::{Change, Event, PayoutRecord, PayoutState};
use jirani_units::Timestamp;

/// Seconds from a lost answer to the first repeat, then from repeat to repeat.
const REPEATS_S: [i64; 5] = [60, 300, 900, 3_600, 14_400];

/// What happens to a payout.
#[derive(Clone, Debug)]
pub(crate) enum PayoutEvent {
    /// The request is about to leave.
    Sending,
    /// M-Pesa's answer, or its absence; `first`: nothing was sent before it.
    Answered { answer: Result<B2cAccepted, SendError>, first: bool },
    /// Callback: the result.
    Result(B2cResult),
    /// Callback: the request waited too long in M-Pesa's queue.
    QueueTimeout,
}

/// How often this process has asked about a payout, and when it may again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AskedSoFar {
    pub(crate) times: usize,
    pub(crate) again_at: Option<Timestamp>,
}

/// What the payout's state asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayoutEffect {
    /// The first request.
    Send,
    /// The same request under the same id.
    Repeat,
    Rest(Option<Timestamp>),
}

/// What `payout` asks for. A payout this process has not asked about was left
/// unknown by an earlier one: it is asked about at once.
pub(crate) fn effect(payout: &PayoutRecord, asked: Option<AskedSoFar>, now: Timestamp) -> PayoutEffect {
    match (&payout.state, asked) {
        (PayoutState::Planned, _) => PayoutEffect::Send,
        (PayoutState::Unknown, None) => PayoutEffect::Repeat,
        (PayoutState::Unknown, Some(AskedSoFar { again_at: Some(at), .. })) if now >= at => {
            PayoutEffect::Repeat
        }
        (PayoutState::Unknown, Some(asked)) => PayoutEffect::Rest(asked.again_at),
        (PayoutState::Accepted | PayoutState::Paid | PayoutState::Failed { .. }, _) => {
            PayoutEffect::Rest(None)
        }
    }
}

/// After one more request.
pub(crate) fn asked_again(asked: Option<AskedSoFar>, now: Timestamp) -> AskedSoFar {
    let times = asked.map_or(0, |asked| asked.times) + 1;
    AskedSoFar { times, again_at: REPEATS_S.get(times - 1).map(|wait_s| now.plus_seconds(*wait_s)) }
}

/// What `event` changes.
pub(crate) fn decide(payout: &PayoutRecord, event: &PayoutEvent, now: Timestamp) -> Step {
    let is_sent = matches!(payout.state, PayoutState::Unknown | PayoutState::Accepted);
    match event {
        PayoutEvent::Sending if payout.state == PayoutState::Planned => {
            changed(PayoutRecord { state: PayoutState::Unknown, ..payout.clone() })
        }
        PayoutEvent::Answered { answer, first } if payout.state == PayoutState::Unknown => {
            answered(payout, answer, *first, now)
        }
        PayoutEvent::Result(result) if is_sent => resulted(payout, result, now),
        PayoutEvent::Result(_) if payout.state == PayoutState::Planned => {
            Step::nothing("foreign: nothing was sent yet")
        }
        PayoutEvent::Result(result) => finished(payout, result),
        PayoutEvent::QueueTimeout => Step::nothing("queue timeout: no failure, its result is awaited"),
        PayoutEvent::Sending | PayoutEvent::Answered { .. } => Step::nothing("the payout has moved on"),
    }
}

fn answered(
    payout: &PayoutRecord,
    answer: &Result<B2cAccepted, SendError>,
    first: bool,
    now: Timestamp,
) -> Step {
    let mut next = payout.clone();
    match answer {
        Ok(accepted) => {
            next.state = PayoutState::Accepted;
            next.conversation_id = Some(accepted.conversation_id.clone());
            changed(next)
        }
        Err(SendError::Duplicate) => {
            next.state = PayoutState::Accepted;
            changed(next)
        }
        Err(SendError::NotSent { code, .. }) if first => failed(payout, code, now),
        Err(SendError::NotSent { .. } | SendError::Unknown { .. }) => Step::nothing("its outcome is unknown"),
    }
}

fn resulted(payout: &PayoutRecord, result: &B2cResult, now: Timestamp) -> Step {
    if result.originator_id != payout.originator_id {
        return Step::nothing("foreign: it names another payout than ours");
    }
    if let (Some(ours), Some(claimed)) = (&payout.conversation_id, &result.conversation_id)
        && ours != claimed
    {
        return Step::nothing("foreign: it names another conversation than ours");
    }
    match &result.outcome {
        B2cOutcome::Paid { amount: Some(amount), .. } if *amount != payout.sent => {
            Step::nothing("contradiction: another amount than was sent; for a person to look at")
        }
        B2cOutcome::Paid { receipt, .. } => {
            let mut next = payout.clone();
            next.state = PayoutState::Paid;
            next.receipt.clone_from(receipt);
            next.conversation_id = payout.conversation_id.clone().or_else(|| result.conversation_id.clone());
            ended(next, true, now).said("paid")
        }
        B2cOutcome::Refused { code } => failed(payout, code, now).said(format!("refused ({code})")),
        B2cOutcome::Unknown { code } => {
            Step::nothing(format!("undecided ({code}): stays unknown until it is proven"))
        }
    }
}

fn finished(payout: &PayoutRecord, result: &B2cResult) -> Step {
    match (&payout.state, &result.outcome) {
        (PayoutState::Failed { .. }, B2cOutcome::Paid { .. })
            if result.originator_id == payout.originator_id =>
        {
            Step::nothing("contradiction: paid after it was refused; for a person to look at")
        }
        _ => Step::nothing("finished: it changes nothing any more"),
    }
}

fn failed(payout: &PayoutRecord, code: &str, now: Timestamp) -> Step {
    ended(PayoutRecord { state: PayoutState::Failed { code: code.to_owned() }, ..payout.clone() }, false, now)
}

/// Final: both holds end in the same commit.
fn ended(mut payout: PayoutRecord, paid: bool, now: Timestamp) -> Step {
    payout.final_at = Some(now);
    let mut step = Step::default();
    for transfer in transfers::payout_ends(&payout, paid, now) {
        step.change(Change::Post(transfer));
    }
    step.announce(Event::Payout(payout.id, payout.household)).announce(Event::Balance(payout.household));
    step.change(Change::Payout(payout));
    step
}

fn changed(payout: PayoutRecord) -> Step {
    let mut step = Step::default();
    step.announce(Event::Payout(payout.id, payout.household));
    step.change(Change::Payout(payout));
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_ledger::Kind;
    use jirani_units::{Cents, HouseholdId, PayoutId};

    const NOW: Timestamp = Timestamp::from_seconds(500);

    fn payout(state: PayoutState) -> PayoutRecord {
        PayoutRecord {
            id: PayoutId(3),
            household: HouseholdId(2),
            msisdn: "254712345678".parse().unwrap(),
            amount: Cents(20_500),
            sent: Cents(20_000),
            charge: Cents(500),
            originator_id: "jirani-3-00".to_owned(),
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
        PayoutState::Failed { code: "1".to_owned() }
    }

    fn result(outcome: B2cOutcome) -> PayoutEvent {
        PayoutEvent::Result(B2cResult {
            originator_id: "jirani-3-00".to_owned(),
            conversation_id: Some("AG_1".to_owned()),
            outcome,
        })
    }

    fn paid(amount: i64) -> B2cOutcome {
        B2cOutcome::Paid {
            receipt: "UJ3PAYOUT1".parse().ok(),
            amount: Some(Cents(amount)),
            paid_at: None,
            utility_funds: None,
        }
    }

    fn answered(answer: Result<(), SendError>, first: bool) -> PayoutEvent {
        let accepted = |()| B2cAccepted { conversation_id: "AG_1".to_owned() };
        PayoutEvent::Answered { answer: answer.map(accepted), first }
    }

    fn not_sent() -> Result<(), SendError> {
        Err(SendError::NotSent { code: "1".to_owned(), message: String::new() })
    }

    /// The next state, and how many holds are posted and voided.
    fn next(state: PayoutState, event: &PayoutEvent) -> Option<(PayoutState, usize, usize)> {
        let step = decide(&payout(state), event, NOW);
        let (mut posted, mut voided, mut next) = (0, 0, None);
        for change in step.changes {
            match change {
                Change::Post(transfer) if matches!(transfer.kind, Kind::Post(_)) => posted += 1,
                Change::Post(transfer) if matches!(transfer.kind, Kind::Void(_)) => voided += 1,
                Change::Payout(payout) => {
                    assert_eq!(payout.final_at.is_some(), posted + voided > 0);
                    next = Some(payout.state);
                }
                other => panic!("{other:?}"),
            }
        }
        next.map(|next| (next, posted, voided))
    }

    #[test]
    fn each_event_moves_a_payout_as_its_table_says() {
        use PayoutState::{Accepted, Paid, Planned, Unknown};
        let unknown = || Err(SendError::Unknown { message: String::new() });
        let (posted, voided) = (Some((Paid, 2, 0)), Some((failed(), 0, 2)));
        let refused = || B2cOutcome::Refused { code: "1".to_owned() };
        let undecided = || B2cOutcome::Unknown { code: "26".to_owned() };
        for (event, expected) in [
            (PayoutEvent::Sending, [Some((Unknown, 0, 0)), None, None, None, None]),
            (answered(Ok(()), true), [None, Some((Accepted, 0, 0)), None, None, None]),
            (answered(Err(SendError::Duplicate), true), [None, Some((Accepted, 0, 0)), None, None, None]),
            (answered(not_sent(), true), [None, voided.clone(), None, None, None]),
            (answered(not_sent(), false), [None, None, None, None, None]),
            (answered(unknown(), true), [None, None, None, None, None]),
            (result(paid(20_000)), [None, posted.clone(), posted, None, None]),
            (result(paid(19_900)), [None, None, None, None, None]),
            (result(refused()), [None, voided.clone(), voided, None, None]),
            (result(undecided()), [None, None, None, None, None]),
            (PayoutEvent::QueueTimeout, [None, None, None, None, None]),
        ] {
            let states = [Planned, Unknown, Accepted, Paid, failed()];
            for (state, expected) in states.into_iter().zip(expected) {
                assert_eq!(next(state.clone(), &event), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_result_for_another_payout_or_conversation_changes_nothing() {
        let mut other = result(paid(20_000));
        let PayoutEvent::Result(foreign) = &mut other else { unreachable!() };
        foreign.originator_id = "jirani-4-00".to_owned();
        assert_eq!(next(PayoutState::Accepted, &other), None);
        let mut accepted = payout(PayoutState::Accepted);
        accepted.conversation_id = Some("AG_2".to_owned());
        assert!(decide(&accepted, &result(paid(20_000)), NOW).changes.is_empty());
    }

    #[test]
    fn an_unknown_payout_is_asked_about_at_once_after_a_restart_and_rarer_later() {
        let unknown = payout(PayoutState::Unknown);
        assert_eq!(effect(&payout(PayoutState::Planned), None, NOW), PayoutEffect::Send);
        assert_eq!(effect(&unknown, None, NOW), PayoutEffect::Repeat);
        let (mut asked, mut now, mut waits) = (None, NOW, Vec::new());
        loop {
            let so_far = asked_again(asked, now);
            asked = Some(so_far);
            let PayoutEffect::Rest(Some(at)) = effect(&unknown, asked, now) else { break };
            waits.push(at.since(now) / 1_000_000);
            now = at;
            assert_eq!(effect(&unknown, asked, now), PayoutEffect::Repeat);
        }
        assert_eq!(waits, REPEATS_S);
        assert_eq!(effect(&unknown, asked, now), PayoutEffect::Rest(None));
    }
}
