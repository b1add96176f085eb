//! What became of a transaction, as asked for by its receipt or our id.

use super::answer::{AnswerIds, Envelope};
use super::{CallbackError, loose};
use crate::{codes, nairobi};
use jirani_units::{Cents, Receipt, Timestamp};

/// The answer to a status request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAnswer {
    /// M-Pesa's ids of the question.
    pub ids: AnswerIds,
    /// The answer.
    pub outcome: StatusOutcome,
}

/// What M-Pesa knows of the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusOutcome {
    /// There is one.
    Found(FoundTransaction),
    /// The question was refused for good, so it was not answered. This includes
    /// "no such transaction", which M-Pesa does not tell apart from a wrong
    /// field: it proves nothing about the transaction.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// The code says nothing final: ask again.
    Unknown {
        /// M-Pesa's code.
        code: String,
    },
}

/// How far the transaction has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// The money moved.
    Completed,
    /// It did not and never will (Cancelled, Declined, Expired, Failed).
    Ended {
        /// M-Pesa's word.
        word: String,
    },
    /// Not decided (Initiated, Authorized), or a word that is on no list, or none.
    Undecided {
        /// M-Pesa's word; empty when none.
        word: String,
    },
}

/// A transaction M-Pesa knows. What was missing or unreadable is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTransaction {
    /// How far it has come.
    pub state: TransactionState,
    /// Its receipt.
    pub receipt: Option<Receipt>,
    /// What moved, or would have.
    pub amount: Option<Cents>,
    /// What M-Pesa took from the debited party for it.
    pub charge: Option<Cents>,
    /// OriginatorConversationID or ConversationID of the request that made it,
    /// where M-Pesa tells: to be compared with ours.
    pub made_by: Option<String>,
    /// When it began.
    pub initiated_at: Option<Timestamp>,
    /// When it was decided.
    pub finalised_at: Option<Timestamp>,
    /// M-Pesa's words for its kind, for example
    /// `Business Payment to Customer via API`.
    pub reason: Option<String>,
}

/// Reads the answer to a status request.
pub fn parse_status(body: &[u8]) -> Result<StatusAnswer, CallbackError> {
    let envelope = Envelope::read(body)?;
    let outcome = if envelope.code == "0" {
        StatusOutcome::Found(found(&envelope))
    } else if codes::ask_refusal(&envelope.code).is_some() {
        StatusOutcome::Refused { code: envelope.code.clone() }
    } else {
        StatusOutcome::Unknown { code: envelope.code.clone() }
    };
    Ok(StatusAnswer { ids: envelope.ids, outcome })
}

fn found(envelope: &Envelope) -> FoundTransaction {
    let time = |key| envelope.text(key).and_then(|text| nairobi::parse(&text));
    FoundTransaction {
        state: state(envelope.text("TransactionStatus").unwrap_or_default()),
        receipt: envelope.text("ReceiptNo").and_then(|text| text.parse().ok()),
        amount: loose::amount(envelope.item("Amount")),
        charge: envelope.text("DebitPartyCharges").and_then(|text| charge(&text)),
        made_by: envelope.text("OriginatorConversationID").or_else(|| envelope.text("ConversationID")),
        initiated_at: time("InitiatedTime"),
        finalised_at: time("FinalisedTime"),
        reason: envelope.text("ReasonType"),
    }
}

fn state(word: String) -> TransactionState {
    let known = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(&word));
    if known(&["Completed"]) {
        TransactionState::Completed
    } else if known(&["Cancelled", "Canceled", "Declined", "Expired", "Failed"]) {
        TransactionState::Ended { word }
    } else {
        TransactionState::Undecided { word }
    }
}

/// `Fee For B2C Payment|KES|22.40`, several joined by `&`: their sum.
fn charge(text: &str) -> Option<Cents> {
    let mut sum = 0_i64;
    for part in text.split('&') {
        let mut fields = part.split('|').skip(1);
        let (currency, amount) = (fields.next()?, fields.next()?);
        if !currency.trim().eq_ignore_ascii_case("KES") {
            return None;
        }
        sum = sum.checked_add(loose::signed_cents(amount)?)?;
    }
    (sum >= 0).then_some(Cents(sum))
}
