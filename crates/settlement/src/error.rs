//! Why something asked for was not done. Every message begins with a stable
//! code and says what a person can do.

use crate::step::Trouble;
use jirani_chain::ChainError;
use jirani_ledger::Refusal;
use jirani_market::MarketError;
use jirani_market::rule::RuleError;
use jirani_market::schedule::ScheduleError;
use jirani_market::shortfall::ShortfallError;
use jirani_store::StoreError;
use jirani_units::{Cents, Timestamp, Wh};

/// What kind of no it is; what to do follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The request breaks a rule whatever the state of things.
    Invalid,
    /// There is no such thing, or it is not the asker's.
    NotFound,
    /// Not in the present state of things.
    Conflict,
    /// Too often; later again.
    Limited,
    /// A neighbour does not answer now; the same request may be sent again.
    Unavailable,
    /// Our own fault.
    Internal,
}

/// Nothing was begun, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// No such household.
    #[error("settlement.unknown_household: there is no such household")]
    UnknownHousehold,
    /// The household has no record on chain yet.
    #[error("settlement.not_enrolled: this household is not enrolled on chain yet; try again in a minute")]
    NotEnrolled,
    /// The household has no number for M-Pesa.
    #[error("settlement.no_phone: this household has no M-Pesa number; ask the operator to add one")]
    NoPhone,
    /// No such offer, or not the seller's.
    #[error("settlement.unknown_offer: there is no such offer of yours")]
    UnknownOffer,
    /// The idempotency key is empty or too long.
    #[error("settlement.invalid_key: a request key has 1 to 128 characters")]
    InvalidKey,
    /// The key belongs to another request.
    #[error("settlement.key_reused: this request key was used for a different request; take a new one")]
    KeyReused,
    /// The seller owes energy.
    #[error("settlement.shortfall: you owe {shortfall} of energy, which must be met before you can sell")]
    Shortfall {
        /// How much.
        shortfall: Wh,
    },
    /// The vault holds less than is offered.
    #[error("settlement.vault_too_small: you have {vault} to sell")]
    VaultTooSmall {
        /// What it holds.
        vault: Wh,
    },
    /// Prices rose above what the buyer agreed to.
    #[error("settlement.price_moved: this now costs {due}, more than you agreed to; look at the new price")]
    PriceMoved {
        /// What it would cost.
        due: Cents,
    },
    /// A prompt for the same phone is open.
    #[error(
        "settlement.prompt_open: a payment prompt is open on this phone; answer it or wait until it ends"
    )]
    PromptOpen,
    /// More than M-Pesa moves at once.
    #[error("settlement.amount_too_large: M-Pesa moves at most {most} at once; make it smaller")]
    AmountTooLarge {
        /// The most.
        most: Cents,
    },
    /// Less than M-Pesa pays out.
    #[error("settlement.payout_too_small: M-Pesa pays out {least} or more")]
    PayoutTooSmall {
        /// The least.
        least: Cents,
    },
    /// The household's payouts of a day are used up.
    #[error("settlement.daily_limit: you can withdraw {left} more today; the rest from midnight on")]
    DailyLimit {
        /// What is left today, charges included.
        left: Cents,
    },
    /// The payouts of all households of a day are used up.
    #[error(
        "settlement.operator_daily_limit: no more withdrawals go out today; ask again tomorrow, your money stays yours"
    )]
    OperatorDailyLimit,
    /// The operator may not spend what belongs to households.
    #[error(
        "settlement.operator_funds: the operator has not the money of its own to buy this; ask again later, your \
         tokens stay yours"
    )]
    OperatorFunds,
    /// No record of the operator's on this feeder can buy.
    #[error("settlement.no_operator: the operator has no record on this feeder that could buy; tell it")]
    NoOperator,
    /// The number was changed a short while ago.
    #[error(
        "settlement.cool_down: your number was changed; for your safety withdrawals to it begin at {until}"
    )]
    CoolDown {
        /// From when on.
        until: Timestamp,
    },
    /// Not an amount of float that M-Pesa moves.
    #[error("settlement.float_amount: float moves in whole shillings, 1 to 250,000 at once")]
    FloatAmount,
    /// Another move of float is under way.
    #[error(
        "settlement.float_moving: what became of the last move of float is not known yet; wait for M-Pesa's word on it"
    )]
    FloatMoving,
    /// The balance is too small.
    #[error("settlement.insufficient_balance: your balance is too small for this")]
    InsufficientBalance,
    /// No such review.
    #[error("review.unknown: there is no such review")]
    UnknownReview,
    /// The review is closed.
    #[error("review.closed: this review is closed; nothing is to be decided any more")]
    ReviewClosed,
    /// No such proposal.
    #[error("review.unknown_proposal: there is no such proposal")]
    UnknownProposal,
    /// Another proposal about it waits.
    #[error("review.proposal_waiting: a proposal about this review waits; approve or reject that one first")]
    ProposalWaiting,
    /// It was approved or rejected.
    #[error("review.decided: this proposal was approved or rejected already")]
    ProposalDecided,
    /// Who proposed it may not approve it.
    #[error("review.same_person: another operator must approve what you proposed")]
    SamePerson,
    /// The operator's name cannot be one.
    #[error("review.invalid_operator: say which operator you are: 1 to 40 letters, digits, spaces, . - or '")]
    InvalidOperator,
    /// It cannot be done, or is about something else.
    #[error("review.unfit: this cannot be done: {0}")]
    UnfitDecision(String),
    /// No statement, or too large a one.
    #[error(transparent)]
    Statement(jirani_daraja::statement::StatementError),
    /// A statement without lines.
    #[error("statement.empty: the statement has no completed line; export it for a time with payments")]
    StatementEmpty,
    /// Others bought or sold at the same moment, again and again.
    #[error("settlement.contended: others were faster; try again")]
    Contended,
    /// Too much is under way.
    #[error("settlement.overloaded: too much is under way now; try again in a minute")]
    Overloaded,
    /// The service stops; what was begun goes on after the next start.
    #[error("settlement.stopping: the service is stopping; ask again with the same key once it is back")]
    Stopping,
    /// What was begun cannot go on before a person has looked at it.
    #[error("settlement.stuck: this needs the operator: {0}")]
    Stuck(String),
    /// Words of a dispute or an answer that are too long.
    #[error("shortfall.note_too_long: write at most 200 characters")]
    NoteTooLong,
    /// Against the rules of the walk.
    #[error(transparent)]
    Walk(#[from] ShortfallError),
    /// Against the market's rules.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// A household's rules are refused; the old ones stay.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A tariff that cannot be announced; nothing changed.
    #[error(transparent)]
    Tariff(#[from] ScheduleError),
    /// The tariff in force is not on chain yet.
    #[error(
        "settlement.tariff_pending: new prices have begun and the chain does not have them yet; try again in a minute"
    )]
    TariffPending,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The chain does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl SettlementError {
    /// The stable code that the message begins with.
    pub fn code(&self) -> String {
        let text = self.to_string();
        text.split_once(':').map_or(text.as_str(), |(code, _)| code).to_owned()
    }

    /// The sentence after the code.
    pub fn message(&self) -> String {
        let text = self.to_string();
        text.split_once(": ").map_or(text.as_str(), |(_, message)| message).to_owned()
    }

    /// What kind of no it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::InvalidOperator
            | Self::Statement(_)
            | Self::StatementEmpty
            | Self::InvalidKey
            | Self::Rule(_)
            | Self::Tariff(_)
            | Self::NoteTooLong
            | Self::Walk(
                ShortfallError::AmountNotPositive
                | ShortfallError::LimitNegative
                | ShortfallError::InstalmentsOutOfBounds { .. },
            )
            | Self::AmountTooLarge { .. }
            | Self::PayoutTooSmall { .. }
            | Self::FloatAmount => Fault::Invalid,
            Self::UnknownHousehold | Self::UnknownOffer | Self::UnknownReview | Self::UnknownProposal => {
                Fault::NotFound
            }
            Self::ReviewClosed
            | Self::ProposalWaiting
            | Self::ProposalDecided
            | Self::SamePerson
            | Self::UnfitDecision(_)
            | Self::NotEnrolled
            | Self::NoPhone
            | Self::OperatorFunds
            | Self::NoOperator
            | Self::KeyReused
            | Self::Shortfall { .. }
            | Self::VaultTooSmall { .. }
            | Self::PriceMoved { .. }
            | Self::PromptOpen
            | Self::CoolDown { .. }
            | Self::FloatMoving
            | Self::Walk(_)
            | Self::InsufficientBalance => Fault::Conflict,
            Self::DailyLimit { .. } | Self::OperatorDailyLimit => Fault::Limited,
            Self::Market(error) => market_fault(error),
            Self::Contended
            | Self::Overloaded
            | Self::Stopping
            | Self::TariffPending
            | Self::Chain(ChainError::Unreachable(_) | ChainError::NotReady(_))
            | Self::Store(StoreError::Unavailable { .. }) => Fault::Unavailable,
            Self::Stuck(_) | Self::Store(_) | Self::Chain(_) => Fault::Internal,
        }
    }

    pub(crate) fn from_trouble(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NoAnswer(what) => Self::Store(StoreError::Unavailable { what }),
            Trouble::Contended(_) => Self::Contended,
            Trouble::Stuck(what) => Self::Stuck(what),
        }
    }
}

impl From<StoreError> for SettlementError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused { refusal: Refusal::InsufficientBalance, .. } => Self::InsufficientBalance,
            StoreError::Conflict { .. } => Self::Contended,
            other => Self::Store(other),
        }
    }
}

/// What kind of no the market's rules say.
fn market_fault(error: &MarketError) -> Fault {
    use MarketError as E;
    match error {
        E::NothingWanted
        | E::BudgetTooSmall
        | E::TooLarge
        | E::InvalidFills
        | E::EnergyOutOfBounds { .. }
        | E::PriceOutOfBounds { .. }
        | E::AttestedPrice { .. }
        | E::ExpiryOutOfBounds { .. } => Fault::Invalid,
        E::AttestedSelfUse
        | E::NothingOnOffer
        | E::NotEnough { .. }
        | E::UnpaidShare { .. }
        | E::TooManyOffers => Fault::Conflict,
        E::TooManyUnpaid { .. } => Fault::Limited,
    }
}
