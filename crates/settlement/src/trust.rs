//! What a seller's meter is worth: offers and rules of homes whose meter does not sign by
//! itself keep within the operator's policy. The operator's own records are its own affair.

use crate::error::SettlementError;
use crate::service::Settlement;
use jirani_store::{HouseholdKind, HouseholdRecord, StoreError};
use jirani_units::{Clock as _, HouseholdId, Price, Trust};
use std::collections::HashSet;

impl Settlement {
    /// Checks the price of an offer, or the floor of a rule, against the seller's meter.
    pub(crate) async fn check_trust(
        &self,
        seller: &HouseholdRecord,
        ask: Price,
    ) -> Result<(), SettlementError> {
        if seller.kind != HouseholdKind::Home {
            return Ok(());
        }
        let trust = self.store.trust_of(seller.meter).await?;
        let tariff = self.config.tariffs.at(self.clock.now());
        Ok(self.calling.policy().attested.check_ask(&tariff, trust, ask)?)
    }

    /// The homes of `homes` whose meter does not sign by itself.
    pub(crate) async fn attested_homes(
        &self,
        homes: &[HouseholdRecord],
    ) -> Result<HashSet<HouseholdId>, StoreError> {
        let attested: HashSet<_> =
            self.store.attested_meters().await?.into_iter().map(|record| record.meter).collect();
        let is_attested = |home: &&HouseholdRecord| {
            home.kind == HouseholdKind::Home && home.meter.is_some_and(|meter| attested.contains(&meter))
        };
        Ok(homes.iter().filter(is_attested).map(|home| home.id).collect())
    }

    /// Whether a floor may stand in a call for a home with such a meter.
    pub(crate) fn may_ask(&self, floor: Price) -> bool {
        let tariff = self.config.tariffs.at(self.clock.now());
        self.calling.policy().attested.check_ask(&tariff, Trust::GatewayAttested, floor).is_ok()
    }
}
