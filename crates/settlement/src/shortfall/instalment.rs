//! Buys the energy of an instalment that is due: an order from balance like any other, of
//! whoever sells cheapest, the operator at retail at the latest. What arrives is burned
//! against the shortfall, so the debt on chain falls by it.
//!
//! The order's key (`@instalment/<household>/<due>/<moment>`) names the instalment: after a
//! crash the order that was settled for it is found again, and no second is made.

use crate::service::Settlement;
use crate::step::Trouble;
use jirani_market::Want;
use jirani_market::limits::HELD_MAX;
use jirani_market::shortfall::InstalmentDue;
use jirani_store::{OrderState, PayWith};
use jirani_units::{Cents, Clock as _, HouseholdId};

/// How many of a household's last orders are looked at.
const HISTORY_MAX: u32 = 50;

impl Settlement {
    /// Buys what is due of a household's agreement; what it cost. `None` when nothing is due,
    /// the balance is too small, or nobody sells now: it stays due, and is not missed.
    pub(super) async fn buy_instalment(&self, household: HouseholdId) -> Result<Option<Cents>, Trouble> {
        let Some(record) = self.store.shortfall(household).await? else { return Ok(None) };
        let Some(agreed) = record.account.old_debt else { return Ok(None) };
        let now = self.clock.now();
        if agreed.next_due > now {
            return Ok(None);
        }
        let prefix = format!("@instalment/{household}/{}/", agreed.next_due.0);
        for order in self.store.orders_of(household, HISTORY_MAX).await? {
            match order.state {
                _ if !order.key.starts_with(&prefix) => {}
                OrderState::Settled => return Ok(Some(order.due)),
                OrderState::Released | OrderState::Refused => {}
                // Under way.
                _ => return Ok(None),
            }
        }
        let Some(facts) = self.facts(&record).await? else { return Ok(None) };
        let mut account = record.account;
        account.shortfall = facts.shortfall;
        account.available = Cents(facts.available.0.saturating_add(account.emergency_owed.0));
        let Some(due) = account.instalment_due(now) else { return Ok(None) };
        self.buy(household, due, &format!("{prefix}{}", now.0)).await
    }

    async fn buy(
        &self,
        household: HouseholdId,
        due: InstalmentDue,
        key: &str,
    ) -> Result<Option<Cents>, Trouble> {
        let want = Want::Energy(due.energy.min(HELD_MAX));
        let order = self.place_order(household, want, PayWith::Balance, Some(due.at_most), key).await;
        match order {
            Ok(order) if order.state == OrderState::Settled => Ok(Some(order.due)),
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::info!(household = household.0, %error, "an instalment could not be bought now");
                Ok(None)
            }
        }
    }
}
