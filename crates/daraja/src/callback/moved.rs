//! What came of a reversal, or of a transfer of float.

use super::answer::{AnswerIds, Envelope};
use super::{CallbackError, loose};
use crate::codes;
use crate::nairobi;
use jirani_units::{Cents, Receipt, Timestamp};

/// The answer to a reversal or a float transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveAnswer {
    /// M-Pesa's ids of the request.
    pub ids: AnswerIds,
    /// The outcome.
    pub outcome: MoveOutcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveOutcome {
    /// The money moved. Details that were missing or unreadable are `None`.
    Moved {
        /// M-Pesa's receipt of this movement, not of what was reversed.
        receipt: Option<Receipt>,
        /// The receipt that was reversed, where M-Pesa names it.
        original: Option<Receipt>,
        /// What moved.
        amount: Option<Cents>,
        /// When.
        at: Option<Timestamp>,
    },
    /// The receipt was reversed before (reversals only).
    ReversedBefore,
    /// It did not move, and never will by this request.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// The code says nothing final.
    Unknown {
        /// M-Pesa's code.
        code: String,
    },
}

/// Reads the answer to a reversal.
pub fn parse_reversal(body: &[u8]) -> Result<MoveAnswer, CallbackError> {
    parse(body, |code| codes::reversal_refusal(code).is_some())
}

/// Reads the answer to a float transfer.
pub fn parse_float(body: &[u8]) -> Result<MoveAnswer, CallbackError> {
    parse(body, |code| codes::float_refusal(code).is_some())
}

fn parse(body: &[u8], is_refused: impl Fn(&str) -> bool) -> Result<MoveAnswer, CallbackError> {
    let envelope = Envelope::read(body)?;
    let code = envelope.code.clone();
    let outcome = if code == "0" {
        let time = ["TransCompletedTime", "TransactionCompletedDateTime", "BOCompletedTime"]
            .map(|key| envelope.text(key));
        MoveOutcome::Moved {
            receipt: envelope.transaction_id().and_then(|text| text.parse().ok()),
            original: envelope.text("OriginalTransactionID").and_then(|text| text.parse().ok()),
            amount: loose::amount(envelope.item("Amount")),
            at: time.into_iter().flatten().find_map(|text| nairobi::parse(&text)),
        }
    } else if code == codes::REVERSED_BEFORE {
        MoveOutcome::ReversedBefore
    } else if is_refused(&code) {
        MoveOutcome::Refused { code }
    } else {
        MoveOutcome::Unknown { code }
    };
    Ok(MoveAnswer { ids: envelope.ids, outcome })
}
