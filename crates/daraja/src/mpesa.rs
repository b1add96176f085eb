//! What services ask of M-Pesa.

use async_trait::async_trait;
use jirani_units::{Cents, Msisdn, Reference};

/// M-Pesa, whoever answers.
#[async_trait]
pub trait Mpesa: Send + Sync {
    /// Asks for a prompt on a phone. Never retried here.
    async fn stk_push(&self, request: StkRequest) -> Result<StkAccepted, SendError>;
    /// Asks what became of a prompt. Free of effects.
    async fn stk_query(&self, checkout_request_id: &str) -> QueryOutcome;
    /// Asks to pay a number. Never retried here; a repeat needs the same id.
    async fn b2c(&self, request: B2cRequest) -> Result<B2cAccepted, SendError>;
    /// M-Pesa's charge for a payout of this many shillings.
    fn payout_charge(&self, shillings: i64) -> Cents;
}

/// A prompt to be shown.
#[derive(Clone, Debug)]
pub struct StkRequest {
    /// Whole shillings.
    pub shillings: i64,
    /// The phone.
    pub msisdn: Msisdn,
    /// Our reference, printed on the prompt.
    pub reference: Reference,
    /// Where the result goes; unique per payment.
    pub callback_url: String,
}

/// M-Pesa will show the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StkAccepted {
    /// M-Pesa's id, for queries.
    pub checkout_request_id: String,
}

/// A payout to be made.
#[derive(Clone, Debug)]
pub struct B2cRequest {
    /// Our id (OriginatorConversationID), kept for ever.
    pub originator_id: String,
    /// Whole shillings.
    pub shillings: i64,
    /// The phone.
    pub msisdn: Msisdn,
    /// Where the result goes.
    pub result_url: String,
    /// Where a queue timeout goes.
    pub timeout_url: String,
}

/// M-Pesa has taken the payout on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct B2cAccepted {
    /// M-Pesa's id.
    pub conversation_id: String,
}

/// Why a request that moves money has no clear yes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Certainly not taken on; it may be asked anew.
    #[error("mpesa.not_sent: {message} ({code})")]
    NotSent {
        /// Daraja's error code, or ours.
        code: String,
        /// For people.
        message: String,
    },
    /// It may or may not have been taken on.
    #[error("mpesa.unknown: {message}")]
    Unknown {
        /// What was seen.
        message: String,
    },
    /// An earlier request with the same id was taken on.
    #[error("mpesa.duplicate: a request with this id was taken on before")]
    Duplicate,
}

/// What a query says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryOutcome {
    /// Paid; the answer carries no receipt.
    Paid,
    /// Refused for good: the code is on the closed list.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// Not decided, or the answer says nothing.
    Pending,
}
