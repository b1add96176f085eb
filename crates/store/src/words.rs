//! The words that stand for states and kinds in every database. The schemas' CHECKs
//! repeat them; never rename one without a migration for each engine.

use crate::{
    CallState, CallbackKind, DeskRole, FindingState, HouseholdKind, Language, MessageState, MeterPurpose,
    MeterState, OfferState, OperatorState, OrderState, PayWith, ProposalState, ReleaseReason, ReversalState,
    TariffOrigin,
};
use jirani_market::report::CurtailmentReason;
use jirani_market::shortfall::RelayPosition;
use jirani_plausibility::Severity;
use jirani_readings::SpanReason;

/// A closed set of values, each with its word.
pub trait Word: Sized + Copy + 'static {
    /// Every value with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

macro_rules! words {
    ($($type:ident { $($value:ident = $word:literal),+ $(,)? })+) => {$(
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$(($type::$value, $word)),+];

            fn word(self) -> &'static str {
                match self { $($type::$value => $word),+ }
            }
        }
    )+};
}

words! {
    HouseholdKind { Home = "home", Generator = "generator", Battery = "battery", Loss = "loss" }
    MeterPurpose { Enrol = "enrol", Replace = "replace", Rotate = "rotate" }
    MeterState {
        Claimed = "claimed", Challenged = "challenged", Answered = "answered", Approved = "approved",
        Active = "active", Replaced = "replaced", Retired = "retired", Rejected = "rejected",
    }
    SpanReason {
        Enrolled = "enrolled", ResetProven = "reset_proven", ResetApproved = "reset_approved",
        RolledOver = "rolled_over", Replaced = "replaced", KeyRotated = "key_rotated",
    }
    DeskRole {
        Operator = "operator", Finance = "finance", Auditor = "auditor", Admin = "admin", All = "all",
    }
    OperatorState { Invited = "invited", Active = "active", Retired = "retired" }
    Language { En = "en", Sw = "sw" }
    MessageState {
        Waiting = "waiting", Unknown = "unknown", Sent = "sent", Delivered = "delivered", Refused = "refused",
    }
    OfferState { Posting = "posting", Open = "open", Closing = "closing", Closed = "closed", Refused = "refused" }
    PayWith { Mpesa = "mpesa", Balance = "balance" }
    OrderState {
        Planned = "planned", AwaitingPayment = "awaiting_payment", ReceiptAwaited = "receipt_awaited",
        Paid = "paid", Settled = "settled", Releasing = "releasing", Released = "released", Refused = "refused",
    }
    CallState { Cleared = "cleared", Settling = "settling", Done = "done" }
    ProposalState { Proposed = "proposed", Approved = "approved", Rejected = "rejected" }
    CurtailmentReason { BatteryFull = "battery_full", GridLimit = "grid_limit", Maintenance = "maintenance" }
    FindingState { Open = "open", Accepted = "accepted", Refused = "refused", Closed = "closed" }
    Severity { Note = "note", Hold = "hold", Refuse = "refuse" }
    RelayPosition { Open = "open", Closed = "closed" }
    TariffOrigin { Settings = "settings", Operator = "operator" }
    ReversalState { Waiting = "waiting", Booked = "booked" }
    ReleaseReason {
        PaymentRefused = "payment_refused", PaymentTimeout = "payment_timeout", PaidShort = "paid_short",
    }
    CallbackKind {
        StkResult = "stk_result", C2bConfirmation = "c2b_confirmation", B2cResult = "b2c_result",
        B2cTimeout = "b2c_timeout", Answer = "answer", AnswerTimeout = "answer_timeout",
    }
}
