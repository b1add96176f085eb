//! Carries a call out: what it becomes in offers and orders, and whether all have ended.

use super::document::{CallBook, Carried};
use super::{decide, keys};
use crate::engine::Key;
use crate::interruption::Moment;
use crate::offer::posting;
use crate::order::planned;
use crate::service::Settlement;
use crate::step::{Broken, Step, Trouble};
use jirani_ledger::Account;
use jirani_ledger::templates::orders::{self, Party};
use jirani_market::Fill;
use jirani_market::call::{Plan, Purchase};
use jirani_market::limits::OFFER_ENERGY_MIN;
use jirani_store::{
    CallRecord, CallState, Change, Event, OfferRecord, OfferState, OrderRecord, OrderState, OutboxState,
    PayWith, StoreError,
};
use jirani_units::{Clock as _, HouseholdId, OfferId, OrderId, Price, Slot, Timestamp, Wh};
use std::collections::{HashMap, HashSet};

/// Seconds that what is left of an open offer must have to live to be posted again.
const REST_LIFE_MIN_S: i64 = 60;
/// The least that is posted again, as of an offer made by hand; less stays in the vault.
const REST_MIN: Wh = OFFER_ENERGY_MIN;

/// Open offers that sold in a call, as they are after they were closed: only those whose
/// tokens are back.
pub(super) type Posted = HashMap<OfferId, OfferRecord>;

/// Who pays by a change, if it takes money out of a balance.
pub(super) fn payer(change: &Change) -> Option<HouseholdId> {
    match change {
        Change::Post(transfer) => match transfer.debit {
            Account::Household(household) => Some(household),
            _ => None,
        },
        _ => None,
    }
}

impl Settlement {
    /// Carries a call out as far as it goes; `true` when it is done.
    pub(super) async fn carry_out(&self, mut call: CallRecord) -> Result<bool, Trouble> {
        if call.state == CallState::Cleared {
            call = self.settle_cleared(call).await?;
        }
        let carried = Carried::read(&call.carried_out)?;
        self.look_at_all(carried.offers.iter().map(|id| Key::Offer(*id))).await?;
        self.interruption.reached(Moment::CallPosted);
        self.look_at_all(carried.orders.iter().map(|id| Key::Order(*id))).await?;
        let again = self.orders_again(&carried.orders).await?;
        self.look_at_all(again.iter().map(|id| Key::Order(*id))).await?;
        for id in carried.orders.iter().chain(&again) {
            if !self.load_order(*id).await?.is_final() {
                return Ok(false);
            }
        }
        self.interruption.reached(Moment::CallSettled);
        let mut step = Step::default();
        let mut closing = Vec::new();
        for id in &carried.offers {
            let mut offer = self.stored(*id).await?;
            // What was made for orders that were refused is not left on the market.
            if keys::is_sold(&offer.key) && offer.open_wh() > Wh::ZERO {
                offer.state = OfferState::Closing;
                closing.push(*id);
                step.announce(Event::Offer(*id, offer.seller));
                step.change(Change::Offer(offer));
            }
        }
        let done_at = Some(self.clock.now());
        step.change(Change::Call(CallRecord { state: CallState::Done, done_at, ..call }));
        match self.commit(step).await {
            Ok(_) => {
                for id in closing {
                    self.lanes.poke(Key::Offer(id), self.clock.busy());
                }
                Ok(true)
            }
            // Somebody changed an offer in this moment: looked at again.
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What was made of those of the orders of which some offers were refused.
    async fn orders_again(&self, orders: &[OrderId]) -> Result<Vec<OrderId>, Trouble> {
        let mut again = Vec::new();
        for id in orders {
            let order = self.load_order(*id).await?;
            if order.state == OrderState::Refused {
                let key = keys::again(&order.key);
                again.extend(self.store.order_by_key(order.buyer, &key).await?.map(|order| order.id));
            }
        }
        Ok(again)
    }

    /// Has all of them looked at, and waits for the looks to end. How they ended is seen
    /// from what is stored.
    async fn look_at_all(&self, keys: impl Iterator<Item = Key>) -> Result<(), Trouble> {
        let looks: Vec<_> = keys.map(|key| self.lanes.wait(key, self.clock.busy())).collect();
        for look in looks {
            if look.await.is_err() {
                return Err(Trouble::NoAnswer(
                    "the service stops; the call goes on after the next start".into(),
                ));
            }
        }
        Ok(())
    }

    /// The open offers that sold are closed: stores what the call becomes.
    async fn settle_cleared(&self, call: CallRecord) -> Result<CallRecord, Trouble> {
        let unread = |error: &dyn std::fmt::Display| {
            Broken(format!("the call of {} cannot be read: {error}", call.slot.start))
        };
        let kept = CallBook::read(&call.book).map_err(|error| unread(&error))?;
        let book = kept.book().map_err(|error| unread(&error))?;
        let plan = Plan::new(&book, &kept.outcome()).map_err(|error| unread(&error))?;
        let mut sources = Vec::new();
        for id in plan.offers.iter().filter_map(|offer| decide::source(offer.source)) {
            if Some(self.stored(id).await?.price) != plan.price {
                sources.push(id);
            }
        }
        self.look_at_all(sources.iter().map(|id| Key::Offer(*id))).await?;
        let mut posted = Posted::new();
        for id in sources {
            if let Some(offer) = self.returned(id).await? {
                posted.insert(id, offer);
            }
        }
        let mut without = HashSet::new();
        let _spending = self.spending_own.lock().await;
        loop {
            let mut step = Step::default();
            let carried = self.settle_call(&mut step, call.slot, &kept, &plan, &posted, &without).await?;
            let carried_out = carried.text()?;
            let record = CallRecord { state: CallState::Settling, carried_out, ..call.clone() };
            step.change(Change::Call(record.clone()));
            let payers: Vec<_> = step.changes.iter().map(payer).collect();
            match self.commit(step).await {
                Ok(_) => return Ok(CallRecord { version: record.version + 1, ..record }),
                Err(StoreError::Refused { index, refusal }) => {
                    let payer = payers.get(index).copied().flatten();
                    without.insert(payer.ok_or_else(|| Trouble::Stuck(refusal.to_string()))?);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn stored(&self, id: OfferId) -> Result<OfferRecord, Trouble> {
        let offer = self.store.offer(id).await?;
        offer.ok_or_else(|| Broken(format!("there is no offer {id}")).into())
    }

    /// An offer that was closed, when what no order holds of it is back in the vault.
    async fn returned(&self, id: OfferId) -> Result<Option<OfferRecord>, Trouble> {
        let offer = self.stored(id).await?;
        let back = match offer.state {
            OfferState::Closed => true,
            OfferState::Closing => {
                let part = self.store.outbox(&format!("close/{id}/part")).await?;
                part.is_some_and(|part| matches!(part.state, OutboxState::Landed { .. }))
            }
            _ => false,
        };
        Ok(back.then_some(offer))
    }

    /// Adds what a call becomes: offers at its price, orders that hold them and are paid
    /// from balance, what is left of open offers, and what sell rules put up. Left out are
    /// purchases of whoever is in `without`, and of open offers that did not come back
    /// whole.
    pub(super) async fn settle_call(
        &self,
        step: &mut Step,
        slot: Slot,
        kept: &CallBook,
        plan: &Plan,
        posted: &Posted,
        without: &HashSet<HouseholdId>,
    ) -> Result<Carried, Trouble> {
        let now = self.clock.now();
        let mut carried = Carried::default();
        let (missing, mut direct) = self.open_sources(plan, posted).await?;
        // Other prices than the book's have begun since: its purchases would be worth something
        // else than they were bid for.
        let same_prices = self.config.tariffs.at(now) == kept.tariff;
        let stands = |purchase: &&Purchase| {
            same_prices
                && !without.contains(&purchase.buyer)
                && purchase.lots.iter().all(|(place, _)| !missing.contains(place))
        };
        // The operator's own may have been spent since its bid was made.
        let mut own = self.operators_own().await?;
        let is_paid = |purchase: &&Purchase| match kept.terms(purchase.bid).0 {
            Party::Household(_) => true,
            Party::Operator if purchase.shares.due > own => false,
            Party::Operator => {
                own.0 -= purchase.shares.due.0;
                true
            }
        };
        let purchases: Vec<&Purchase> = plan.purchases.iter().filter(stands).filter(is_paid).collect();
        let mut sold: Vec<u64> = vec![0; plan.offers.len()];
        for (place, energy_wh) in purchases.iter().flat_map(|purchase| &purchase.lots) {
            if let Some(sold) = sold.get_mut(*place) {
                *sold += u64::from(*energy_wh);
            }
        }
        let ends = now.plus_seconds(i64::from(self.calling.policy().offer_life_s));
        let mut numbers = vec![OfferId(0); plan.offers.len()];
        let mut lots = Vec::new();
        for (place, offer) in plan.offers.iter().enumerate() {
            let source = decide::source(offer.source);
            let reserved = Wh(sold[place]);
            if let Some(mut of) = direct.remove(&place) {
                numbers[place] = of.id;
                if reserved > Wh::ZERO {
                    of.reserved_wh = Wh(of.reserved_wh.0 + reserved.0);
                    step.announce(Event::Offer(of.id, of.seller));
                    step.change(Change::Offer(of));
                }
                continue;
            }
            if reserved > Wh::ZERO
                && let Some(price) = plan.price
            {
                let key = keys::sell(slot.start, offer.seller, source);
                let seller = offer.seller;
                let for_orders = Some(place);
                lots.push(Lot { seller, energy: reserved, price, ends, key, since: now, for_orders });
            }
            if let Some(of) = source.and_then(|of| posted.get(&of)) {
                let energy = unsold(of).saturating_sub(reserved);
                if energy >= REST_MIN && of.expires_at > now.plus_seconds(REST_LIFE_MIN_S) {
                    let key = keys::rest(slot.start, of.id, &of.key);
                    // It keeps its place among equals.
                    let (price, ends, since) = (of.price, of.expires_at, of.created_at);
                    lots.push(Lot { seller: of.seller, energy, price, ends, key, since, for_orders: None });
                }
            }
        }
        for (seller, energy, price) in &kept.put {
            let (seller, energy, price) = (*seller, *energy, *price);
            let key = keys::put(slot.start, seller);
            lots.push(Lot { seller, energy, price, ends, key, since: now, for_orders: None });
        }
        // The program takes a seller's numbers in any order within 64 of the newest: a large
        // call posts all at once, so one seller's stand together.
        lots.sort_by_key(|lot| lot.seller);
        for lot in lots {
            let for_orders = lot.for_orders;
            let id = self.post(step, &mut carried, lot).await?;
            if let Some(place) = for_orders {
                numbers[place] = id;
            }
        }
        let mut nth: HashMap<HouseholdId, usize> = HashMap::new();
        for purchase in purchases {
            let fills = plan
                .fills(purchase, &numbers)
                .ok_or_else(|| Broken(format!("the call of {} sells what it does not have", slot.start)))?;
            let id = OrderId(self.store.next_number("order").await?);
            let n = nth.entry(purchase.buyer).or_default();
            let key = keys::buy(slot.start, purchase.buyer, *n);
            add_order(step, id, (purchase, fills), kept, key, now);
            *n += 1;
            carried.orders.push(id);
        }
        Ok(carried)
    }

    /// Places in the plan of open offers that are not there for what they sold, and of those
    /// that sell as they stand.
    async fn open_sources(
        &self,
        plan: &Plan,
        posted: &Posted,
    ) -> Result<(HashSet<usize>, HashMap<usize, OfferRecord>), Trouble> {
        let (mut missing, mut direct) = (HashSet::new(), HashMap::new());
        for (place, offer) in plan.offers.iter().enumerate() {
            let Some(of) = decide::source(offer.source) else { continue };
            let of = match posted.get(&of) {
                Some(closed) => closed.clone(),
                None => self.stored(of).await?,
            };
            let stands = of.state == OfferState::Open && Some(of.price) == plan.price;
            if unsold(&of) < Wh(u64::from(offer.energy_wh)) || !(stands || posted.contains_key(&of.id)) {
                missing.insert(place);
            } else if stands {
                direct.insert(place, of);
            }
        }
        Ok((missing, direct))
    }

    /// Adds an offer of a call.
    async fn post(&self, step: &mut Step, carried: &mut Carried, lot: Lot) -> Result<OfferId, Trouble> {
        let id = OfferId(self.store.next_number("offer").await?);
        let Lot { seller, energy, price, ends, key, since, for_orders } = lot;
        step.change(Change::Offer(OfferRecord {
            energy_wh: energy,
            reserved_wh: if for_orders.is_some() { energy } else { Wh::ZERO },
            price,
            expires_at: ends,
            key,
            ..posting(id, seller, since)
        }));
        step.announce(Event::Offer(id, seller));
        carried.offers.push(id);
        Ok(id)
    }
}

/// Adds an order of a call with its due's way into clearing.
fn add_order(
    step: &mut Step,
    id: OrderId,
    (purchase, fills): (&Purchase, Vec<Fill>),
    kept: &CallBook,
    key: String,
    now: Timestamp,
) {
    let (buyer, due) = (purchase.buyer, purchase.shares.due);
    let (payer, fee, tax) = kept.terms(purchase.bid);
    step.change(Change::Post(orders::from_balance(id, payer, due, now)));
    let order = planned(id, buyer, PayWith::Balance, now);
    step.change(Change::Order(OrderRecord { fills, fee, tax, due, key, ..order }));
    step.announce(Event::Order(id, buyer)).announce(Event::Balance(buyer));
}

/// An offer to be posted.
struct Lot {
    seller: HouseholdId,
    energy: Wh,
    price: Price,
    ends: Timestamp,
    key: String,
    since: Timestamp,
    /// Its place in the plan, whose orders hold all of it.
    for_orders: Option<usize>,
}

/// What of a closed offer nobody bought and no order holds.
fn unsold(offer: &OfferRecord) -> Wh {
    offer.energy_wh.saturating_sub(offer.sold_wh).saturating_sub(offer.reserved_wh)
}
