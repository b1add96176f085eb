//! What the API asks of its neighbours.

use crate::dto::float::FloatMoveView;
use crate::dto::forecast::{AdviceView, ForecastView};
use crate::dto::notice::{PayoutQueueState, PayoutQueueView};
use crate::dto::operator::AuditView;
use async_trait::async_trait;
use jirani_market::rule::{BuyRule, Edit, Rules, SellRule};
use jirani_market::shortfall::Event as ShortfallEvent;
use jirani_market::{Fill, Tariff, Want};
use jirani_reconciliation::{Decision, Purse};
use jirani_settlement::Standing;
use jirani_store::{
    NewCallback, OfferRecord, OrderRecord, PayWith, PayoutRecord, ProposalRecord, ReconciliationRecord,
    TariffRecord,
};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};

/// What an order would cost now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradingQuote {
    /// What from whom, cheapest first.
    pub fills: Vec<Fill>,
    /// Energy of all fills.
    pub energy: Wh,
    /// What the buyer would owe.
    pub due: Cents,
    /// What M-Pesa would ask for.
    pub collect: Cents,
    /// Grid fee in the due.
    pub fee: Cents,
    /// Tax in the due.
    pub tax: Cents,
    /// What the operator would take for the same energy.
    pub retail: Cents,
}

/// Trades and payouts. Every method is safe to drop and to call again: under the
/// same key it answers with the same record.
#[async_trait]
pub trait Trading: Send + Sync {
    /// Puts energy up for sale; returns once that has landed or was refused.
    async fn post_offer(
        &self,
        seller: HouseholdId,
        energy: Wh,
        price: Price,
        expires_in_s: u32,
        key: String,
    ) -> Result<OfferRecord, TradingError>;
    /// Sells energy of a household's vault to the operator at buy-back; returns once that is
    /// settled or was refused.
    async fn buy_back(
        &self,
        _seller: HouseholdId,
        _energy: Wh,
        _key: String,
    ) -> Result<OrderRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Takes an offer back; what orders hold stays until they are final.
    async fn cancel_offer(&self, seller: HouseholdId, offer: OfferId) -> Result<OfferRecord, TradingError>;
    /// What an order would cost. Nothing is held.
    async fn quote(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
    ) -> Result<TradingQuote, TradingError>;
    /// Makes an order; returns once it is on chain and its payment is under way.
    async fn place_order(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
        max_due: Option<Cents>,
        key: String,
    ) -> Result<OrderRecord, TradingError>;
    /// What the market does for a household; `None` when it never set rules.
    async fn rules(&self, _household: HouseholdId) -> Result<Option<Rules>, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Sets a household's rules in the place of the old ones.
    async fn set_rules(
        &self,
        _household: HouseholdId,
        _sell: Option<SellRule>,
        _buy: Option<BuyRule>,
    ) -> Result<Rules, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Sets one of a household's rules and leaves the other as it stands by then.
    async fn change_rules(
        &self,
        _household: HouseholdId,
        _sell: Edit<SellRule>,
        _buy: Edit<BuyRule>,
    ) -> Result<Rules, TradingError> {
        Err(TradingError::not_offered())
    }
    /// What a payout of at most `amount` would send, and M-Pesa's charge.
    async fn payout_quote(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<(Cents, Cents), TradingError>;
    /// What waiting would save on such a payout, in English and Kiswahili; None when
    /// nothing, or when nobody can say.
    async fn payout_hint(
        &self,
        _household: HouseholdId,
        _amount: Cents,
    ) -> Result<Option<(String, String)>, TradingError> {
        Ok(None)
    }
    /// Whether payouts go out now.
    async fn payout_queue(&self) -> Result<PayoutQueueView, TradingError> {
        Ok(PayoutQueueView { state: PayoutQueueState::Open, code: None, since: None })
    }
    /// Lets payouts go out again after a stop.
    async fn resume_payouts(&self) -> Result<PayoutQueueView, TradingError> {
        self.payout_queue().await
    }
    /// Moves the operator's money from the PayBill to the payout shortcode.
    async fn move_float(
        &self,
        _operator: String,
        _amount: Cents,
        _key: String,
    ) -> Result<FloatMoveView, TradingError> {
        Err(TradingError::not_offered())
    }
    /// The last moves of float, newest first.
    async fn float_moves(&self, _limit: u32) -> Result<Vec<FloatMoveView>, TradingError> {
        Ok(Vec::new())
    }
    /// Announces prices from a moment on.
    async fn announce_tariff(
        &self,
        _operator: String,
        _key: String,
        _from: Timestamp,
        _tariff: Tariff,
    ) -> Result<TariffRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Withdraws to the household's own number.
    async fn request_payout(
        &self,
        household: HouseholdId,
        amount: Cents,
        key: String,
    ) -> Result<PayoutRecord, TradingError>;
    /// Compares M-Pesa's books with the ledger: its list and balances, or a statement of
    /// these accounts.
    async fn reconcile(
        &self,
        _statement: Option<(Vec<Purse>, Vec<u8>)>,
    ) -> Result<ReconciliationRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Proposes what to do about a review.
    async fn propose(
        &self,
        _operator: String,
        _review: String,
        _decision: Decision,
        _note: String,
    ) -> Result<ProposalRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Approves another operator's proposal, and does it.
    async fn approve(&self, _operator: String, _number: u64) -> Result<ProposalRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Rejects a proposal.
    async fn reject(&self, _operator: String, _number: u64) -> Result<ProposalRecord, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Figures of money for `/metrics`: name, what it says, value.
    async fn figures(&self) -> Result<Vec<(&'static str, &'static str, i64)>, TradingError> {
        Ok(Vec::new())
    }
    /// Where a household that owes energy stands.
    async fn standing(&self, _household: HouseholdId) -> Result<Standing, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Every home, who owes most first.
    async fn standings(&self) -> Result<Vec<Standing>, TradingError> {
        Err(TradingError::not_offered())
    }
    /// What household or operator ask for on that walk; `words` go with it.
    async fn shortfall_event(
        &self,
        _household: HouseholdId,
        _event: ShortfallEvent,
        _words: String,
    ) -> Result<Standing, TradingError> {
        Err(TradingError::not_offered())
    }
    /// Keeps a callback; durable on return, dealt with afterwards.
    async fn receive_callback(&self, callback: NewCallback) -> Result<(), TradingError>;
}

/// What kind of no it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradingFault {
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

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct TradingError {
    /// What kind of no it is.
    pub fault: TradingFault,
    /// Stable code.
    pub code: String,
    /// A sentence a person can act on.
    pub message: String,
}

impl TradingError {
    /// The part that would do it is not here.
    pub fn not_offered() -> Self {
        Self {
            fault: TradingFault::Unavailable,
            code: "api.not_offered".to_owned(),
            message: "This is not offered here. Ask the node that runs settlement.".to_owned(),
        }
    }
}

/// Forecasts and what follows from them.
#[async_trait]
pub trait Advice: Send + Sync {
    /// The household's current forecast; None before the first.
    async fn forecast(&self, household: HouseholdId) -> Option<ForecastView>;
    /// What to do next; None when there is nothing to say.
    async fn advice(&self, household: HouseholdId) -> Option<AdviceView>;
    /// Figures of forecasts for `/metrics`: name, what it says, value.
    fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        Vec::new()
    }
}

/// Recomputes the invariants from journal, readings and chain.
#[async_trait]
pub trait AuditRunner: Send + Sync {
    /// Runs once. Takes as long as it takes.
    async fn run(&self) -> AuditView;
}
