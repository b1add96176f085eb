//! Does what an offer's state asks for, until there is nothing left to do now.

use super::decide::{self, OfferEffect, OfferEvent};
use crate::chain_work::Fresh;
use crate::interruption::Moment;
use crate::market::is_bought_back;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Broken, Trouble};
use jirani_chain::Work;
use jirani_store::{OfferRecord, StoreError};
use jirani_units::{Clock as _, OfferId, Timestamp, Wh};

impl Settlement {
    /// Moves an offer on as far as it goes; says when to look again.
    pub(crate) async fn advance_offer(&self, id: OfferId) -> Result<Option<Timestamp>, Trouble> {
        loop {
            let offer = self.load_offer(id).await?;
            match decide::effect(&offer, self.clock.now()) {
                OfferEffect::Post => {
                    let work = Work::PostOffer {
                        seller: offer.seller,
                        offer: id,
                        energy_wh: offer.energy_wh,
                        price: offer.price,
                        expires_at: offer.expires_at,
                    };
                    let outcome = self.submit(&format!("post/{id}"), work).await?;
                    self.interruption.reached(Moment::OfferPosted);
                    self.apply_offer(id, &OfferEvent::Posted(outcome)).await?;
                    if is_bought_back(&offer.key) {
                        self.look_at_purchase(&offer).await?;
                    }
                }
                OfferEffect::Expire => self.apply_offer(id, &OfferEvent::Expired).await?,
                OfferEffect::ReturnPart => {
                    let work = Work::CancelOffer { seller: offer.seller, offer: id };
                    return Ok(match self.submit_until_done(&format!("close/{id}/part"), work).await? {
                        // The order that holds the rest looks here when it ends.
                        Fresh::Done { .. } => None,
                        Fresh::Later(at) => Some(at),
                    });
                }
                OfferEffect::Close => {
                    let work = Work::CancelOffer { seller: offer.seller, offer: id };
                    match self.submit_until_done(&format!("close/{id}"), work).await? {
                        Fresh::Done { .. } => self.apply_offer(id, &OfferEvent::Returned).await?,
                        Fresh::Later(at) => return Ok(Some(at)),
                    }
                }
                // Of what the operator buys nothing stands on the market by itself.
                OfferEffect::Rest(Some(_)) if is_bought_back(&offer.key) && offer.open_wh() > Wh::ZERO => {
                    self.apply_offer(id, &OfferEvent::Cancelled).await?;
                }
                OfferEffect::Rest(at) => return Ok(at),
            }
        }
    }

    /// Commits what `event` changes; decides anew when somebody was faster.
    pub(crate) async fn apply_offer(&self, id: OfferId, event: &OfferEvent) -> Result<(), Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let step = decide::decide(&self.load_offer(id).await?, event);
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => return Ok(done.map(drop)?),
            }
        }
        Err(Trouble::Contended(format!("offer {id}")))
    }

    async fn load_offer(&self, id: OfferId) -> Result<OfferRecord, Trouble> {
        let offer = self.store.offer(id).await?;
        offer.ok_or_else(|| Broken(format!("there is no offer {id}")).into())
    }
}
