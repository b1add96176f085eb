//! What a household should do now, and what it was worth when it was told so before.
//!
//! Advice follows from the forecast that people see, the household's tokens and the market's
//! offers. Each piece is kept to be scored, also one that a household is not told because the
//! last ones lost ([`crate::advised`]).

use crate::advised::{AdviceRecord, Advised, Deed, Given, Kept, Voice};
use crate::{Advisor, past};
use jirani_forecast::{Action, Advice, AdviceInput, Prices, advise};
use jirani_market::Tariff;
use jirani_store::{OfferState, StoreError};
use jirani_units::{Clock as _, HouseholdId, Price, Timestamp, Wh};
use std::sync::{MutexGuard, PoisonError};

/// Offers of one seller looked at.
const OFFERS: u32 = 50;

/// What a household holds on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Tokens in its vault.
    pub vault_wh: Wh,
    /// Its energy debt.
    pub shortfall_wh: Wh,
}

impl Advisor {
    /// What the household should do now, given what it holds; `None` when nothing
    /// is worth saying, or when what it was told before lost.
    pub async fn advice(
        &self,
        household: HouseholdId,
        holding: Holding,
    ) -> Result<Option<Advice>, StoreError> {
        let Some(issued) = self.forecast(household).await? else { return Ok(None) };
        let own = self.store.offers_of(household, OFFERS).await?;
        let live = || own.iter().filter(|offer| offer.state == OfferState::Open);
        let offered_wh = live().map(jirani_store::OfferRecord::open_wh).sum();
        let feeder = self.store.household(household).await?.map(|record| record.feeder);
        let offers = self.store.open_offers(feeder, OFFERS).await?;
        let cheapest = offers.into_iter().find(|offer| offer.seller != household);
        let Tariff { retail, buy_back, grid_fee, tax } = self.config.tariffs.at(self.clock.now());
        let on_top = grid_fee.checked_add(tax).unwrap_or(Price(u32::MAX));
        let advice = advise(&AdviceInput {
            forecast: &issued.forecast,
            prices: Prices { retail, buy_back, on_top },
            vault_wh: holding.vault_wh,
            shortfall_wh: holding.shortfall_wh,
            offered_wh,
            cheapest: cheapest.map(|offer| offer.price),
        });
        if let (Some(advice), Some(first)) = (&advice, issued.forecast.points.first()) {
            let deed = match advice.action {
                Action::Sell { energy_wh, price_cents_per_kwh } => {
                    Deed::Sell(Wh(energy_wh), Price(price_cents_per_kwh))
                }
                // The dearest of what is on sale: what keeping gives up at most.
                Action::Keep { energy_wh } => {
                    Deed::Keep(Wh(energy_wh), live().map(|offer| offer.price).max().unwrap_or(buy_back))
                }
                Action::Buy { energy_wh, price_cents_per_kwh } => {
                    Deed::Buy(Wh(energy_wh), Price(price_cents_per_kwh))
                }
            };
            let Holding { vault_wh, shortfall_wh } = holding;
            let given = Given { from: first.start, deed, vault_wh, shortfall_wh, retail, buy_back };
            if self.advised().keep(household, given) == Kept::New {
                tracing::debug!(%household, ?deed, "advice is kept to be scored");
            }
        }
        let is_silent = self.advice_record(household).is_some_and(|record| record.voice == Voice::Silent);
        Ok(advice.filter(|_| !is_silent))
    }

    /// What the household's last pieces of advice were worth; `None` before the first was scored.
    pub fn advice_record(&self, household: HouseholdId) -> Option<AdviceRecord> {
        self.advised().record(household)
    }

    /// Scores the advice whose day is over.
    pub(crate) async fn score_advice(&self, now: Timestamp) -> Result<(), StoreError> {
        let slot_length_s = self.config.slot_length_s;
        self.advised().drop_future(now);
        let due = self.advised().due(now);
        for (household, from, to) in due {
            let came = past::once(&*self.store, household, (from, to), slot_length_s).await?;
            self.advised().score(household, from, slot_length_s, &came);
        }
        Ok(())
    }

    pub(crate) fn advised(&self) -> MutexGuard<'_, Advised> {
        self.advised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
