//! Settlement as [`Trading`].

use crate::dto::float::{FloatMoveState, FloatMoveView};
use crate::dto::notice::{PayoutQueueState, PayoutQueueView};
use crate::ports::{Trading, TradingError, TradingFault, TradingQuote};
use async_trait::async_trait;
use jirani_market::rule::{BuyRule, Edit, Rules, SellRule};
use jirani_market::shortfall::Event as ShortfallEvent;
use jirani_market::{Tariff, Want};
use jirani_reconciliation::{Decision, Purse};
use jirani_settlement::{
    Asked, Fault, FloatRecord, FloatState, PayoutQueue, Quote, Settlement, SettlementError, Standing,
    StatementFile,
};
use jirani_store::{
    NewCallback, OfferRecord, OrderRecord, PayWith, PayoutRecord, ProposalRecord, ReconciliationRecord,
    TariffRecord,
};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Timestamp, Wh};

#[async_trait]
impl Trading for Settlement {
    async fn post_offer(
        &self,
        seller: HouseholdId,
        energy: Wh,
        price: Price,
        expires_in_s: u32,
        key: String,
    ) -> Result<OfferRecord, TradingError> {
        Ok(Settlement::post_offer(self, seller, energy, price, expires_in_s, &key).await?)
    }

    async fn buy_back(
        &self,
        seller: HouseholdId,
        energy: Wh,
        key: String,
    ) -> Result<OrderRecord, TradingError> {
        Ok(Settlement::buy_back(self, seller, energy, &key).await?)
    }

    async fn cancel_offer(&self, seller: HouseholdId, offer: OfferId) -> Result<OfferRecord, TradingError> {
        Ok(Settlement::cancel_offer(self, seller, offer).await?)
    }

    async fn quote(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
    ) -> Result<TradingQuote, TradingError> {
        let Quote { fills, energy, due, collect, fee, tax, retail, saved: _ } =
            Settlement::quote(self, buyer, want, pay_with).await?;
        Ok(TradingQuote { fills, energy, due, collect, fee, tax, retail })
    }

    async fn place_order(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
        max_due: Option<Cents>,
        key: String,
    ) -> Result<OrderRecord, TradingError> {
        Ok(Settlement::place_order(self, buyer, want, pay_with, max_due, &key).await?)
    }

    async fn rules(&self, household: HouseholdId) -> Result<Option<Rules>, TradingError> {
        Ok(Settlement::rules(self, household).await?)
    }

    async fn set_rules(
        &self,
        household: HouseholdId,
        sell: Option<SellRule>,
        buy: Option<BuyRule>,
    ) -> Result<Rules, TradingError> {
        Ok(Settlement::set_rules(self, household, sell, buy).await?)
    }

    async fn change_rules(
        &self,
        household: HouseholdId,
        sell: Edit<SellRule>,
        buy: Edit<BuyRule>,
    ) -> Result<Rules, TradingError> {
        Ok(Settlement::change_rules(self, household, sell, buy).await?)
    }

    async fn payout_quote(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<(Cents, Cents), TradingError> {
        Ok(Settlement::payout_quote(self, household, amount).await?)
    }

    async fn payout_hint(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<Option<(String, String)>, TradingError> {
        let quote = Settlement::payout_advice(self, household, amount).await?;
        Ok(quote.hint_en().zip(quote.hint_sw()))
    }

    async fn payout_queue(&self) -> Result<PayoutQueueView, TradingError> {
        Ok(Settlement::payout_queue(self).into())
    }

    async fn resume_payouts(&self) -> Result<PayoutQueueView, TradingError> {
        Ok(Settlement::resume_payouts(self).await?.into())
    }

    async fn move_float(
        &self,
        operator: String,
        amount: Cents,
        key: String,
    ) -> Result<FloatMoveView, TradingError> {
        Ok(Settlement::move_float(self, &operator, amount, &key).await?.into())
    }

    async fn float_moves(&self, limit: u32) -> Result<Vec<FloatMoveView>, TradingError> {
        let moves = Settlement::float_moves(self, limit).await.map_err(SettlementError::from)?;
        Ok(moves.into_iter().map(FloatMoveView::from).collect())
    }

    async fn announce_tariff(
        &self,
        operator: String,
        key: String,
        from: Timestamp,
        tariff: Tariff,
    ) -> Result<TariffRecord, TradingError> {
        Ok(Settlement::announce_tariff(self, &operator, &key, from, tariff).await?)
    }

    async fn request_payout(
        &self,
        household: HouseholdId,
        amount: Cents,
        key: String,
    ) -> Result<PayoutRecord, TradingError> {
        Ok(Settlement::request_payout(self, household, amount, &key).await?)
    }

    async fn reconcile(
        &self,
        statement: Option<(Vec<Purse>, Vec<u8>)>,
    ) -> Result<ReconciliationRecord, TradingError> {
        let asked = match statement {
            Some((purses, csv)) => Asked::Statement(StatementFile { purses, csv }),
            None => Asked::OnDemand,
        };
        Ok(Settlement::reconcile(self, asked).await?.record)
    }

    async fn propose(
        &self,
        operator: String,
        review: String,
        decision: Decision,
        note: String,
    ) -> Result<ProposalRecord, TradingError> {
        Ok(Settlement::propose(self, &operator, &review, &decision, &note).await?)
    }

    async fn approve(&self, operator: String, number: u64) -> Result<ProposalRecord, TradingError> {
        Ok(Settlement::approve(self, &operator, number).await?)
    }

    async fn reject(&self, operator: String, number: u64) -> Result<ProposalRecord, TradingError> {
        Ok(Settlement::reject(self, &operator, number).await?)
    }

    async fn figures(&self) -> Result<Vec<(&'static str, &'static str, i64)>, TradingError> {
        let figures = Settlement::figures(self).await.map_err(SettlementError::from)?;
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(vec![
            (
                "oldest_unknown_seconds",
                "Age of the oldest payment whose outcome is unknown.",
                figures.oldest_unknown_s,
            ),
            ("clearing_cents", "Money that may still settle orders.", figures.clearing.0),
            ("suspense_cents", "Money that nobody can name.", figures.suspense.0),
            ("float_cents", "What the payout shortcode holds and is not set aside.", figures.float.0),
            ("open_reviews", "Reviews that wait for persons.", count(figures.open_reviews)),
            (
                "only_ours_lines",
                "Lines that only our ledger had at the last comparison.",
                count(figures.only_ours),
            ),
            (
                "only_theirs_lines",
                "Lines that only M-Pesa had at the last comparison.",
                count(figures.only_theirs),
            ),
            ("different_lines", "Lines with two amounts at the last comparison.", count(figures.different)),
            ("difference_cents", "M-Pesa's balances less ours at the last comparison.", figures.difference.0),
        ])
    }

    async fn standing(&self, household: HouseholdId) -> Result<Standing, TradingError> {
        Ok(Settlement::standing(self, household).await?)
    }

    async fn standings(&self) -> Result<Vec<Standing>, TradingError> {
        Ok(Settlement::standings(self).await?)
    }

    async fn shortfall_event(
        &self,
        household: HouseholdId,
        event: ShortfallEvent,
        words: String,
    ) -> Result<Standing, TradingError> {
        Ok(Settlement::shortfall_event(self, household, event, &words).await?)
    }

    async fn receive_callback(&self, callback: NewCallback) -> Result<(), TradingError> {
        Ok(Settlement::receive_callback(self, callback).await?)
    }
}

impl From<FloatRecord> for FloatMoveView {
    fn from(record: FloatRecord) -> Self {
        let (state, receipt) = match &record.state {
            FloatState::Planned => (FloatMoveState::Planned, None),
            FloatState::Unknown => (FloatMoveState::Unknown, None),
            FloatState::Accepted { .. } => (FloatMoveState::Accepted, None),
            FloatState::Moved(receipt) => (FloatMoveState::Moved, receipt.as_ref().map(ToString::to_string)),
            FloatState::Failed(_) => (FloatMoveState::Failed, None),
        };
        Self {
            number: record.number,
            amount_cents: record.amount.0,
            state,
            reference: record.reference(),
            receipt,
            failure: record.failure(),
            asked_by: record.asked_by,
            asked_at: record.asked_at.into(),
            ended_at: record.ended_at.map(Into::into),
        }
    }
}

impl From<PayoutQueue> for PayoutQueueView {
    fn from(queue: PayoutQueue) -> Self {
        match queue {
            PayoutQueue::Open => Self { state: PayoutQueueState::Open, code: None, since: None },
            PayoutQueue::Waiting { since, .. } => {
                Self { state: PayoutQueueState::Waiting, code: None, since: Some(since.into()) }
            }
            PayoutQueue::Stopped { code, since } => {
                Self { state: PayoutQueueState::Stopped, code: Some(code), since: Some(since.into()) }
            }
        }
    }
}

impl From<SettlementError> for TradingError {
    fn from(error: SettlementError) -> Self {
        let fault = match error.fault() {
            Fault::Invalid => TradingFault::Invalid,
            Fault::NotFound => TradingFault::NotFound,
            Fault::Conflict => TradingFault::Conflict,
            Fault::Limited => TradingFault::Limited,
            Fault::Unavailable => TradingFault::Unavailable,
            Fault::Internal => TradingFault::Internal,
        };
        Self { fault, code: error.code(), message: error.message() }
    }
}
