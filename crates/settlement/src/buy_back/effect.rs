//! Stores what is bought back, and looks every day for what is due.

use super::decide::{self, Holding};
use crate::engine::Key;
use crate::error::SettlementError;
use crate::interruption::Moment;
use crate::market;
use crate::offer::posting;
use crate::order::{party, planned};
use crate::service::{Settlement, check_key};
use crate::step::{Step, Trouble};
use jirani_ledger::templates::orders::{self, Party};
use jirani_market::report::awaited_after;
use jirani_market::rule::LOT_MIN;
use jirani_market::{Fill, MarketError, limits, nairobi, shares};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{Change, Event, HouseholdRecord, OfferRecord, OrderRecord, PayWith, StoreError};
use jirani_units::{Clock as _, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use std::collections::{BTreeSet, HashMap};

/// How long the chain may take to hear of it, in seconds; then it is refused.
const LIFE_S: i64 = 3_600;
/// How far back bills are read, in days: who held tokens longer has sold or used them since.
const REACH_DAYS: i64 = 730;
/// Seconds of the day in Nairobi after which the last slot of the day before is billed.
const LOOK_AFTER_S: i64 = 3_600;
/// When to look again while bills of a feeder wait, in seconds.
const UNBILLED_S: i64 = 900;
/// When to look again while new prices are on their way to the chain, in seconds.
const PENDING_S: i64 = 300;

impl Settlement {
    /// Sells `energy` of a household's vault to the operator, at buy-back. Returns once the
    /// chain has settled it or refused it. The same `key` again gives the same order.
    ///
    /// # Errors
    /// Nothing is bought of who owes energy, of more than the vault holds, or when the
    /// operator has not the money.
    pub async fn buy_back(
        &self,
        seller: HouseholdId,
        energy: Wh,
        key: &str,
    ) -> Result<OrderRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_key(key)?;
        self.buy_of(seller, energy, &market::back(seller, key)).await
    }

    /// The same under a whole key.
    async fn buy_of(
        &self,
        seller: HouseholdId,
        energy: Wh,
        key: &str,
    ) -> Result<OrderRecord, SettlementError> {
        let records = self.store.households().await?;
        let home = records.iter().find(|record| record.id == seller);
        let home = home.ok_or(SettlementError::UnknownHousehold)?;
        let buyer = market::buyer(&records, home.feeder).ok_or(SettlementError::NoOperator)?;
        let (order, offer) = match self.store.order_by_key(buyer, key).await? {
            Some(order) if order.energy_wh() != energy => return Err(SettlementError::KeyReused),
            Some(order) => (order.id, order.fills.first().map(|fill| fill.offer)),
            None => {
                self.check_purchase(home, buyer, energy).await?;
                let _spending = self.spending_own.lock().await;
                let (order, offer) = self.store_purchase(home, buyer, energy, key).await?;
                (order, Some(offer))
            }
        };
        if let Some(offer) = offer {
            self.look(Key::Offer(offer)).await?;
        }
        self.look(Key::Order(order)).await?;
        self.store
            .order(order)
            .await?
            .ok_or_else(|| SettlementError::Stuck(format!("order {order} is not in the store")))
    }

    /// What the chain would refuse is refused here, in words; asked before the operator's
    /// money is held.
    async fn check_purchase(
        &self,
        home: &HouseholdRecord,
        buyer: HouseholdId,
        energy: Wh,
    ) -> Result<(), SettlementError> {
        self.check_room()?;
        if energy < LOT_MIN || energy > limits::HELD_MAX {
            return Err(MarketError::EnergyOutOfBounds { min: LOT_MIN, max: limits::HELD_MAX }.into());
        }
        if party(home) == Party::Operator {
            return Err(SettlementError::UnknownHousehold);
        }
        self.chain.household(buyer).await?.ok_or(SettlementError::NoOperator)?;
        let on_chain = self.chain.household(home.id).await?.ok_or(SettlementError::NotEnrolled)?;
        if on_chain.shortfall_wh > Wh::ZERO {
            return Err(SettlementError::Shortfall { shortfall: on_chain.shortfall_wh });
        }
        if on_chain.vault_wh < energy {
            return Err(SettlementError::VaultTooSmall { vault: on_chain.vault_wh });
        }
        self.bounds_hold().await
    }

    /// Stores offer and order in one commit.
    async fn store_purchase(
        &self,
        home: &HouseholdRecord,
        buyer: HouseholdId,
        energy: Wh,
        key: &str,
    ) -> Result<(OrderId, OfferId), SettlementError> {
        // Checked: at most what one order holds.
        let energy_wh = u32::try_from(energy.0).unwrap_or(u32::MAX);
        let now = self.clock.now();
        let price = self.config.tariffs.at(now).buy_back;
        let offer = OfferId(self.store.next_number("offer").await?);
        let fills = vec![Fill { offer, seller: home.id, energy_wh, price }];
        let due = shares(&fills, Price(0), Price(0))?.due;
        if due > self.operators_own().await? {
            return Err(SettlementError::OperatorFunds);
        }
        let order = OrderId(self.store.next_number("order").await?);
        let mut step = Step::default();
        step.change(Change::Offer(OfferRecord {
            energy_wh: energy,
            reserved_wh: energy,
            price,
            expires_at: now.plus_seconds(LIFE_S),
            key: key.to_owned(),
            ..posting(offer, home.id, now)
        }));
        step.change(Change::Post(orders::from_balance(order, Party::Operator, due, now)));
        // The operator buys without fee and tax.
        step.change(Change::Order(OrderRecord {
            fills,
            due,
            key: key.to_owned(),
            ..planned(order, buyer, PayWith::Balance, now)
        }));
        step.announce(Event::Offer(offer, home.id)).announce(Event::Order(order, buyer));
        match self.commit(step).await {
            Ok(_) => self.interruption.reached(Moment::BoughtBack),
            // The same key a moment ago.
            Err(StoreError::Conflict { .. }) => return Err(SettlementError::Contended),
            Err(error) => return Err(error.into()),
        }
        Ok((order, offer))
    }

    /// The chain has answered for an offer that the operator buys: its order goes on.
    pub(crate) async fn look_at_purchase(&self, offer: &OfferRecord) -> Result<(), StoreError> {
        for order in self.store.live_orders().await? {
            if order.key == offer.key && order.fills.iter().any(|fill| fill.offer == offer.id) {
                self.lanes.poke(Key::Order(order.id), self.clock.busy());
            }
        }
        Ok(())
    }

    /// What was posted for an order that was refused is not left on the market: the offer's
    /// lane takes it back.
    pub(crate) fn withdraw_unbought(&self, order: &OrderRecord) {
        for fill in &order.fills {
            self.lanes.poke(Key::Offer(fill.offer), self.clock.busy());
        }
    }

    /// What of households' tokens is on offer, was bought, or was used and sold today.
    async fn holdings(
        &self,
        records: &[HouseholdRecord],
        day: i64,
        now: Timestamp,
    ) -> Result<HashMap<HouseholdId, Holding>, Trouble> {
        let mut holdings: HashMap<HouseholdId, Holding> = HashMap::new();
        for offer in self.store.live_offers().await? {
            let left = offer.energy_wh.saturating_sub(offer.sold_wh);
            holdings.entry(offer.seller).or_default().on_offer.0 += left.0;
        }
        let feeders: BTreeSet<u16> = records.iter().map(|record| record.feeder).collect();
        for feeder in feeders {
            let today = self.store.slot_bills(feeder, nairobi::day_start(day), now, PAGE_MAX).await?;
            for home in today.iter().flat_map(|slot| &slot.homes) {
                holdings.entry(home.bill.household).or_default().today.add(&home.bill);
            }
            let last = self.store.last_slot_bills(feeder, false).await?;
            for home in last.iter().flat_map(|slot| &slot.homes) {
                holdings.entry(home.bill.household).or_default().bought = home.bill.bought_left;
            }
        }
        Ok(holdings)
    }

    /// Buys back what every household has held too long; says when to look again.
    pub(crate) async fn advance_buy_back(&self) -> Result<Option<Timestamp>, Trouble> {
        let now = self.clock.now();
        let day = nairobi::day(now);
        let days = self.calling.policy().operator.buys_back_after_days;
        let of_day = |day| nairobi::day_start(day).plus_seconds(LOOK_AFTER_S);
        if days == 0 {
            return Ok(None);
        }
        if now < of_day(day) {
            return Ok(Some(of_day(day)));
        }
        let records = self.store.households().await?;
        let unbilled = self.unbilled_feeders(&records, now).await?;
        let is_due =
            |home: &&HouseholdRecord| party(home) != Party::Operator && !unbilled.contains(&home.feeder);
        let homes: Vec<HouseholdId> = records.iter().filter(is_due).map(|home| home.id).collect();
        let mut holdings = self.holdings(&records, day, now).await?;
        for (household, on_chain) in homes.iter().zip(self.chain.households(&homes).await?) {
            let Some(on_chain) = on_chain.filter(|home| home.vault_wh >= LOT_MIN) else { continue };
            let bills = self.store.day_bills(*household, day - REACH_DAYS, day - 1).await?;
            let holding = holdings.entry(*household).or_default();
            holding.vault = on_chain.vault_wh;
            let Some(mut due) = decide::due(*household, &bills, holding, days, now) else { continue };
            due.energy = due.energy.min(limits::HELD_MAX);
            if due.energy < LOT_MIN || on_chain.shortfall_wh > Wh::ZERO {
                continue;
            }
            // `@` is not in the alphabet of keys from outside.
            let key = market::back(*household, &format!("@{}", nairobi::date(now)));
            match self.buy_of(*household, due.energy, &key).await {
                // It was bought today already.
                Ok(_) | Err(SettlementError::KeyReused) => {}
                Err(error @ (SettlementError::OperatorFunds | SettlementError::NoOperator)) => {
                    tracing::error!(household = household.0, %error, "old exports are not bought back today");
                }
                // New prices are on their way to the chain.
                Err(SettlementError::TariffPending) => return Ok(Some(now.plus_seconds(PENDING_S))),
                Err(SettlementError::Contended | SettlementError::Stopping) => {
                    return Err(Trouble::NoAnswer("buying back is interrupted".to_owned()));
                }
                Err(error) => tracing::warn!(household = household.0, %error, "not bought back today"),
            }
        }
        Ok(Some(if unbilled.is_empty() { of_day(day + 1) } else { now.plus_seconds(UNBILLED_S) }))
    }

    /// Feeders whose bills wait for a slot that has not landed: what was used and sold since is
    /// not known, and what looks old may be young.
    async fn unbilled_feeders(
        &self,
        records: &[HouseholdRecord],
        now: Timestamp,
    ) -> Result<BTreeSet<u16>, Trouble> {
        let mut unbilled = BTreeSet::new();
        let feeders: BTreeSet<u16> = records.iter().map(|record| record.feeder).collect();
        for feeder in feeders {
            if !self.store.unattested_slots(feeder, awaited_after(now), 1).await?.is_empty() {
                unbilled.insert(feeder);
            }
        }
        Ok(unbilled)
    }
}
