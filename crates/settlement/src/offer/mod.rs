//! Offers: lots of eKWh from vault to escrow, and back what nobody bought.
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | `post_offer` | Posting | `post/<id>` on chain |
//! | Posting | landed | Open | waits for expiry |
//! | Posting | refused | Refused | - |
//! | Open | cancelled by the seller, expired, or all of it sold | Closing | `close/<id>/part` on chain while orders hold a part, `close/<id>` when none does |
//! | Closing | an order ends | Closing | the same |
//! | Closing | the last part is back, or nothing is left on chain | Closed | - |
//! | Closing | refused | Closing | the same later, under a new key |
//! | Closed, Refused | anything | unchanged | - |
//!
//! A closing offer takes no new orders from the moment that is stored. What no order
//! holds goes back at once; orders that hold a part of it end as they would have.
//! An offer that is sold out is closed on chain too, where it would go on counting
//! as one of the seller's open offers.

mod decide;
mod effect;

use crate::engine::Key;
use crate::error::SettlementError;
use crate::interruption::Moment;
use crate::market::is_by_hand;
use crate::service::{Settlement, check_key};
pub(crate) use decide::{OfferEvent, release_part};
use jirani_market::limits;
use jirani_store::{Change, Event, OfferRecord, OfferState, StoreError};
use jirani_units::{Clock as _, HouseholdId, OfferId, Price, Timestamp, Wh};
use std::collections::BTreeMap;

/// What became of an offer that was to be stored.
enum OfferPlan {
    Stored(OfferId),
    /// One with its key was.
    Earlier(Box<OfferRecord>),
    /// The vault holds too little besides what is being posted.
    NotFree {
        free: Wh,
        posting: Vec<OfferId>,
    },
}

impl Settlement {
    /// Offers `energy` of `seller`'s vault at `price` for `expires_in_s` seconds
    /// (60 to 2,592,000). Returns once the chain has taken it (Open) or refused it
    /// (Refused, with the code). The same `key` again gives the same offer.
    pub async fn post_offer(
        &self,
        seller: HouseholdId,
        energy: Wh,
        price: Price,
        expires_in_s: u32,
        key: &str,
    ) -> Result<OfferRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_key(key)?;
        if let Some(offer) = self.store.offer_by_key(seller, key).await? {
            return self.offer_again(offer, energy, price, expires_in_s).await;
        }
        let mut waited = false;
        loop {
            let before = self.live_offers_of(seller).await?;
            let vault = self.check_offer(seller, energy, price, expires_in_s).await?;
            let now = self.clock.now();
            let offer = OfferRecord {
                energy_wh: energy,
                price,
                expires_at: now.plus_seconds(i64::from(expires_in_s)),
                key: key.to_owned(),
                ..posting(OfferId(0), seller, now)
            };
            match self.store_offer(offer, &before, vault).await? {
                OfferPlan::Stored(id) => {
                    self.interruption.reached(Moment::OfferPlanned);
                    self.events.publish(Event::Offer(id, seller));
                    self.look(Key::Offer(id)).await?;
                    return self.stored_offer(id).await;
                }
                // The same key a moment ago: that offer is the answer.
                OfferPlan::Earlier(offer) => {
                    return self.offer_again(*offer, energy, price, expires_in_s).await;
                }
                // What the chain is being asked to take may be refused: known in a moment.
                OfferPlan::NotFree { posting, .. } if vault >= energy && !waited => {
                    waited = true;
                    for id in posting {
                        self.look(Key::Offer(id)).await?;
                    }
                }
                OfferPlan::NotFree { free, .. } => {
                    return Err(SettlementError::VaultTooSmall { vault: free });
                }
            }
        }
    }

    /// Takes back what no order holds of an open offer. Returns it Closed, or
    /// Closing while an order still holds a part. Cancelling again changes nothing.
    pub async fn cancel_offer(
        &self,
        seller: HouseholdId,
        id: OfferId,
    ) -> Result<OfferRecord, SettlementError> {
        let _busy = self.clock.busy();
        let offer = self.store.offer(id).await?.filter(|offer| offer.seller == seller);
        let offer = offer.ok_or(SettlementError::UnknownOffer)?;
        if offer.state == OfferState::Posting {
            self.look(Key::Offer(id)).await?;
        }
        self.apply_offer(id, &OfferEvent::Cancelled).await.map_err(SettlementError::from_trouble)?;
        self.look(Key::Offer(id)).await?;
        self.stored_offer(id).await
    }

    /// Checks all that the chain and the tariff can say; gives the seller's vault.
    async fn check_offer(
        &self,
        seller: HouseholdId,
        energy: Wh,
        price: Price,
        expires_in_s: u32,
    ) -> Result<Wh, SettlementError> {
        self.check_room()?;
        self.bounds_hold().await?;
        limits::check_offer(&self.config.tariffs.at(self.clock.now()), energy, price, expires_in_s)?;
        let record = self.store.household(seller).await?.ok_or(SettlementError::UnknownHousehold)?;
        self.check_trust(&record, price).await?;
        let on_chain = self.chain.household(seller).await?.ok_or(SettlementError::NotEnrolled)?;
        if on_chain.shortfall_wh > Wh::ZERO {
            return Err(SettlementError::Shortfall { shortfall: on_chain.shortfall_wh });
        }
        Ok(on_chain.vault_wh)
    }

    /// Stores the offer, unless its seller has no room or energy for it: nothing is asked
    /// of the chain meanwhile. `before`: the seller's offers as they were before the vault
    /// was read, which held `vault`.
    async fn store_offer(
        &self,
        mut offer: OfferRecord,
        before: &[OfferRecord],
        vault: Wh,
    ) -> Result<OfferPlan, SettlementError> {
        let seller = self.store.household(offer.seller).await?.ok_or(SettlementError::UnknownHousehold)?;
        // Two offers of one seller must not both find room, or the same energy.
        let _planning = self.planning.lock(&seller).await;
        if let Some(earlier) = self.store.offer_by_key(offer.seller, &offer.key).await? {
            return Ok(OfferPlan::Earlier(Box::new(earlier)));
        }
        let own = self.live_offers_of(offer.seller).await?;
        limits::check_standing(own.iter().filter(|offer| is_by_hand(&offer.key)).count())?;
        // One that is in neither list's Posting was on chain before the vault was read.
        let is_posting = |offer: &&OfferRecord| offer.state == OfferState::Posting;
        let posting: BTreeMap<OfferId, Wh> =
            before.iter().chain(&own).filter(is_posting).map(|offer| (offer.id, offer.energy_wh)).collect();
        let free = vault.saturating_sub(posting.values().copied().sum());
        if free < offer.energy_wh {
            return Ok(OfferPlan::NotFree { free, posting: posting.into_keys().collect() });
        }
        offer.id = OfferId(self.store.next_number("offer").await?);
        let (id, key) = (offer.id, offer.key.clone());
        match self.store.commit(vec![Change::Offer(offer)]).await {
            Ok(_) => Ok(OfferPlan::Stored(id)),
            // Another process was faster.
            Err(StoreError::Conflict { .. }) => {
                let earlier = self.store.offer_by_key(seller.id, &key).await?;
                Ok(OfferPlan::Earlier(Box::new(earlier.ok_or(SettlementError::Contended)?)))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn live_offers_of(&self, seller: HouseholdId) -> Result<Vec<OfferRecord>, SettlementError> {
        let mut offers = self.store.live_offers().await?;
        offers.retain(|offer| offer.seller == seller);
        Ok(offers)
    }

    async fn offer_again(
        &self,
        offer: OfferRecord,
        energy: Wh,
        price: Price,
        expires_in_s: u32,
    ) -> Result<OfferRecord, SettlementError> {
        let expires_at = offer.created_at.plus_seconds(i64::from(expires_in_s));
        if (offer.energy_wh, offer.price, offer.expires_at) != (energy, price, expires_at) {
            return Err(SettlementError::KeyReused);
        }
        if offer.state == OfferState::Posting {
            self.look(Key::Offer(offer.id)).await?;
        }
        self.stored_offer(offer.id).await
    }

    async fn stored_offer(&self, id: OfferId) -> Result<OfferRecord, SettlementError> {
        self.store.offer(id).await?.ok_or(SettlementError::UnknownOffer)
    }
}

/// A new offer, as it is stored before the chain hears of it; without energy, price, end and
/// key.
pub(crate) const fn posting(id: OfferId, seller: HouseholdId, now: Timestamp) -> OfferRecord {
    OfferRecord {
        id,
        seller,
        energy_wh: Wh::ZERO,
        reserved_wh: Wh::ZERO,
        sold_wh: Wh::ZERO,
        price: Price(0),
        expires_at: now,
        state: OfferState::Posting,
        refusal: None,
        signature: None,
        key: String::new(),
        created_at: now,
        version: 0,
    }
}
