//! What M-Pesa's answers do to a payout. Pure.

use super::queue::QueueNews;
use crate::names::Names;
use crate::notice::Notice;
use crate::review::Matter;
use crate::step::Step;
use jirani_daraja::callback::{B2cOutcome, B2cResult, FoundTransaction, TransactionState};
use jirani_daraja::codes::{self, Reason};
use jirani_daraja::{B2cAccepted, SendError};
use jirani_ledger::templates::payouts;
use jirani_store::{Change, Event, PayoutRecord, PayoutState};
use jirani_units::{Cents, Receipt, Timestamp};

/// What happens to a payout.
#[derive(Clone, Debug)]
pub(crate) enum PayoutEvent {
    /// The request is about to leave.
    Sending,
    /// M-Pesa's answer, or its absence; `first`: nothing was sent before it under
    /// this id.
    Answered { answer: Result<B2cAccepted, SendError>, first: bool },
    /// Callback: the result.
    Result(B2cResult),
    /// Callback: the request waited too long in M-Pesa's queue.
    QueueTimeout,
    /// Answer to our question: what M-Pesa knows of it.
    Found(FoundTransaction),
    /// Answer to our question: none. It proves nothing.
    Unanswered { code: String },
    /// It is unknown for long; `days`: how many. A person hears of it.
    Overdue,
}

/// What an event changes, and what it says of the queue.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    pub(crate) step: Step,
    pub(crate) queue: Option<QueueNews>,
}

impl From<Step> for Decided {
    fn from(step: Step) -> Self {
        Self { step, queue: None }
    }
}

fn nothing(why: impl Into<String>) -> Decided {
    Step::nothing(why).into()
}

/// What `event` changes.
pub(crate) fn decide(payout: &PayoutRecord, event: &PayoutEvent, names: &Names, now: Timestamp) -> Decided {
    let is_sent = matches!(payout.state, PayoutState::Unknown | PayoutState::Accepted);
    match event {
        PayoutEvent::Sending if payout.state == PayoutState::Planned => {
            changed(PayoutRecord { state: PayoutState::Unknown, ..payout.clone() }).into()
        }
        PayoutEvent::Answered { answer, first } if payout.state == PayoutState::Unknown => {
            answered(payout, answer, *first, names, now)
        }
        PayoutEvent::Result(result) if result.originator_id != payout.originator_id => {
            earlier(payout, result, names, now)
        }
        PayoutEvent::Result(result) if is_sent => resulted(payout, result, names, now),
        PayoutEvent::Result(_) if payout.state == PayoutState::Planned => {
            nothing("foreign: nothing was sent yet")
        }
        PayoutEvent::Result(result) => finished(payout, &result.outcome),
        PayoutEvent::QueueTimeout => nothing("queue timeout: no failure, its result is awaited"),
        PayoutEvent::Found(found) if is_sent => self::found(payout, found, now),
        PayoutEvent::Unanswered { code } => unanswered(code),
        PayoutEvent::Overdue if is_sent => {
            let mut step = Step::nothing("unknown for long: a person must look");
            step.review(
                Matter::PayoutUnknown(payout.id),
                format!("payout {} of {}: M-Pesa does not say what became of it", payout.id, payout.sent),
            );
            step.tell(payout.household, &Notice::PayoutSought(payout.id, payout.sent), now);
            step.into()
        }
        PayoutEvent::Sending
        | PayoutEvent::Answered { .. }
        | PayoutEvent::Found(_)
        | PayoutEvent::Overdue => nothing("the payout has moved on"),
    }
}

fn answered(
    payout: &PayoutRecord,
    answer: &Result<B2cAccepted, SendError>,
    first: bool,
    names: &Names,
    now: Timestamp,
) -> Decided {
    let mut next = payout.clone();
    match answer {
        Ok(accepted) => {
            next.state = PayoutState::Accepted;
            next.conversation_id = Some(accepted.conversation_id.clone());
            changed(next).into()
        }
        Err(SendError::Duplicate) => {
            next.state = PayoutState::Accepted;
            changed(next).into()
        }
        Err(SendError::NotSent { code, .. }) if first => match codes::payout_refusal(code) {
            Some(_) => refused(payout, code, names, now),
            // A full or closed door: the same request may go again, nothing of it went in.
            None if code.starts_with("500.003.") || code.starts_with("mpesa.") => {
                next.state = PayoutState::Planned;
                Decided { step: waiting(next, now), queue: Some(QueueNews::Empty) }
            }
            None => failed(payout, code, now).into(),
        },
        Err(SendError::NotSent { .. } | SendError::Unknown { .. }) => nothing("its outcome is unknown"),
    }
}

fn resulted(payout: &PayoutRecord, result: &B2cResult, names: &Names, now: Timestamp) -> Decided {
    if let (Some(ours), Some(claimed)) = (&payout.conversation_id, &result.conversation_id)
        && ours != claimed
    {
        let seen = format!("its result names conversation {claimed}, its answer named {ours}");
        return differs(payout, &seen).into();
    }
    let conversation_id = payout.conversation_id.clone().or_else(|| result.conversation_id.clone());
    let payout = PayoutRecord { conversation_id, ..payout.clone() };
    match &result.outcome {
        B2cOutcome::Paid { amount: Some(amount), receipt, .. } => {
            paid(&payout, *amount, receipt.as_ref(), now)
        }
        B2cOutcome::Paid { amount: None, .. } => {
            nothing("paid, it says, but not how much: M-Pesa is asked what became of it")
        }
        B2cOutcome::Refused { code } => refused(&payout, code, names, now),
        B2cOutcome::Unknown { code } => {
            nothing(format!("undecided ({code}): stays unknown until it is proven"))
        }
    }
}

fn paid(payout: &PayoutRecord, amount: Cents, receipt: Option<&Receipt>, now: Timestamp) -> Decided {
    if amount != payout.sent {
        return differs(payout, &format!("M-Pesa says it paid {amount}, we sent {}", payout.sent)).into();
    }
    let next = PayoutRecord { state: PayoutState::Paid, receipt: receipt.cloned(), ..payout.clone() };
    let mut step = ended(next, now);
    step.resolve(Matter::PayoutUnknown(payout.id), "it was paid");
    Decided { step: step.said("paid"), queue: Some(QueueNews::Flows) }
}

/// What two operators know of a payout of which M-Pesa does not say what became of it:
/// its receipt, or that it was never paid.
pub(crate) fn decided_by_hand(payout: &PayoutRecord, receipt: Option<&Receipt>, now: Timestamp) -> Step {
    if receipt.is_some() {
        return paid(payout, payout.sent, receipt, now).step;
    }
    let mut step = failed(payout, "by_hand", now);
    step.resolve(Matter::PayoutUnknown(payout.id), "it was not paid");
    step
}

fn found(payout: &PayoutRecord, found: &FoundTransaction, now: Timestamp) -> Decided {
    if let Some(made_by) = &found.made_by
        && *made_by != payout.originator_id
        && payout.conversation_id.as_ref() != Some(made_by)
    {
        return nothing("foreign: the answer is about another request");
    }
    match (&found.state, found.amount) {
        (TransactionState::Completed, Some(amount)) => paid(payout, amount, found.receipt.as_ref(), now),
        (TransactionState::Completed, None) => nothing("completed, it says, but not how much: asked again"),
        (TransactionState::Ended { word }, _) => {
            let mut step = failed(payout, word, now);
            step.resolve(Matter::PayoutUnknown(payout.id), "it was not paid");
            step.into()
        }
        (TransactionState::Undecided { word }, _) => nothing(format!("undecided ({word}): asked again")),
    }
}

/// A question that was refused proves nothing; a bad password must not be tried on.
fn unanswered(code: &str) -> Decided {
    let is_ours = codes::ask_refusal(code).is_some_and(|refusal| refusal.reason == Reason::Initiator);
    Decided {
        step: Step::nothing(format!("unanswered ({code}): it proves nothing")),
        queue: is_ours.then(|| QueueNews::BadInitiator { code: code.to_owned() }),
    }
}

/// Refused for good. What is ours to mend is not the household's: its payout begins
/// again, under a new id, once it is mended.
fn refused(payout: &PayoutRecord, code: &str, names: &Names, now: Timestamp) -> Decided {
    let queue = match codes::payout_refusal(code).map(|refusal| refusal.reason) {
        Some(Reason::OwnFunds) => QueueNews::Empty,
        Some(Reason::Initiator | Reason::Setup) => QueueNews::BadInitiator { code: code.to_owned() },
        _ => {
            let mut step = failed(payout, code, now);
            step.resolve(Matter::PayoutUnknown(payout.id), "it was not paid");
            return Decided { step: step.said(format!("refused ({code})")), queue: Some(QueueNews::Flows) };
        }
    };
    let attempt = payout.attempt.saturating_add(1);
    let next = PayoutRecord {
        state: PayoutState::Planned,
        attempt,
        originator_id: names.originator_id(payout.id, attempt),
        conversation_id: None,
        ..payout.clone()
    };
    Decided { step: waiting(next, now).said(format!("put off ({code})")), queue: Some(queue) }
}

/// A result for an attempt before this one: a copy of the refusal that ended it, or
/// a contradiction.
fn earlier(payout: &PayoutRecord, result: &B2cResult, names: &Names, now: Timestamp) -> Decided {
    let attempt =
        (1..payout.attempt).find(|attempt| names.originator_id(payout.id, *attempt) == result.originator_id);
    match (attempt, &result.outcome) {
        (None, _) => nothing("foreign: it names another payout than ours"),
        // Nothing of the attempt after it has left, so this is all that was paid.
        (Some(attempt), B2cOutcome::Paid { amount: Some(amount), receipt, .. })
            if payout.state == PayoutState::Planned =>
        {
            let originator_id = result.originator_id.clone();
            let payout = PayoutRecord { attempt, originator_id, ..payout.clone() };
            paid(&payout, *amount, receipt.as_ref(), now)
        }
        (Some(_), B2cOutcome::Paid { .. }) => {
            differs(payout, "M-Pesa refused an attempt, then says it paid it").into()
        }
        (Some(_), _) => nothing("finished: an earlier attempt, which has ended"),
    }
}

fn finished(payout: &PayoutRecord, outcome: &B2cOutcome) -> Decided {
    match (&payout.state, outcome) {
        (PayoutState::Failed { .. }, B2cOutcome::Paid { .. }) => {
            differs(payout, "M-Pesa refused it, then says it paid it").into()
        }
        (PayoutState::Paid, B2cOutcome::Paid { amount: Some(amount), .. }) if *amount != payout.sent => {
            differs(payout, &format!("M-Pesa says once more it paid, now {amount}")).into()
        }
        _ => nothing("finished: it changes nothing any more"),
    }
}

fn differs(payout: &PayoutRecord, seen: &str) -> Step {
    let mut step = Step::nothing("contradiction: for a person to look at");
    step.review(Matter::PayoutDiffers(payout.id), format!("payout {}: {seen}", payout.id));
    step
}

fn failed(payout: &PayoutRecord, code: &str, now: Timestamp) -> Step {
    let mut step =
        ended(PayoutRecord { state: PayoutState::Failed { code: code.to_owned() }, ..payout.clone() }, now);
    let (en, sw) = codes::payout_refusal(code).map_or(
        ("M-Pesa could not send it. Ask again later.", "M-Pesa haikuweza kuituma. Omba tena baadaye."),
        |refusal| (refusal.told_en, refusal.told_sw),
    );
    step.tell(payout.household, &Notice::PayoutRefused(payout.id, payout.sent, en, sw), now);
    step
}

/// Final: both holds end in the same commit.
fn ended(mut payout: PayoutRecord, now: Timestamp) -> Step {
    payout.final_at = Some(now);
    let about = about(&payout);
    let ends = match payout.state {
        PayoutState::Paid => payouts::paid(&about, payout.charge, now),
        _ => payouts::failed(&about, now),
    };
    let mut step = Step::default();
    for transfer in ends {
        step.change(Change::Post(transfer));
    }
    step.announce(Event::Payout(payout.id, payout.household)).announce(Event::Balance(payout.household));
    step.change(Change::Payout(payout));
    step
}

/// The payout as the ledger sees it.
pub(super) fn about(payout: &PayoutRecord) -> payouts::Payout {
    payouts::Payout { id: payout.id, household: payout.household, sent: payout.sent, charge: payout.charge }
}

fn waiting(payout: PayoutRecord, now: Timestamp) -> Step {
    let notice = Notice::PayoutWaits(payout.id, payout.sent);
    let household = payout.household;
    let mut step = changed(payout);
    step.tell(household, &notice, now);
    step
}

fn changed(payout: PayoutRecord) -> Step {
    let mut step = Step::default();
    step.announce(Event::Payout(payout.id, payout.household));
    step.change(Change::Payout(payout));
    step
}
