//! The chain's price bounds follow the tariff.

use super::tell;
use crate::engine::Key;
use crate::error::SettlementError;
use crate::service::Settlement;
use crate::step::Trouble;
use jirani_chain::TariffOutcome;
use jirani_market::Tariff;
use jirani_market::schedule::standing;
use jirani_store::{CallState, Change, Event, OfferState, OrderState};
use jirani_units::{Clock as _, Timestamp, Wh};
use std::sync::{Mutex, PoisonError};

/// How long a change waits for what was ordered before it and is not on chain yet, in
/// seconds, and how often it looks.
const PATIENCE_S: i64 = 60;
const LOOK_S: i64 = 1;
/// When the chain is asked again that did not answer, in seconds.
const UNKNOWN_S: i64 = 5;
/// How often the bounds are looked at that somebody else must set, in seconds.
const ELSEWHERE_S: i64 = 300;
/// How often they are looked at otherwise: somebody with the admin's key may have set others.
const VERIFY_S: i64 = 3_600;

/// How far the chain has followed.
#[derive(Default)]
pub(crate) struct Following {
    /// Held while an announcement is made.
    pub(super) announcing: tokio::sync::Mutex<()>,
    /// The bounds as the chain last confirmed them; `None` before that.
    confirmed: Mutex<Option<Tariff>>,
}

impl Following {
    fn confirmed(&self) -> Option<Tariff> {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn confirm(&self, tariff: Option<Tariff>) -> Option<Tariff> {
        std::mem::replace(&mut *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner), tariff)
    }
}

impl Settlement {
    /// Whether the chain has the bounds of the tariff in force, after a look at it if nobody
    /// knows.
    async fn has_bounds(&self) -> Result<bool, SettlementError> {
        if self.bounds_are_known() {
            return Ok(true);
        }
        self.look(Key::Tariff).await?;
        Ok(self.bounds_are_known())
    }

    /// Whether the chain is known to have the bounds in force, without a look at it.
    pub(crate) fn bounds_are_known(&self) -> bool {
        self.following.confirmed() == Some(self.config.tariffs.at(self.clock.now()))
    }

    /// Refuses to begin what the chain would refuse for the prices of before.
    pub(crate) async fn bounds_hold(&self) -> Result<(), SettlementError> {
        if self.has_bounds().await? { Ok(()) } else { Err(SettlementError::TariffPending) }
    }

    /// Whether the chain has the bounds in force, and they stay for so many seconds.
    pub(crate) async fn bounds_last(&self, seconds: i64) -> Result<bool, Trouble> {
        let now = self.clock.now();
        let next = self.config.tariffs.next_change(now);
        if next.is_some_and(|next| next.from <= now.plus_seconds(seconds)) {
            return Ok(false);
        }
        self.has_bounds().await.map_err(|error| Trouble::NoAnswer(error.to_string()))
    }

    /// Sets the bounds of the tariff in force; says when to look again.
    pub(crate) async fn advance_tariff(&self) -> Result<Option<Timestamp>, Trouble> {
        let now = self.clock.now();
        let tariffs = &self.config.tariffs;
        let tariff = tariffs.at(now);
        let next = tariffs.next_change(now).map(|next| next.from);
        let began =
            tariffs.schedule().versions().iter().map(|version| version.from).rfind(|from| *from <= now);
        let began = began.unwrap_or(now);
        let known = self.following.confirmed() == Some(tariff);
        if !known && now < began.plus_seconds(PATIENCE_S) && self.is_unplaced(began).await? {
            return Ok(Some(now.plus_seconds(LOOK_S)));
        }
        let within = |seconds| {
            let at = now.plus_seconds(seconds);
            Ok(Some(next.map_or(at, |next| next.min(at))))
        };
        let answer = self.chain.set_tariff(&tariff).await;
        if let (true, Err(error)) = (known, &answer) {
            // As far as anybody knows they are right: nobody waits for this look.
            tracing::debug!(%error, "the bounds were not looked at");
            return within(VERIFY_S);
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                // Whoever waits hears that prices are on their way, and nothing is kept back
                // until the chain answers.
                tracing::warn!(%error, "the chain does not say what bounds it has; asking again");
                return Ok(Some(now.plus_seconds(UNKNOWN_S)));
            }
        };
        match answer {
            TariffOutcome::Set | TariffOutcome::AlreadySet if known => within(VERIFY_S),
            TariffOutcome::Set | TariffOutcome::AlreadySet => {
                let told = self.offers_outside(&tariff, now).await?;
                if !told.is_empty() {
                    self.store.commit(told).await?;
                }
                if self.following.confirm(Some(tariff)).is_some() {
                    self.events.publish(Event::Tariff);
                    tracing::info!(retail = %tariff.retail, buy_back = %tariff.buy_back, "new prices are in force");
                }
                self.lanes.poke(Key::Call, self.clock.busy());
                within(VERIFY_S)
            }
            TariffOutcome::NotAdmin => {
                self.following.confirm(None);
                tracing::warn!(
                    "prices are in force that the chain does not have, and its admin's key is not here: run `{}`",
                    tell::command(&tariff)
                );
                self.store.commit(vec![tell::set_by_hand(&tariff, began, now)]).await?;
                within(ELSEWHERE_S)
            }
        }
    }

    /// What owners hear of open offers that `tariff` leaves outside its bounds.
    async fn offers_outside(&self, tariff: &Tariff, now: Timestamp) -> Result<Vec<Change>, Trouble> {
        let offers = self.store.live_offers().await?;
        let open = offers
            .iter()
            .filter(|offer| offer.state == OfferState::Open && offer.open_wh() > Wh::ZERO)
            .filter(|offer| !tariff.allows(offer.price));
        Ok(open.map(|offer| tell::outside(offer, standing(tariff, offer.price), now)).collect())
    }

    /// Whether something that was made before `began` is still on its way to the chain.
    async fn is_unplaced(&self, began: Timestamp) -> Result<bool, Trouble> {
        let orders = self.store.live_orders().await?;
        let planned = |order: &jirani_store::OrderRecord| {
            order.state == OrderState::Planned && order.created_at < began
        };
        if orders.iter().any(planned) {
            return Ok(true);
        }
        let calls = self.store.live_calls().await?;
        Ok(calls.iter().any(|call| call.state != CallState::Done && call.made_at < began))
    }
}
