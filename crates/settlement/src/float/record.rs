//! One move of float, as it is stored, and what M-Pesa's words do to it. Pure.

use jirani_daraja::ask::AskAccepted;
use jirani_daraja::callback::{FoundTransaction, MoveOutcome, TransactionState};
use jirani_daraja::{SendError, codes};
use jirani_units::{Cents, Receipt, Timestamp};
use serde::{Deserialize, Serialize};

/// What is known of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloatState {
    /// The hold is there; nothing has left.
    Planned,
    /// It may have been sent. M-Pesa takes no id of ours for it, so it is never sent
    /// again: its result, or a person, decides.
    Unknown,
    /// M-Pesa has taken it on, under ids of its own.
    Accepted {
        /// What M-Pesa is asked about it by.
        originator_id: String,
        /// Its other id.
        conversation_id: String,
    },
    /// The money has moved; M-Pesa's number of it, where it told one.
    Moved(Option<Receipt>),
    /// It has not moved and never will by this request; M-Pesa's code.
    Failed(String),
}

/// The operator's money on its way from the PayBill to the payout shortcode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloatRecord {
    /// Our number.
    pub number: u64,
    /// Whole shillings.
    pub amount: Cents,
    /// What is known.
    pub state: FloatState,
    /// The operator who asked for it.
    pub asked_by: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Since when its state is final.
    pub ended_at: Option<Timestamp>,
}

/// What happens to a move.
#[derive(Clone, Debug)]
pub(crate) enum FloatEvent {
    /// The request is about to leave.
    Sending,
    /// M-Pesa's answer, or its absence.
    Answered(Result<AskAccepted, SendError>),
    /// Callback: what came of it.
    Result(MoveOutcome),
    /// Answer to our question.
    Found(FoundTransaction),
    /// M-Pesa's statement shows it, under this number; a person or the comparison of the
    /// books has looked.
    OnStatement(Option<Receipt>),
    /// M-Pesa's statement does not show it, and never will.
    NotOnStatement,
}

impl FloatState {
    /// Whether nothing changes it any more.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Moved(_) | Self::Failed(_))
    }
}

impl FloatRecord {
    /// Whether it has ended.
    pub const fn is_final(&self) -> bool {
        self.state.is_final()
    }

    /// Our word for it on M-Pesa's statement.
    pub fn reference(&self) -> String {
        reference(self.number)
    }

    /// Why it failed, in words; `None` unless it did.
    pub fn failure(&self) -> Option<String> {
        let FloatState::Failed(code) = &self.state else { return None };
        Some(match (code.as_str(), codes::float_refusal(code)) {
            ("1", _) => "The PayBill does not hold that much.".to_owned(),
            ("8", _) => "The payout shortcode may not hold that much more.".to_owned(),
            (NOT_ON_STATEMENT, _) => "M-Pesa's statement does not show it.".to_owned(),
            (code, Some(refusal)) => format!("{} ({code})", refusal.told_en),
            (code, None) => format!("M-Pesa did not move it ({code})."),
        })
    }

    /// The next state, and in words what was heard; `None` when nothing changes.
    pub(crate) fn after(&self, event: &FloatEvent) -> (Option<FloatState>, String) {
        use FloatState::{Accepted, Failed, Moved, Planned, Unknown};
        let is_sent = matches!(self.state, Unknown | Accepted { .. });
        let nothing = |why: &str| (None, why.to_owned());
        match event {
            FloatEvent::Sending if self.state == Planned => (Some(Unknown), "sending".to_owned()),
            FloatEvent::Answered(Ok(accepted)) if self.state == Unknown => {
                let conversation_id = accepted.conversation_id.clone();
                let originator_id = accepted.originator_id.clone().unwrap_or_else(|| conversation_id.clone());
                (Some(Accepted { originator_id, conversation_id }), "accepted".to_owned())
            }
            FloatEvent::Answered(Err(SendError::NotSent { code, .. })) if self.state == Unknown => {
                (Some(Failed(code.clone())), format!("not taken on ({code})"))
            }
            FloatEvent::Answered(Err(_)) => nothing("its outcome is unknown"),
            FloatEvent::Result(MoveOutcome::Moved { amount: Some(amount), .. })
                if is_sent && *amount != self.amount =>
            {
                (None, format!("contradiction: M-Pesa moved {amount}, we asked for {}", self.amount))
            }
            FloatEvent::Result(MoveOutcome::Moved { receipt, .. }) if is_sent => {
                (Some(Moved(receipt.clone())), "moved".to_owned())
            }
            FloatEvent::Result(MoveOutcome::Refused { code })
                if is_sent && codes::float_refusal(code).is_some() =>
            {
                (Some(Failed(code.clone())), format!("refused ({code})"))
            }
            FloatEvent::Result(MoveOutcome::Unknown { code }) if is_sent => {
                (None, format!("undecided ({code}): stays unknown until it is proven"))
            }
            FloatEvent::Found(found) if is_sent => self.found(found),
            FloatEvent::OnStatement(receipt) if is_sent => {
                (Some(Moved(receipt.clone())), "on M-Pesa's statement".to_owned())
            }
            FloatEvent::NotOnStatement if is_sent => {
                (Some(Failed(NOT_ON_STATEMENT.to_owned())), "not on M-Pesa's statement".to_owned())
            }
            _ => nothing("finished: it changes nothing any more"),
        }
    }

    fn found(&self, found: &FoundTransaction) -> (Option<FloatState>, String) {
        let is_ours = |made_by: &String| {
            matches!(&self.state, FloatState::Accepted { originator_id, conversation_id }
                if made_by == originator_id || made_by == conversation_id)
        };
        if found.made_by.as_ref().is_some_and(|made_by| !is_ours(made_by)) {
            return (None, "foreign: M-Pesa told of another transaction".to_owned());
        }
        match (&found.state, found.amount) {
            (TransactionState::Completed, Some(amount)) if amount == self.amount => {
                let moved = FloatState::Moved(found.receipt.clone());
                (Some(moved), "moved, M-Pesa says when asked".to_owned())
            }
            (TransactionState::Completed, _) => {
                (None, "contradiction: completed, with another amount or none".to_owned())
            }
            (TransactionState::Ended { word }, _) => {
                (Some(FloatState::Failed(word.clone())), format!("ended ({word})"))
            }
            (TransactionState::Undecided { word }, _) => (None, format!("undecided ({word})")),
        }
    }

    /// This move in `state`.
    pub(crate) fn in_state(self, state: FloatState, now: Timestamp) -> Self {
        let ended_at = state.is_final().then_some(now);
        Self { state, ended_at, ..self }
    }
}

/// Why a move failed that two persons did not find on M-Pesa's statement.
const NOT_ON_STATEMENT: &str = "statement";

/// How a move is called on M-Pesa's statement.
pub(crate) fn reference(number: u64) -> String {
    format!("float-{number}")
}

/// Which move a line of M-Pesa's statement is about.
pub(crate) fn number_of(reference: &str) -> Option<u64> {
    let number = reference.trim().to_ascii_lowercase().strip_prefix("float-")?.parse().ok()?;
    Some(number).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(state: FloatState) -> FloatRecord {
        let asked_by = "amina".to_owned();
        FloatRecord {
            number: 3,
            amount: Cents(500_000),
            state,
            asked_by,
            asked_at: Timestamp(7),
            ended_at: None,
        }
    }

    fn moved(cents: i64) -> FloatEvent {
        let amount = Some(Cents(cents));
        FloatEvent::Result(MoveOutcome::Moved { receipt: None, original: None, amount, at: None })
    }

    fn found(word: &str, cents: i64, made_by: Option<&str>) -> FloatEvent {
        let state = match word {
            "Completed" => TransactionState::Completed,
            "Declined" => TransactionState::Ended { word: word.to_owned() },
            _ => TransactionState::Undecided { word: word.to_owned() },
        };
        FloatEvent::Found(FoundTransaction {
            state,
            receipt: "UJ32ABCDEF".parse().ok(),
            amount: Some(Cents(cents)),
            charge: None,
            made_by: made_by.map(str::to_owned),
            initiated_at: None,
            finalised_at: None,
            reason: None,
        })
    }

    #[test]
    fn every_state_is_read_as_it_was_stored() {
        for state in [
            FloatState::Planned,
            FloatState::Unknown,
            FloatState::Accepted { originator_id: "1-2 3".to_owned(), conversation_id: "AG_1".to_owned() },
            FloatState::Moved("UJ32ABCDEF".parse().ok()),
            FloatState::Moved(None),
            FloatState::Failed("500.002.1001".to_owned()),
        ] {
            let record = record(state);
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<FloatRecord>(&text).unwrap(), record);
        }
    }

    #[test]
    fn only_a_final_word_ends_a_move_and_none_ends_it_twice() {
        let unknown = |code: &str| FloatEvent::Result(MoveOutcome::Unknown { code: code.to_owned() });
        let lost = FloatEvent::Answered(Err(SendError::Unknown { message: String::new() }));
        let accepted =
            || FloatState::Accepted { originator_id: "a".to_owned(), conversation_id: "AG_1".to_owned() };
        let receipt = || FloatState::Moved("UJ32ABCDEF".parse().ok());
        for (state, event, next) in [
            (FloatState::Planned, FloatEvent::Sending, Some(FloatState::Unknown)),
            (FloatState::Unknown, FloatEvent::Sending, None),
            (FloatState::Unknown, lost, None),
            (FloatState::Unknown, moved(500_000), Some(FloatState::Moved(None))),
            (accepted(), moved(500_000), Some(FloatState::Moved(None))),
            (accepted(), moved(1), None),
            (accepted(), unknown("17777"), None),
            (accepted(), found("Completed", 500_000, Some("a")), Some(receipt())),
            (accepted(), found("Completed", 500_000, Some("AG_1")), Some(receipt())),
            (accepted(), found("Completed", 500_000, None), Some(receipt())),
            (accepted(), found("Completed", 500_000, Some("b")), None),
            (accepted(), found("Completed", 1, Some("a")), None),
            (
                accepted(),
                found("Declined", 500_000, Some("a")),
                Some(FloatState::Failed("Declined".to_owned())),
            ),
            (accepted(), found("Authorized", 500_000, Some("a")), None),
            (
                FloatState::Unknown,
                FloatEvent::NotOnStatement,
                Some(FloatState::Failed("statement".to_owned())),
            ),
            (FloatState::Planned, FloatEvent::NotOnStatement, None),
            (FloatState::Planned, moved(500_000), None),
            (receipt(), moved(500_000), None),
            (FloatState::Failed("1".to_owned()), moved(500_000), None),
        ] {
            assert_eq!(record(state.clone()).after(&event).0, next, "{state:?} {event:?}");
        }
    }

    #[test]
    fn a_move_is_known_on_the_statement_by_its_name() {
        assert_eq!(number_of(&reference(17)), Some(17));
        for text in ["float-", "float-0", "float-x", "H17", "17", ""] {
            assert_eq!(number_of(text), None, "{text}");
        }
    }
}
