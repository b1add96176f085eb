//! A household's rules: read, and set anew.

use super::keys;
use crate::engine::Key;
use crate::error::SettlementError;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::Step;
use jirani_market::rule::{BuyRule, Edit, Rules, SellRule};
use jirani_store::{Change, Event, OfferRecord, OfferState, RulesRecord, StoreError};
use jirani_units::{Clock as _, HouseholdId, OfferId, Slot};

/// How many of a household's last offers are looked at for those of its rule.
const OFFERS_MAX: u32 = 200;

impl Settlement {
    /// What the market does for a household; `None` when it never set rules.
    pub async fn rules(&self, household: HouseholdId) -> Result<Option<Rules>, SettlementError> {
        self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        Ok(self.store.rules(household).await?.map(|record| record.rules))
    }

    /// Sets a household's rules anew; with neither, the market does nothing for it from now
    /// on. Refused whole, and the old ones stay, when they contradict each other or the
    /// tariff. They act in slots that begin from now on; the same rules again change
    /// nothing. What the old sell rule had put up for sale goes back.
    pub async fn set_rules(
        &self,
        household: HouseholdId,
        sell: Option<SellRule>,
        buy: Option<BuyRule>,
    ) -> Result<Rules, SettlementError> {
        self.change_rules(household, Edit::Set(sell), Edit::Set(buy)).await
    }

    /// Sets one of a household's rules anew and leaves the other as it stands then, whoever
    /// sets that one meanwhile; see [`Settlement::set_rules`].
    pub async fn change_rules(
        &self,
        household: HouseholdId,
        sell: Edit<SellRule>,
        buy: Edit<BuyRule>,
    ) -> Result<Rules, SettlementError> {
        let _busy = self.clock.busy();
        let set_at = self.clock.now();
        let record = self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        if let Edit::Set(Some(sell)) = &sell {
            self.check_trust(&record, sell.floor_cents_per_kwh).await?;
        }
        // What binds the draws is published before the first slot in which rules act.
        let slot = Slot::containing(set_at, self.calling.policy().slot_length_s);
        self.seeds(slot).await.map_err(SettlementError::from_trouble)?;
        for _ in 0..COMMIT_ATTEMPTS {
            let old = self.store.rules(household).await?;
            let sell = sell.of(old.as_ref().and_then(|old| old.rules.sell));
            let buy = buy.of(old.as_ref().and_then(|old| old.rules.buy));
            let rules = Rules { sell, buy, set_at };
            rules.check(&self.config.tariffs.at(set_at))?;
            if let Some(old) = old.as_ref().filter(|old| (old.rules.sell, old.rules.buy) == (sell, buy)) {
                return Ok(old.rules);
            }
            let mut step = Step::default();
            let mut closing: Vec<OfferId> = Vec::new();
            if old.as_ref().is_some_and(|old| old.rules.sell != sell) {
                let offers = self.store.offers_of(household, OFFERS_MAX).await?;
                let of_rule =
                    |offer: &OfferRecord| offer.state == OfferState::Open && keys::is_rules(&offer.key);
                for mut offer in offers.into_iter().filter(of_rule) {
                    offer.state = OfferState::Closing;
                    closing.push(offer.id);
                    step.announce(Event::Offer(offer.id, household));
                    step.change(Change::Offer(offer));
                }
            }
            let version = old.map_or(0, |old| old.version);
            step.change(Change::Rules(RulesRecord { household, rules, version }));
            match self.commit(step).await {
                Ok(_) => {
                    for id in closing {
                        self.lanes.poke(Key::Offer(id), self.clock.busy());
                    }
                    return Ok(rules);
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettlementError::Contended)
    }
}
