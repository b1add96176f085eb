//! A household's rules: read, and set anew.

use crate::error::SettlementError;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use jirani_market::rule::{BuyRule, Rules, SellRule};
use jirani_store::{Change, RulesRecord, StoreError};
use jirani_units::{Clock as _, HouseholdId};

impl Settlement {
    /// What the market does for a household; `None` when it never set rules.
    pub async fn rules(&self, household: HouseholdId) -> Result<Option<Rules>, SettlementError> {
        self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        Ok(self.store.rules(household).await?.map(|record| record.rules))
    }

    /// Sets a household's rules anew; with neither, the market does nothing for it from now
    /// on. Refused whole, and the old ones stay, when they contradict each other or the
    /// tariff. They act in slots that begin from now on; the same rules again change nothing.
    pub async fn set_rules(
        &self,
        household: HouseholdId,
        sell: Option<SellRule>,
        buy: Option<BuyRule>,
    ) -> Result<Rules, SettlementError> {
        let _busy = self.clock.busy();
        let rules = Rules { sell, buy, set_at: self.clock.now() };
        rules.check(&self.config.tariff)?;
        self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        for _ in 0..COMMIT_ATTEMPTS {
            let old = self.store.rules(household).await?;
            if let Some(old) = old.as_ref().filter(|old| (old.rules.sell, old.rules.buy) == (sell, buy)) {
                return Ok(old.rules);
            }
            let version = old.map_or(0, |old| old.version);
            match self.store.commit(vec![Change::Rules(RulesRecord { household, rules, version })]).await {
                Ok(_) => return Ok(rules),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettlementError::Contended)
    }
}
