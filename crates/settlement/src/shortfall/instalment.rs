//! Buys the energy of an instalment that is due: an order from balance like any other, of
//! whoever sells cheapest, the operator at retail at the latest. What arrives is burned
//! against the shortfall, so the debt on chain falls by it.
//!
//! The order's key (`@instalment/<household>/<due>/<attempt>`) names the instalment: after a
//! crash, or when two look at once, the order that was made for it is found again, and no
//! second is made. Its end has the household looked at, which records what was bought.

use crate::engine::Key;
use crate::service::Settlement;
use crate::step::{Broken, Trouble};
use jirani_market::Want;
use jirani_store::{OrderState, PayWith};
use jirani_units::{Cents, Clock as _, HouseholdId, Wh};

/// How often the chain may refuse one instalment's order before a person must look.
const ATTEMPTS_MAX: u32 = 1_000;

/// Where the purchase of an instalment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purchase {
    /// Nothing is due, the balance is too small, or nobody sells now: it stays due.
    None,
    /// Its order is not final yet: until it is, nobody can say that it was missed.
    UnderWay,
    /// Its energy was bought.
    Bought {
        /// What it cost.
        paid: Cents,
        /// How much.
        energy: Wh,
    },
}

impl Settlement {
    /// Begins to buy what is due of a household's agreement, or says what was bought.
    pub(super) async fn buy_instalment(&self, household: HouseholdId) -> Result<Purchase, Trouble> {
        let Some(record) = self.store.shortfall(household).await? else { return Ok(Purchase::None) };
        let now = self.clock.now();
        let Some(agreed) = record.account.old_debt.filter(|agreed| agreed.next_due <= now) else {
            return Ok(Purchase::None);
        };
        let mut attempt = 0;
        let key = loop {
            let key = format!("@instalment/{household}/{}/{attempt}", agreed.next_due.0);
            let Some(order) = self.store.order_by_key(household, &key).await? else { break key };
            match order.state {
                OrderState::Settled => {
                    return Ok(Purchase::Bought { paid: order.due, energy: order.energy_wh() });
                }
                OrderState::Released | OrderState::Refused => attempt += 1,
                _ => return Ok(Purchase::UnderWay),
            }
            if attempt >= ATTEMPTS_MAX {
                return Err(Broken(format!("the instalment {key} was refused too often")).into());
            }
        };
        let Some(facts) = self.facts(&record).await? else { return Ok(Purchase::None) };
        let mut account = record.account;
        (account.shortfall, account.retail) = (facts.shortfall, facts.retail);
        account.available = Cents(facts.available.0.saturating_add(account.emergency_owed.0));
        let Some(due) = account.instalment_due(now) else { return Ok(Purchase::None) };
        if !self.bounds_are_known() {
            self.lanes.poke(Key::Tariff, self.clock.busy());
            return Ok(Purchase::UnderWay);
        }
        let want = Want::Energy(due.energy);
        match self.begin_order(household, want, PayWith::Balance, Some(due.at_most), &key).await {
            Ok(_) => Ok(Purchase::UnderWay),
            Err(error) => {
                tracing::info!(household = household.0, %error, "an instalment cannot be bought now");
                Ok(Purchase::None)
            }
        }
    }
}
