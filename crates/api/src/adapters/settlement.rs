//! Settlement as [`Trading`].

use crate::dto::notice::{PayoutQueueState, PayoutQueueView};
use crate::ports::{Trading, TradingError, TradingFault, TradingQuote};
use async_trait::async_trait;
use jirani_market::Want;
use jirani_settlement::{Fault, PayoutQueue, Quote, Settlement, SettlementError};
use jirani_store::{NewCallback, OfferRecord, OrderRecord, PayWith, PayoutRecord};
use jirani_units::{Cents, HouseholdId, OfferId, Price, Wh};

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

    async fn cancel_offer(&self, seller: HouseholdId, offer: OfferId) -> Result<OfferRecord, TradingError> {
        Ok(Settlement::cancel_offer(self, seller, offer).await?)
    }

    async fn quote(&self, buyer: HouseholdId, want: Want) -> Result<TradingQuote, TradingError> {
        let Quote { fills, energy, due, collect, fee, tax, retail, saved: _ } =
            Settlement::quote(self, buyer, want).await?;
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

    async fn request_payout(
        &self,
        household: HouseholdId,
        amount: Cents,
        key: String,
    ) -> Result<PayoutRecord, TradingError> {
        Ok(Settlement::request_payout(self, household, amount, &key).await?)
    }

    async fn receive_callback(&self, callback: NewCallback) -> Result<(), TradingError> {
        Ok(Settlement::receive_callback(self, callback).await?)
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
