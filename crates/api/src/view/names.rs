//! What neighbours call each other.

use crate::app::App;
use crate::dto::order::FillView;
use crate::error::ApiError;
use jirani_market::Fill;
use jirani_units::HouseholdId;
use std::collections::BTreeMap;

/// Aliases by household.
pub struct Names(BTreeMap<HouseholdId, String>);

impl Names {
    /// Everybody's.
    pub async fn read(app: &App) -> Result<Self, ApiError> {
        let households = app.deps.store.households().await?;
        Ok(Self(households.into_iter().map(|household| (household.id, household.alias)).collect()))
    }

    /// Those of the sellers of some fills.
    pub async fn of_fills(app: &App, fills: &[Fill]) -> Result<Self, ApiError> {
        let mut names = BTreeMap::new();
        for fill in fills {
            if !names.contains_key(&fill.seller)
                && let Some(household) = app.deps.store.household(fill.seller).await?
            {
                names.insert(household.id, household.alias);
            }
        }
        Ok(Self(names))
    }

    /// One household's; a word for the unknown is better than no answer.
    pub fn alias(&self, household: HouseholdId) -> String {
        self.0.get(&household).cloned().unwrap_or_else(|| format!("#{household}"))
    }

    /// Fills with their sellers' names.
    pub fn fills(&self, fills: &[Fill]) -> Vec<FillView> {
        fills
            .iter()
            .map(|fill| FillView {
                offer_id: fill.offer.0,
                seller_alias: self.alias(fill.seller),
                energy_wh: u64::from(fill.energy_wh),
                price_cents_per_kwh: fill.price.0,
            })
            .collect()
    }
}
