//! Asking for a price, and making an order.

use super::view::party;
use crate::engine::Key;
use crate::error::SettlementError;
use crate::interruption::Moment;
use crate::payout::MOST_SHILLINGS;
use crate::service::{Settlement, check_key};
use jirani_ledger::templates::orders::{self, Party};
use jirani_market::{Candidate, Fill, Selection, Shares, Tariff, Want, collect, limits};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{
    Change, CollectionState, Event, HouseholdRecord, OfferRecord, OrderRecord, OrderState, PayWith,
    ReleaseReason, StoreError,
};
use jirani_units::{Cents, Clock as _, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use std::collections::HashMap;

/// How often a plan is made anew when others took the same offers.
const PLAN_ATTEMPTS: usize = 16;
/// How many of the cheapest offers of the buyer's feeder are looked at.
const OFFERS_MAX: u32 = PAGE_MAX;
/// How many of a buyer's last orders are looked at for unpaid ones.
const HISTORY_MAX: u32 = 50;
/// Seconds of life an offer must have left: it must still stand on chain when the
/// order gets there.
const OFFER_LIFE_MIN_S: i64 = 10;

/// What an order would cost now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What from whom, cheapest first.
    pub fills: Vec<Fill>,
    /// Energy of all fills.
    pub energy: Wh,
    /// What the buyer would owe.
    pub due: Cents,
    /// What M-Pesa would ask for: whole shillings.
    pub collect: Cents,
    /// Grid fee in the due.
    pub fee: Cents,
    /// Tax in the due.
    pub tax: Cents,
    /// What the operator would take for the same energy.
    pub retail: Cents,
    /// How much less the due is.
    pub saved: Cents,
}

/// Fills and their cost.
struct Plan {
    fills: Vec<Fill>,
    shares: Shares,
    /// The fills' offers, in their order, as read.
    offers: Vec<OfferRecord>,
    /// The moment, and the prices of it.
    at: Timestamp,
    tariff: Tariff,
}

impl Settlement {
    /// What an order would cost, paid in this way: only from balance may it take more of an
    /// offer than an unpaid order may hold. Nothing is held.
    pub async fn quote(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
    ) -> Result<Quote, SettlementError> {
        let buyer = self.store.household(buyer).await?.ok_or(SettlementError::UnknownHousehold)?;
        let plan = self.plan(&buyer, want, pay_with).await?;
        let energy = Wh(plan.fills.iter().map(|fill| u64::from(fill.energy_wh)).sum());
        let retail = jirani_market::retail_cost(&plan.tariff, &plan.fills)?;
        let Shares { due, fee, tax, .. } = plan.shares;
        Ok(Quote {
            fills: plan.fills,
            energy,
            due,
            collect: collect(due)?,
            fee,
            tax,
            retail,
            saved: Cents(retail.0 - due.0),
        })
    }

    /// Makes an order from the cheapest offers and holds them. Returns once the
    /// chain has placed it (from balance: settled it) or refused it; paid by
    /// M-Pesa, once the prompt was accepted, refused, or its answer is lost. The
    /// same `key` again gives the same order. `max_due`: the most the buyer agreed
    /// to.
    pub async fn place_order(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
        max_due: Option<Cents>,
        key: &str,
    ) -> Result<OrderRecord, SettlementError> {
        let id = self.begin_order(buyer, want, pay_with, max_due, key).await?;
        self.look(Key::Order(id)).await?;
        self.store
            .order(id)
            .await?
            .ok_or_else(|| SettlementError::Stuck(format!("order {id} is not in the store")))
    }

    /// The same without waiting for the chain: the order's lane goes on with it. A lane of
    /// something else begins orders so, since one that waits for another keeps a worker.
    pub(crate) async fn begin_order(
        &self,
        buyer: HouseholdId,
        want: Want,
        pay_with: PayWith,
        max_due: Option<Cents>,
        key: &str,
    ) -> Result<OrderId, SettlementError> {
        let busy = self.clock.busy();
        check_key(key)?;
        let household = self.store.household(buyer).await?.ok_or(SettlementError::UnknownHousehold)?;
        let id = {
            let _planning = self.planning.lock(&household).await;
            self.store_order(&household, want, pay_with, max_due, key).await?
        };
        self.lanes.poke(Key::Order(id), busy);
        Ok(id)
    }

    /// Stores the order with everything it holds, in one commit.
    async fn store_order(
        &self,
        buyer: &HouseholdRecord,
        want: Want,
        pay_with: PayWith,
        max_due: Option<Cents>,
        key: &str,
    ) -> Result<OrderId, SettlementError> {
        let (mut number, mut turn) = (None, None);
        let _spending = match party(buyer) {
            Party::Operator => Some(self.spending_own.lock().await),
            Party::Household(_) => None,
        };
        for attempt in 0..PLAN_ATTEMPTS {
            // Whoever lost the cheapest offer to others takes turns with them.
            if attempt > 0 && turn.is_none() {
                turn = Some(self.planning_anew.lock().await);
            }
            if let Some(order) = self.store.order_by_key(buyer.id, key).await? {
                return if is_same_request(&order, want, pay_with) {
                    Ok(order.id)
                } else {
                    Err(SettlementError::KeyReused)
                };
            }
            self.check_room()?;
            self.bounds_hold().await?;
            if pay_with == PayWith::Mpesa {
                self.check_payer(buyer).await?;
            }
            let plan = self.plan(buyer, want, pay_with).await?;
            let due = plan.shares.due;
            if party(buyer) == Party::Operator && due > self.operators_own().await? {
                return Err(SettlementError::OperatorFunds);
            }
            if max_due.is_some_and(|most| due > most) {
                return Err(SettlementError::PriceMoved { due });
            }
            if pay_with == PayWith::Mpesa && due.shillings_up() > MOST_SHILLINGS {
                return Err(SettlementError::AmountTooLarge { most: Cents(MOST_SHILLINGS * 100) });
            }
            let id = match number {
                Some(id) => id,
                None => *number.insert(OrderId(self.store.next_number("order").await?)),
            };
            match self.store.commit(intent(buyer, id, plan, pay_with, key)).await {
                Ok(_) => {
                    self.interruption.reached(Moment::OrderPlanned);
                    self.events.publish(Event::Order(id, buyer.id));
                    if pay_with == PayWith::Balance {
                        self.events.publish(Event::Balance(buyer.id));
                    }
                    return Ok(id);
                }
                // Somebody took one of the offers, or this key: look again.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettlementError::Contended)
    }

    async fn plan(
        &self,
        buyer: &HouseholdRecord,
        want: Want,
        pay_with: PayWith,
    ) -> Result<Plan, SettlementError> {
        let HouseholdRecord { id: buyer, feeder, .. } = *buyer;
        let mut held: HashMap<OfferId, u64> = HashMap::new();
        if pay_with == PayWith::Mpesa {
            let live = self.store.live_orders().await?;
            for fill in
                live.iter().filter(|order| awaits_receipt(order, buyer)).flat_map(|order| &order.fills)
            {
                *held.entry(fill.offer).or_default() += u64::from(fill.energy_wh);
            }
        }
        let at = self.clock.now();
        let soon = at.plus_seconds(OFFER_LIFE_MIN_S);
        let offers = self.store.open_offers(Some(feeder), OFFERS_MAX).await?;
        let candidates: Vec<Candidate> = offers
            .iter()
            .filter(|offer| offer.expires_at > soon)
            .map(|offer| Candidate {
                offer: offer.id,
                seller: offer.seller,
                energy: offer.energy_wh,
                open: offer.open_wh(),
                held_by_buyer: Wh(held.get(&offer.id).copied().unwrap_or(0)),
                price: offer.price,
                created_at: offer.created_at,
            })
            .collect();
        let until_receipt = pay_with == PayWith::Mpesa;
        let tariff = self.config.tariffs.at(at);
        let Selection { fills, shares } =
            jirani_market::select(&candidates, buyer, want, &tariff, until_receipt)?;
        let by_id: HashMap<OfferId, OfferRecord> =
            offers.into_iter().map(|offer| (offer.id, offer)).collect();
        let offers = fills.iter().filter_map(|fill| by_id.get(&fill.offer).cloned()).collect();
        Ok(Plan { fills, shares, offers, at, tariff })
    }

    /// One open prompt per phone, and no more prompts for who leaves them unpaid.
    async fn check_payer(&self, buyer: &HouseholdRecord) -> Result<(), SettlementError> {
        let msisdn = buyer.msisdn.ok_or(SettlementError::NoPhone)?;
        let is_open = |state: &CollectionState| {
            matches!(
                state,
                CollectionState::Planned | CollectionState::SendUnknown | CollectionState::Pending
            )
        };
        let collections = self.store.live_collections().await?;
        if collections.iter().any(|collection| collection.msisdn == msisdn && is_open(&collection.state)) {
            return Err(SettlementError::PromptOpen);
        }
        // An order that is not on chain yet has no collection, but will have one.
        for order in self.store.live_orders().await? {
            if order.state != OrderState::Planned || order.pay_with != PayWith::Mpesa {
                continue;
            }
            let same_phone = order.buyer == buyer.id
                || self.store.household(order.buyer).await?.is_some_and(|other| other.msisdn == Some(msisdn));
            if same_phone {
                return Err(SettlementError::PromptOpen);
            }
        }
        let mut unpaid = Vec::new();
        let recent = self.clock.now().plus_seconds(-2 * limits::UNPAID_WINDOW_S);
        for order in self.store.orders_of(buyer.id, HISTORY_MAX).await? {
            if order.created_at >= recent && is_unpaid(&order) && self.was_prompted(order.id).await? {
                unpaid.push(ended_at(&order));
            }
        }
        limits::check_unpaid(&unpaid, self.clock.now())?;
        Ok(())
    }

    /// Whether the buyer was asked at all: a prompt that M-Pesa did not take on is
    /// not the buyer's fault.
    async fn was_prompted(&self, order: OrderId) -> Result<bool, StoreError> {
        let collection = self.store.collection(order).await?;
        Ok(collection.is_some_and(|collection| {
            let refused = matches!(collection.state, CollectionState::Refused { .. });
            !refused || collection.checkout_request_id.is_some()
        }))
    }
}

/// The order, its offers with what it reserves and, from balance, the due's way
/// into clearing.
fn intent(buyer: &HouseholdRecord, id: OrderId, plan: Plan, pay_with: PayWith, key: &str) -> Vec<Change> {
    let Plan { fills, shares, offers, at: now, tariff } = plan;
    let from_balance = pay_with == PayWith::Balance;
    let mut changes = Vec::with_capacity(fills.len() + 2);
    for (fill, mut offer) in fills.iter().zip(offers) {
        offer.reserved_wh = Wh(offer.reserved_wh.0 + u64::from(fill.energy_wh));
        changes.push(Change::Offer(offer));
    }
    if from_balance {
        changes.push(Change::Post(orders::from_balance(id, party(buyer), shares.due, now)));
    }
    changes.push(Change::Order(OrderRecord {
        fills,
        fee: tariff.grid_fee,
        tax: tariff.tax,
        due: shares.due,
        key: key.to_owned(),
        ..planned(id, buyer.id, pay_with, now)
    }));
    changes
}

/// A new order, as it is stored before the chain hears of it; without fills, terms and key.
/// From balance it has its proof: the transfer that is stored with it.
pub(crate) fn planned(id: OrderId, buyer: HouseholdId, pay_with: PayWith, now: Timestamp) -> OrderRecord {
    let from_balance = pay_with == PayWith::Balance;
    OrderRecord {
        id,
        buyer,
        fills: Vec::new(),
        fee: Price(0),
        tax: Price(0),
        due: Cents::ZERO,
        pay_with,
        state: OrderState::Planned,
        release_reason: None,
        refusal: None,
        deadline: None,
        proof: from_balance.then(|| crate::proof::transfer_proof(orders::from_balance_id(id))),
        paid_at: from_balance.then_some(now),
        placed_signature: None,
        final_signature: None,
        key: String::new(),
        created_at: now,
        final_at: None,
        version: 0,
    }
}

fn awaits_receipt(order: &OrderRecord, buyer: HouseholdId) -> bool {
    order.buyer == buyer
        && order.pay_with == PayWith::Mpesa
        && matches!(
            order.state,
            OrderState::Planned | OrderState::AwaitingPayment | OrderState::ReceiptAwaited
        )
}

/// Given up because no money came.
fn is_unpaid(order: &OrderRecord) -> bool {
    matches!(order.state, OrderState::Releasing | OrderState::Released)
        && matches!(order.release_reason, Some(ReleaseReason::PaymentRefused | ReleaseReason::PaymentTimeout))
        && order.proof.is_none()
}

fn ended_at(order: &OrderRecord) -> Timestamp {
    order.final_at.unwrap_or(order.created_at)
}

/// Whether `order` can be what an earlier request for `want` made.
fn is_same_request(order: &OrderRecord, want: Want, pay_with: PayWith) -> bool {
    order.pay_with == pay_with
        && match want {
            Want::Energy(energy) => order.energy_wh() == energy,
            Want::Budget(budget) => order.due <= budget,
        }
}
