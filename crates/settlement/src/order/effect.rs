//! Does what an order's state asks for, until there is nothing left to do now.

use super::View;
use super::decide::{self, OrderEffect, OrderEvent};
use super::view::party;
use crate::chain_work::Fresh;
use crate::engine::Key;
use crate::interruption::Moment;
use crate::market::{is_bought_back, posts_its_offers};
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Broken, Trouble};
use jirani_chain::Work;
use jirani_ledger::templates::orders::Party;
use jirani_store::{OfferState, OrderRecord, OrderState, OutboxState, PayWith, Proof, StoreError};
use jirani_units::{Clock as _, OrderId, Timestamp};

/// Where the offers of a call's order stand.
enum CallOffers {
    Posted,
    Posting,
    /// Some of them were refused, and the chain has answered for the others.
    Refused,
}

impl Settlement {
    /// Moves an order and its collection on as far as they go; says when to look
    /// again.
    pub(crate) async fn advance_order(&self, id: OrderId) -> Result<Option<Timestamp>, Trouble> {
        loop {
            let order = self.load_order(id).await?;
            match decide::effect(&order) {
                OrderEffect::Place => {
                    let OrderRecord { buyer, fills, fee, tax, .. } = order;
                    let work = Work::PlaceOrder { buyer, order: id, fills, fee, tax };
                    let outcome = self.submit(&format!("place/{id}"), work).await?;
                    self.interruption.reached(Moment::OrderPlaced);
                    self.apply_order(id, &OrderEvent::Placed(outcome)).await?;
                }
                OrderEffect::PlaceAndSettle => {
                    match self.offers_of_call(&order).await? {
                        CallOffers::Posted => {}
                        // The call looks here once the chain has answered for all of them.
                        CallOffers::Posting => return Ok(None),
                        CallOffers::Refused => {
                            let tariffs = &self.config.tariffs;
                            let same = tariffs.at(order.created_at) == tariffs.at(self.clock.now());
                            let again = if same {
                                Some(OrderId(self.store.next_number("order").await?))
                            } else {
                                None
                            };
                            self.apply_order(id, &OrderEvent::OffersRefused(again)).await?;
                            continue;
                        }
                    }
                    let (proof, paid_at) = proven(&order)?;
                    let OrderRecord { buyer, fills, fee, tax, .. } = order;
                    let work = Work::PlaceAndSettle { buyer, order: id, fills, fee, tax, proof, paid_at };
                    let outcome = self.submit(&format!("place/{id}"), work).await?;
                    self.interruption.reached(Moment::OrderSettled);
                    self.apply_order(id, &OrderEvent::Placed(outcome)).await?;
                }
                OrderEffect::Collect => {
                    if let Some(at) = self.advance_collection(id).await? {
                        return Ok(Some(at));
                    }
                }
                OrderEffect::Settle => {
                    self.interruption.reached(Moment::PaymentProven);
                    let (proof, paid_at) = proven(&order)?;
                    let OrderRecord { buyer, fills, .. } = order;
                    let work = Work::Settle { buyer, order: id, fills, proof, paid_at };
                    let outcome = self.submit(&format!("settle/{id}"), work).await?;
                    self.interruption.reached(Moment::OrderSettled);
                    self.apply_order(id, &OrderEvent::Settled(outcome)).await?;
                }
                OrderEffect::Release => {
                    self.interruption.reached(Moment::OrderGivenUp);
                    self.never_settled(id).await?;
                    let reason = order.release_reason;
                    let reason =
                        reason.ok_or_else(|| Broken(format!("order {id} is released for no reason")))?;
                    let OrderRecord { buyer, fills, .. } = order;
                    let work = Work::Release { buyer, order: id, fills, reason };
                    match self.submit_until_done(&format!("release/{id}"), work).await? {
                        Fresh::Done { signature } => {
                            self.interruption.reached(Moment::OrderReleased);
                            self.apply_order(id, &OrderEvent::Released(signature)).await?;
                        }
                        Fresh::Later(at) => return Ok(Some(at)),
                    }
                }
                OrderEffect::Rest => {
                    if is_bought_back(&order.key) && order.state == OrderState::Refused {
                        self.withdraw_unbought(&order);
                    }
                    self.look_at_closing_offers(&order).await?;
                    self.reversal_after(id).await?;
                    return Ok(None);
                }
            }
        }
    }

    /// Nothing is given back of an order whose settlement may have landed: the chain would
    /// say that the order is gone, and our record that it was released (S1).
    async fn never_settled(&self, id: OrderId) -> Result<(), Trouble> {
        match self.store.outbox(&format!("settle/{id}")).await?.map(|record| record.state) {
            None | Some(OutboxState::Refused { .. }) => Ok(()),
            Some(state) => {
                Err(Trouble::Stuck(format!("order {id} is to be released, but its settlement is {state:?}")))
            }
        }
    }

    /// Whether the chain has the offers that a call's order holds: they are stored together.
    async fn offers_of_call(&self, order: &OrderRecord) -> Result<CallOffers, Trouble> {
        if !posts_its_offers(&order.key) {
            return Ok(CallOffers::Posted);
        }
        let (mut posting, mut refused) = (false, false);
        for fill in &order.fills {
            let offer = self.store.offer(fill.offer).await?;
            let offer = offer.ok_or_else(|| Broken(format!("there is no offer {}", fill.offer)))?;
            match offer.state {
                OfferState::Posting => posting = true,
                OfferState::Refused => refused = true,
                OfferState::Open | OfferState::Closing | OfferState::Closed => {}
            }
        }
        Ok(match (posting, refused) {
            (true, _) => CallOffers::Posting,
            (false, true) => CallOffers::Refused,
            (false, false) => CallOffers::Posted,
        })
    }

    /// Commits what `event` changes; decides anew when somebody was faster.
    async fn apply_order(&self, id: OrderId, event: &OrderEvent) -> Result<(), Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let view = self.load_view(id, true).await?;
            let step = decide::decide(&view, event, self.names.collection(id), self.clock.now())?;
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => {
                    done?;
                    self.log_order(id).await;
                    return Ok(());
                }
            }
        }
        Err(Trouble::Contended(format!("order {id}")))
    }

    async fn log_order(&self, id: OrderId) {
        if let Ok(Some(order)) = self.store.order(id).await {
            tracing::debug!(order = id.0, state = ?order.state, refusal = ?order.refusal, "order moved on");
        }
    }

    /// An offer that closes waits for the orders that hold a part of it.
    async fn look_at_closing_offers(&self, order: &OrderRecord) -> Result<(), Trouble> {
        for fill in &order.fills {
            let offer = self.store.offer(fill.offer).await?;
            if offer.is_some_and(|offer| offer.state == jirani_store::OfferState::Closing) {
                self.lanes.poke(Key::Offer(fill.offer), self.clock.busy());
            }
        }
        Ok(())
    }

    pub(crate) async fn load_order(&self, id: OrderId) -> Result<OrderRecord, Trouble> {
        let order = self.store.order(id).await?;
        order.ok_or_else(|| Broken(format!("there is no order {id}")).into())
    }

    /// Reads an order and what belongs to it; its offers only where they change.
    pub(crate) async fn load_view(&self, id: OrderId, with_offers: bool) -> Result<View, Trouble> {
        let order = self.load_order(id).await?;
        let collection = match order.pay_with {
            PayWith::Mpesa if order.state != OrderState::Planned => self.store.collection(id).await?,
            _ => None,
        };
        let receipt = match collection.as_ref().and_then(|collection| collection.receipt.as_ref()) {
            Some(receipt) => self.store.receipt(receipt).await?,
            None => None,
        };
        let buyer = match order.state {
            OrderState::Planned => self.store.household(order.buyer).await?,
            _ => None,
        };
        let msisdn = buyer.as_ref().and_then(|buyer| buyer.msisdn);
        let (mut offers, mut operators) = (Vec::new(), Vec::new());
        operators.extend(buyer.filter(|buyer| party(buyer) == Party::Operator).map(|buyer| buyer.id));
        for fill in order.fills.iter().filter(|_| with_offers) {
            let offer = self.store.offer(fill.offer).await?;
            offers.push(offer.ok_or_else(|| Broken(format!("there is no offer {}", fill.offer)))?);
            let seller = self.store.household(fill.seller).await?;
            let seller = seller.ok_or_else(|| Broken(format!("there is no household {}", fill.seller)))?;
            if party(&seller) == Party::Operator {
                operators.push(seller.id);
            }
        }
        let (window_s, grace_s) = self.chain.order_window_s();
        Ok(View {
            order,
            collection,
            receipt,
            msisdn,
            offers,
            operators,
            window_s: i64::from(window_s),
            grace_s: i64::from(grace_s),
        })
    }
}

fn proven(order: &OrderRecord) -> Result<(Proof, Timestamp), Broken> {
    order.proof.zip(order.paid_at).ok_or_else(|| Broken(format!("order {} is paid without proof", order.id)))
}
