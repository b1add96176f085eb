//! What services ask of M-Pesa.
//!
//! Three kinds of request, by what an unclear answer means. Those that move
//! money (`stk_push`, `b2c`, `reverse`, `move_float`) are sent once: unclear is
//! [`SendError::Unknown`], and a person or a later proof decides. Questions whose
//! answer comes by callback (`transaction_status`, `account_balance`) and plain
//! questions (`stk_query`, `pull`, `dynamic_qr`) change nothing and may be asked
//! again.
//!
//! What one provider may lack has a body here that says so: the answer is
//! `NotSent` with the code `mpesa.not_offered`, which is the truth.

use crate::ask::{AskAccepted, BalanceRequest, FloatMove, ReversalRequest, StatusRequest};
use crate::pull::{PullPage, PullRegistration, PullRequest};
use crate::qr::{QrCode, QrRequest};
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

    /// Asks what became of a transaction, by its receipt or by our own id of it.
    /// The answer is posted to the result address:
    /// [`parse_status`](crate::callback::parse_status). Free of effects.
    async fn transaction_status(&self, _request: StatusRequest) -> Result<AskAccepted, SendError> {
        Err(SendError::not_offered("transaction status"))
    }

    /// Asks what a shortcode's accounts hold. The answer is posted to the result
    /// address: [`parse_balance`](crate::callback::parse_balance). Free of effects.
    async fn account_balance(&self, _request: BalanceRequest) -> Result<AskAccepted, SendError> {
        Err(SendError::not_offered("account balance"))
    }

    /// Asks to give a payer's money back, the same money that came in under this
    /// receipt. Never retried here, but M-Pesa reverses a receipt only once. The
    /// outcome is posted: [`parse_reversal`](crate::callback::parse_reversal).
    async fn reverse(&self, _request: ReversalRequest) -> Result<AskAccepted, SendError> {
        Err(SendError::not_offered("reversal"))
    }

    /// Asks to move the operator's money between its own shortcodes or accounts.
    /// M-Pesa takes no id of ours here: an unknown outcome may not be sent again;
    /// the posted outcome ([`parse_float`](crate::callback::parse_float)), the
    /// balances or a person decide.
    async fn move_float(&self, _request: FloatMove) -> Result<AskAccepted, SendError> {
        Err(SendError::not_offered("float transfer"))
    }

    /// Switches on the list of payments, once for a shortcode; may be repeated.
    async fn pull_register(
        &self,
        _nominated: Msisdn,
        _callback_url: &str,
    ) -> Result<PullRegistration, SendError> {
        Err(SendError::not_offered("pull transactions"))
    }

    /// One page of the list of payments to our shortcode. Free of effects.
    /// [`pull_window`](crate::pull::pull_window) reads all pages.
    async fn pull(&self, _request: PullRequest) -> Result<PullPage, SendError> {
        Err(SendError::not_offered("pull transactions"))
    }

    /// Tells M-Pesa where confirmations (and validation requests, where they
    /// are switched on) go. Free of effects on money, so it may be repeated.
    async fn register_c2b(
        &self,
        _confirmation_url: &str,
        _validation_url: &str,
    ) -> Result<C2bRegistration, SendError> {
        Err(SendError::not_offered("C2B registration"))
    }

    /// A picture to be scanned with the M-Pesa app, which then asks to pay us.
    async fn dynamic_qr(&self, _request: QrRequest) -> Result<QrCode, SendError> {
        Err(SendError::not_offered("dynamic QR"))
    }
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

/// What M-Pesa said to our C2B addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum C2bRegistration {
    /// They are registered now.
    Registered,
    /// Some were registered before and stay; production takes them once.
    RegisteredBefore,
}

/// Why a request has no clear yes.
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

impl SendError {
    /// This provider has no such request; nothing was sent.
    pub fn not_offered(what: &str) -> Self {
        Self::NotSent {
            code: "mpesa.not_offered".to_owned(),
            message: format!("{what} is not offered by this payment provider"),
        }
    }
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
