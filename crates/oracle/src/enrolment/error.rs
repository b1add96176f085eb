//! Why something is not done with a meter.

use jirani_chain::ChainError;
use jirani_readings::SpanError;
use jirani_store::StoreError;
use jirani_units::MeterId;

/// Why something is not done with a meter. The text begins with the stable code.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// The text of the QR code holds no key.
    #[error(
        "meter.bad_identity: this holds no meter's key; scan the QR code that the meter prints after `identity`"
    )]
    BadIdentity,
    /// Name and key do not belong together.
    #[error("meter.identity_mismatch: the name in the text is not the one of the key; scan the code again")]
    IdentityMismatch,
    /// It was claimed before.
    #[error("meter.claimed_before: meter {0} was claimed before; look it up in the list of meters")]
    ClaimedBefore(MeterId),
    /// A household has it.
    #[error("meter.in_use: meter {0} counts for a household already")]
    InUse(MeterId),
    /// Another meter is on its way to the household.
    #[error(
        "meter.another_under_way: another meter is on its way to this household; approve or reject that one first"
    )]
    AnotherUnderWay,
    /// Neither a household nor one to be made.
    #[error("meter.no_household: name a household that exists, or describe a new one")]
    NoHousehold,
    /// It has a meter.
    #[error("meter.has_one: the household has a meter; replace it, or rotate its key")]
    HasOne,
    /// It has none that could be replaced.
    #[error("meter.has_none: the household has no meter that could be replaced; claim one for it")]
    HasNone,
    /// Nobody claimed it.
    #[error("meter.unknown: meter {0} is not known here; claim it first")]
    Unknown(MeterId),
    /// Not in its present state.
    #[error("meter.wrong_state: a meter that is {state} cannot be {wanted}")]
    WrongState {
        /// Its state.
        state: &'static str,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Whoever claims or asks does not decide.
    #[error(
        "meter.same_operator: whoever claims a meter, or asks for something about it, does not decide; ask another operator"
    )]
    SameOperator,
    /// Something else about the meter waits for a decision.
    #[error(
        "meter.requested_before: something that was asked for about this meter waits; approve or reject that first"
    )]
    RequestedBefore,
    /// A figure is out of bounds.
    #[error("meter.invalid: {0}")]
    Invalid(&'static str),
    /// Registers cannot begin there.
    #[error(transparent)]
    Span(#[from] SpanError),
    /// Somebody else was faster.
    #[error("meter.changed: somebody else has just changed this; look again")]
    Changed,
    /// The store.
    #[error(transparent)]
    Store(StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<StoreError> for EnrolmentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Changed,
            error => Self::Store(error),
        }
    }
}

impl EnrolmentError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadIdentity => "meter.bad_identity",
            Self::IdentityMismatch => "meter.identity_mismatch",
            Self::ClaimedBefore(_) => "meter.claimed_before",
            Self::InUse(_) => "meter.in_use",
            Self::AnotherUnderWay => "meter.another_under_way",
            Self::NoHousehold => "meter.no_household",
            Self::HasOne => "meter.has_one",
            Self::HasNone => "meter.has_none",
            Self::Unknown(_) => "meter.unknown",
            Self::WrongState { .. } => "meter.wrong_state",
            Self::SameOperator => "meter.same_operator",
            Self::RequestedBefore => "meter.requested_before",
            Self::Invalid(_) => "meter.invalid",
            Self::Span(SpanError::OutOfRange) => "meter.registers_out_of_range",
            Self::Span(SpanError::TooEarly(_)) => "meter.span_too_early",
            Self::Changed => "meter.changed",
            Self::Store(_) | Self::Chain(_) => "meter.unavailable",
        }
    }
}
