//! The energy program's rules on trading, in memory, with faults to order: the
//! node falls silent before or after it acts, or refuses.

use async_trait::async_trait;
use jirani_chain::energy::{ChainSnapshot, OfferOnChain, OrderOnChain};
use jirani_chain::{ChainError, EnergyChain, HouseholdOnChain, Outcome, TariffOutcome, Work};
use jirani_clock::ServiceClock;
use jirani_market::{Fill, Tariff};
use jirani_store::{OutboxRecord, OutboxState, Proof, Store};
use jirani_units::{Clock as _, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub const WINDOW_S: i64 = 120;
pub const GRACE_S: i64 = 300;
/// Offers that one household may have open.
const OPEN_OFFERS_MAX: usize = 64;

/// What goes wrong with the next work whose key begins so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainFault {
    /// No answer, nothing done.
    SilentBefore,
    /// Done, but no answer.
    SilentAfter,
    /// Refused with this code.
    Refuse(&'static str),
}

struct Offer {
    seller: HouseholdId,
    left: u64,
    reserved: u64,
    is_closing: bool,
    expires_at: Timestamp,
}

struct Order {
    buyer: HouseholdId,
    fills: Vec<Fill>,
    created_s: i64,
}

#[derive(Default)]
struct State {
    households: BTreeMap<HouseholdId, HouseholdOnChain>,
    offers: BTreeMap<OfferId, Offer>,
    orders: BTreeMap<OrderId, Order>,
    markers: HashSet<Proof2>,
    outcomes: BTreeMap<String, Outcome>,
    faults: Vec<(String, ChainFault)>,
    is_down: bool,
    /// Work whose key begins so is sent, then nothing is heard of it.
    held: Option<String>,
    transactions: u64,
    minted: u64,
    burned: u64,
    silent: HashSet<HouseholdId>,
    /// Config's tariff, once it was set.
    bounds: Option<Tariff>,
    other_admin: bool,
    operators: HashSet<HouseholdId>,
}

type Proof2 = (u8, [u8; 32]);

/// Whether questions about households are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Answered,
    /// The next one is kept waiting.
    Held,
    /// One waits.
    Waits,
}

pub struct TestChain {
    state: Mutex<State>,
    asking: watch::Sender<Asking>,
    clock: ServiceClock,
    store: Mutex<Arc<dyn Store>>,
}

impl TestChain {
    pub fn new(clock: ServiceClock, store: Arc<dyn Store>) -> Self {
        Self {
            state: Mutex::default(),
            asking: watch::Sender::new(Asking::Answered),
            clock,
            store: Mutex::new(store),
        }
    }

    /// Our records move to a store that was opened anew.
    pub fn use_store(&self, store: Arc<dyn Store>) {
        *self.store.lock().unwrap() = store;
    }

    pub fn enrol(&self, id: HouseholdId, vault_wh: u64, shortfall_wh: u64) {
        let household = HouseholdOnChain {
            vault_wh: Wh(vault_wh),
            shortfall_wh: Wh(shortfall_wh),
            ..HouseholdOnChain::default()
        };
        self.state.lock().unwrap().households.insert(id, household);
    }

    /// The record is the operator's.
    pub fn is_operators(&self, id: HouseholdId) {
        self.state.lock().unwrap().operators.insert(id);
    }

    /// More tokens in a vault, as after an export.
    pub fn enrol_more(&self, id: HouseholdId, energy_wh: u64) {
        let mut state = self.state.lock().unwrap();
        state.minted += energy_wh;
        let household = state.households.get_mut(&id).unwrap();
        household.vault_wh.0 += energy_wh;
        household.minted_wh.0 += energy_wh;
    }

    /// Fewer tokens in a vault, as after an import.
    pub fn take(&self, id: HouseholdId, energy_wh: u64) {
        let mut state = self.state.lock().unwrap();
        state.burned += energy_wh;
        let household = state.households.get_mut(&id).unwrap();
        household.vault_wh.0 -= energy_wh;
        household.burned_wh.0 += energy_wh;
    }

    pub fn minted(&self) -> u64 {
        self.state.lock().unwrap().minted
    }

    pub fn burned(&self) -> u64 {
        self.state.lock().unwrap().burned
    }

    /// A slot is attested for every household whose meter speaks.
    pub fn attest(&self, through: Timestamp) {
        let mut state = self.state.lock().unwrap();
        let silent = state.silent.clone();
        for (id, household) in &mut state.households {
            if !silent.contains(id) {
                household.attested_through = through;
            }
        }
    }

    pub fn fall_silent(&self, id: HouseholdId) {
        let mut state = self.state.lock().unwrap();
        state.silent.insert(id);
        let now = self.clock.now();
        state.households.get_mut(&id).unwrap().attested_through = now;
    }

    pub fn speak_again(&self, id: HouseholdId) {
        self.state.lock().unwrap().silent.remove(&id);
    }

    pub fn order_fault(&self, key: &str, fault: ChainFault) {
        self.state.lock().unwrap().faults.push((key.to_owned(), fault));
    }

    /// Work whose key begins so is stored as sent, and nothing more is heard of it,
    /// until [`TestChain::let_go`].
    pub fn hold_after_sending(&self, key: &str) {
        self.state.lock().unwrap().held = Some(key.to_owned());
    }

    pub fn let_go(&self) {
        self.state.lock().unwrap().held = None;
    }

    /// Questions about households wait from now on; what is done meanwhile is not held up.
    pub fn hold_questions(&self) {
        self.asking.send_replace(Asking::Held);
    }

    /// Waits until one waits.
    pub async fn is_asked(&self) {
        self.asking.subscribe().wait_for(|asking| *asking == Asking::Waits).await.unwrap();
    }

    /// Answers them.
    pub fn answer_questions(&self) {
        self.asking.send_replace(Asking::Answered);
    }

    /// While down, the node answers nothing.
    pub fn set_down(&self, is_down: bool) {
        self.state.lock().unwrap().is_down = is_down;
    }

    /// Config's tariff, once it was set.
    pub fn bounds(&self) -> Option<Tariff> {
        self.state.lock().unwrap().bounds
    }

    /// Somebody else's key is Config's admin, or ours again.
    pub fn set_other_admin(&self, other_admin: bool) {
        self.state.lock().unwrap().other_admin = other_admin;
    }

    /// Whoever has the admin's key sets Config's tariff.
    pub fn set_bounds(&self, tariff: Tariff) {
        self.state.lock().unwrap().bounds = Some(tariff);
    }

    pub fn set_shortfall(&self, id: HouseholdId, shortfall_wh: u64) {
        self.state.lock().unwrap().households.get_mut(&id).unwrap().shortfall_wh = Wh(shortfall_wh);
    }

    pub fn set_attested(&self, id: HouseholdId, through: Timestamp) {
        self.state.lock().unwrap().households.get_mut(&id).unwrap().attested_through = through;
    }

    pub fn shortfall(&self, id: HouseholdId) -> u64 {
        self.state.lock().unwrap().households[&id].shortfall_wh.0
    }

    pub fn vault(&self, id: HouseholdId) -> u64 {
        self.state.lock().unwrap().households[&id].vault_wh.0
    }

    pub fn markers(&self) -> usize {
        self.state.lock().unwrap().markers.len()
    }

    pub fn orders(&self) -> usize {
        self.state.lock().unwrap().orders.len()
    }

    pub fn offers(&self) -> usize {
        self.state.lock().unwrap().offers.len()
    }

    /// Tokens in vaults and escrows.
    pub fn supply(&self) -> u64 {
        let state = self.state.lock().unwrap();
        state.households.values().map(|household| household.vault_wh.0).sum::<u64>()
            + state.offers.values().map(|offer| offer.left).sum::<u64>()
    }

    /// Gives an order back, as anyone may after its window.
    pub fn release_by_stranger(&self, id: OrderId) {
        let mut state = self.state.lock().unwrap();
        release(&mut state, id).unwrap();
    }
}

impl State {
    fn now_s(clock: &ServiceClock) -> i64 {
        clock.now().seconds()
    }

    fn apply(&mut self, work: &Work, now_s: i64) -> Result<(), &'static str> {
        match work {
            Work::PostOffer { seller, offer, energy_wh, expires_at, .. } => {
                if self.offers.values().filter(|offer| offer.seller == *seller).count() >= OPEN_OFFERS_MAX {
                    return Err("energy.too_many_open");
                }
                let household = self.households.get_mut(seller).ok_or("energy.wrong_owner")?;
                if household.shortfall_wh.0 > 0 {
                    return Err("energy.shortfall_open");
                }
                household.vault_wh =
                    household.vault_wh.checked_sub(*energy_wh).ok_or("energy.vault_too_small")?;
                let new = Offer {
                    seller: *seller,
                    left: energy_wh.0,
                    reserved: 0,
                    is_closing: false,
                    expires_at: *expires_at,
                };
                self.offers.insert(*offer, new);
                Ok(())
            }
            Work::CancelOffer { offer: id, .. } => {
                let offer = self.offers.get_mut(id).ok_or("energy.wrong_owner")?;
                offer.is_closing = true;
                let back = offer.left - offer.reserved;
                offer.left = offer.reserved;
                let seller = self.households.get_mut(&offer.seller).unwrap();
                let burned = back.min(seller.shortfall_wh.0);
                seller.shortfall_wh.0 -= burned;
                seller.burned_wh.0 += burned;
                seller.vault_wh.0 += back - burned;
                self.burned += burned;
                if offer.reserved == 0 {
                    self.offers.remove(id);
                }
                Ok(())
            }
            Work::PlaceOrder { buyer, order, fills, fee, tax, .. } => {
                self.check_fee(*buyer, *fee, *tax)?;
                self.place(*buyer, *order, fills, now_s)
            }
            Work::PlaceAndSettle { buyer, order, fills, proof, fee, tax, .. } => {
                self.check_fee(*buyer, *fee, *tax)?;
                self.place(*buyer, *order, fills, now_s)?;
                self.settle(*order, *proof, now_s, now_s)
            }
            Work::Settle { order, proof, paid_at, .. } => {
                self.settle(*order, *proof, paid_at.seconds(), now_s)
            }
            Work::Release { order, .. } => release(self, *order),
            Work::Enrol { .. } | Work::ReplaceMeter { .. } | Work::Attest { .. } => {
                unreachable!("not a matter of trading")
            }
        }
    }

    /// A home bears the fee and tax of Config's tariff, the operator's records at most those.
    fn check_fee(&self, buyer: HouseholdId, fee: Price, tax: Price) -> Result<(), &'static str> {
        let Some(tariff) = self.bounds else { return Ok(()) };
        let whole = (tariff.grid_fee, tariff.tax) == (fee, tax);
        let part = fee <= tariff.grid_fee && tax <= tariff.tax && self.operators.contains(&buyer);
        if whole || part { Ok(()) } else { Err("energy.fee_out_of_bounds") }
    }

    fn place(
        &mut self,
        buyer: HouseholdId,
        id: OrderId,
        fills: &[Fill],
        now_s: i64,
    ) -> Result<(), &'static str> {
        for fill in fills {
            let offer = self.offers.get(&fill.offer).ok_or("energy.wrong_owner")?;
            if offer.is_closing {
                return Err("energy.offer_closing");
            }
            if offer.expires_at.seconds() <= now_s {
                return Err("energy.offer_expired");
            }
            if offer.left - offer.reserved < u64::from(fill.energy_wh) {
                return Err("energy.offer_too_small");
            }
            if offer.seller == buyer {
                return Err("energy.own_offer");
            }
        }
        for fill in fills {
            self.offers.get_mut(&fill.offer).unwrap().reserved += u64::from(fill.energy_wh);
        }
        self.orders.insert(id, Order { buyer, fills: fills.to_vec(), created_s: now_s });
        Ok(())
    }

    fn settle(&mut self, id: OrderId, proof: Proof, paid_s: i64, now_s: i64) -> Result<(), &'static str> {
        let order = self.orders.get(&id).ok_or("energy.wrong_owner")?;
        let end_s = order.created_s + WINDOW_S + GRACE_S;
        if paid_s < order.created_s || paid_s > end_s {
            return Err("energy.paid_at_outside_window");
        }
        if now_s > end_s {
            return Err("energy.order_window_over");
        }
        let marker = match proof {
            Proof::Receipt(hash) => (1, hash),
            Proof::Transfer(hash) => (2, hash),
        };
        if !self.markers.insert(marker) {
            return Err("energy.proof_used");
        }
        let order = self.orders.remove(&id).unwrap();
        for fill in &order.fills {
            let offer = self.offers.get_mut(&fill.offer).unwrap();
            offer.reserved -= u64::from(fill.energy_wh);
            offer.left -= u64::from(fill.energy_wh);
            let buyer = self.households.get_mut(&order.buyer).unwrap();
            let burned = u64::from(fill.energy_wh).min(buyer.shortfall_wh.0);
            buyer.shortfall_wh.0 -= burned;
            buyer.burned_wh.0 += burned;
            buyer.vault_wh.0 += u64::from(fill.energy_wh) - burned;
            self.burned += burned;
        }
        Ok(())
    }
}

fn record(key: &str, now: Timestamp) -> OutboxRecord {
    OutboxRecord {
        key: key.to_owned(),
        signature: format!("signature-of-{key}"),
        bytes: vec![1],
        work: Vec::new(),
        signed: 1,
        report: Vec::new(),
        landed_at: None,
        retry_at: None,
        last_valid_block_height: 1,
        state: OutboxState::Sent,
        compute_units: 1,
        fee_lamports: 1,
        created_at: now,
    }
}

fn release(state: &mut State, id: OrderId) -> Result<(), &'static str> {
    let order = state.orders.remove(&id).ok_or("energy.wrong_owner")?;
    for fill in &order.fills {
        state.offers.get_mut(&fill.offer).unwrap().reserved -= u64::from(fill.energy_wh);
    }
    Ok(())
}

#[async_trait]
impl EnergyChain for TestChain {
    async fn ended(&self, _: &str, _: &Work) -> Result<Option<Outcome>, ChainError> {
        panic!("the settlement attests nothing")
    }

    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let silent = || Err(ChainError::Unreachable("the node does not answer".to_owned()));
        let store = self.store.lock().unwrap().clone();
        let is_held = {
            let state = self.state.lock().unwrap();
            state.held.as_ref().is_some_and(|held| key.starts_with(held.as_str()))
        };
        if is_held {
            let sent = OutboxRecord { state: OutboxState::Sent, ..record(key, self.clock.now()) };
            store.put_outbox(sent).await?;
            return silent();
        }
        let (outcome, silent_after, number) = {
            let mut state = self.state.lock().unwrap();
            if state.is_down {
                return silent();
            }
            let fault = state.faults.iter().position(|(prefix, _)| key.starts_with(prefix.as_str()));
            let fault = fault.map(|position| state.faults.remove(position).1);
            if fault == Some(ChainFault::SilentBefore) {
                return silent();
            }
            state.transactions += 1;
            let number = state.transactions;
            let outcome = if let Some(outcome) = state.outcomes.get(key) {
                outcome.clone()
            } else {
                let now_s = State::now_s(&self.clock);
                let result = match fault {
                    Some(ChainFault::Refuse(code)) => Err(code),
                    _ => state.apply(&work, now_s),
                };
                let outcome = match result {
                    Ok(()) => Outcome::Landed {
                        signature: format!("signature-of-{key}"),
                        slot: number,
                        at: Timestamp::from_seconds(now_s),
                        rows: Vec::new(),
                    },
                    Err(code) => Outcome::Refused {
                        code: code.to_owned(),
                        message: String::new(),
                        retry: jirani_chain::Retry::Never,
                    },
                };
                state.outcomes.insert(key.to_owned(), outcome.clone());
                outcome
            };
            (outcome, fault == Some(ChainFault::SilentAfter), number)
        };
        let state = match &outcome {
            Outcome::Landed { slot, .. } => OutboxState::Landed { slot: *slot },
            Outcome::Refused { code, .. } => OutboxState::Refused { code: code.clone() },
        };
        let record = OutboxRecord { last_valid_block_height: number, state, ..record(key, self.clock.now()) };
        if silent_after {
            return silent();
        }
        store.put_outbox(record).await?;
        Ok(outcome)
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        let mut asking = self.asking.subscribe();
        if *asking.borrow() != Asking::Answered {
            self.asking.send_replace(Asking::Waits);
            // INVARIANT: the sender is ours.
            asking.wait_for(|asking| *asking == Asking::Answered).await.unwrap();
        }
        Ok(self.state.lock().unwrap().households.get(&id).copied())
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        let state = self.state.lock().unwrap();
        let offers = state.offers.iter().map(|(id, offer)| OfferOnChain {
            offer: *id,
            seller: offer.seller,
            escrow_wh: Wh(offer.left),
            owed_wh: Wh(offer.left),
        });
        let orders = state.orders.iter().map(|(id, order)| OrderOnChain {
            order: *id,
            buyer: order.buyer,
            held_wh: order.fills.iter().map(|fill| Wh(u64::from(fill.energy_wh))).sum(),
        });
        Ok(ChainSnapshot {
            offers: offers.collect(),
            orders: orders.collect(),
            markers: state.markers.len() as u64,
            ..ChainSnapshot::default()
        })
    }

    async fn set_tariff(&self, tariff: &Tariff) -> Result<TariffOutcome, ChainError> {
        let mut state = self.state.lock().unwrap();
        if state.is_down {
            return Err(ChainError::Unreachable("the node does not answer".to_owned()));
        }
        if state.bounds == Some(*tariff) {
            return Ok(TariffOutcome::AlreadySet);
        }
        if state.other_admin {
            return Ok(TariffOutcome::NotAdmin);
        }
        state.bounds = Some(*tariff);
        Ok(TariffOutcome::Set)
    }

    fn household_address(&self, id: HouseholdId) -> String {
        format!("household-{id}")
    }

    fn order_window_s(&self) -> (u32, u32) {
        (u32::try_from(WINDOW_S).unwrap(), u32::try_from(GRACE_S).unwrap())
    }
}
