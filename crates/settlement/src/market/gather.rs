//! What a call looks at, read from store and chain: a handful of questions for a feeder,
//! however many households it has.

use super::decide::{Facts, Member};
use super::document::{CallBook, hex};
use super::operator::{self, Operator};
use super::seeds::SeedChain;
use crate::notice::to_operator;
use crate::service::Settlement;
use crate::step::Trouble;
use jirani_chain::HouseholdOnChain;
use jirani_ledger::invariants::Totals;
use jirani_ledger::{Account, AccountBalance};
use jirani_market::nairobi;
use jirani_market::rule::State;
use jirani_store::{Change, HouseholdRecord, OfferState, OrderRecord, RulesRecord};
use jirani_units::{Cents, Clock as _, HouseholdId, Slot, Timestamp, Wh};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How far back purchases of a household are looked at whose rules are new: what it bought
/// before that is taken as used.
const BOUGHT_REACH_S: i64 = 30 * 86_400;

/// Of a household with rules, by the last call: what it bought and had not used, and what
/// it had drawn by then.
type Bought = HashMap<HouseholdId, (Wh, i64)>;

impl Settlement {
    /// Everything that the call of `slot` may look at; `None` when no household of the
    /// feeder has rules and the operator has no record there.
    pub(super) async fn gather(
        &self,
        feeder: u16,
        slot: Slot,
        homes: &[HouseholdRecord],
    ) -> Result<Option<Facts>, Trouble> {
        let feeders: HashMap<HouseholdId, u16> = homes.iter().map(|home| (home.id, home.feeder)).collect();
        let here = |household: HouseholdId| feeders.get(&household) == Some(&feeder);
        let attested = self.attested_homes(homes).await?;
        let rules: Vec<RulesRecord> = self
            .store
            .all_rules()
            .await?
            .into_iter()
            .map(|mut record| {
                // The tariff may have moved below a floor that was allowed when it was set.
                let asks = record.rules.sell.is_some_and(|sell| self.may_ask(sell.floor_cents_per_kwh));
                if !asks && attested.contains(&record.household) {
                    record.rules.sell = None;
                }
                record
            })
            .filter(|record| record.rules.sell.is_some() || record.rules.buy.is_some())
            .filter(|record| here(record.household))
            .collect();
        let balances = self.store.balances().await?;
        let own = Totals::of(&balances).sweepable();
        let of_operator = operator::records(homes, feeder);
        if rules.is_empty() && of_operator.is_empty() {
            return Ok(None);
        }
        let seeds = self.seeds(slot).await?;
        let (commitment, seed) = seeds.seed(slot).ok_or_else(|| {
            Trouble::Stuck(format!("market.draw_seed: there is no seed for {}", slot.start))
        })?;
        let before = self.store.attested_slot_before(feeder, slot.end()).await?;
        let beacon = before.map_or([0; 32], |slot| slot.evidence_root);
        // All of them and not a page of the cheapest, which others could fill; and before the
        // vaults, so that nothing that is on its way out of one is free to sell.
        let mut offers = self.store.live_offers().await?;
        offers.retain(|offer| here(offer.seller));
        let orders = self.store.live_orders().await?;
        let mut asked: BTreeSet<HouseholdId> = rules.iter().map(|record| record.household).collect();
        asked.extend(offers.iter().map(|offer| offer.seller));
        asked.extend(&of_operator);
        let asked: Vec<HouseholdId> = asked.into_iter().collect();
        let on_chain = self.chain.households(&asked).await?;
        // Who is not enrolled on chain yet has nothing and owes nothing.
        let mut on_chain: HashMap<HouseholdId, HouseholdOnChain> =
            asked.into_iter().zip(on_chain).filter_map(|(id, found)| Some((id, found?))).collect();
        for offer in offers.iter().filter(|offer| offer.state == OfferState::Posting) {
            if let Some(seller) = on_chain.get_mut(&offer.seller) {
                seller.vault_wh = seller.vault_wh.saturating_sub(offer.energy_wh);
            }
        }
        let owes =
            |(id, found): (&HouseholdId, &HouseholdOnChain)| (found.shortfall_wh > Wh::ZERO).then_some(*id);
        let owing: HashSet<HouseholdId> = on_chain.iter().filter_map(owes).collect();
        let operator = Operator::new(&of_operator, operator::buyer(homes, feeder), &on_chain, own);
        // After the vaults: what was bought until now is known as bought, and what is bought from
        // now on is the next call's to know.
        let now = self.clock.now();
        let (members, has_newcomers) =
            self.members(feeder, rules, &balances, &on_chain, &orders, now).await?;
        offers.retain(|offer| offer.state == OfferState::Open);
        offers.sort_by_key(|offer| (offer.price, offer.created_at, offer.id));
        let tariff = self.config.tariffs.at(now);
        let policy = self.calling.policy();
        let draw = (commitment, seed, beacon);
        Ok(Some(Facts { slot, tariff, draw, members, has_newcomers, offers, operator, owing, policy, now }))
    }

    /// Where each household with rules stands, and whether the last call that was kept did
    /// not know all of them.
    async fn members(
        &self,
        feeder: u16,
        rules: Vec<RulesRecord>,
        balances: &[(Account, AccountBalance)],
        on_chain: &HashMap<HouseholdId, HouseholdOnChain>,
        orders: &[OrderRecord],
        now: Timestamp,
    ) -> Result<(Vec<Member>, bool), Trouble> {
        let mut available: HashMap<HouseholdId, Cents> = HashMap::new();
        for (account, balance) in balances {
            if let Account::Household(household) = account {
                available.insert(*household, balance.available());
            }
        }
        let today = nairobi::day_start(nairobi::day(now));
        let spent: HashMap<_, _> = self.store.spent_by_rule(today).await?.into_iter().collect();
        let mut incoming: HashMap<HouseholdId, u64> = HashMap::new();
        // Paid: its tokens may lie in the vault though we do not know it yet.
        let mut arriving: HashMap<HouseholdId, u64> = HashMap::new();
        for order in orders.iter().filter(|order| order.release_reason.is_none()) {
            *incoming.entry(order.buyer).or_default() += order.energy_wh().0;
            if order.proof.is_some() {
                *arriving.entry(order.buyer).or_default() += order.energy_wh().0;
            }
        }
        let (known, since) = self.bought_by_last_call(feeder, now).await?;
        let of = |bought: Vec<(HouseholdId, Wh)>| bought.into_iter().collect::<HashMap<_, _>>();
        let lately = of(self.store.bought_between(since, now).await?);
        let is_new = |record: &RulesRecord| {
            on_chain.contains_key(&record.household) && !known.contains_key(&record.household)
        };
        let has_newcomers = rules.iter().any(is_new);
        let longer = if has_newcomers {
            of(self.store.bought_between(now.plus_seconds(-BOUGHT_REACH_S), now).await?)
        } else {
            HashMap::new()
        };
        let members = rules.iter().filter_map(|record| {
            let household = record.household;
            let on_chain = on_chain.get(&household)?;
            let drawn = |wh: Wh| i64::try_from(wh.0).unwrap_or(i64::MAX);
            let drawn = drawn(on_chain.burned_wh).saturating_sub(drawn(on_chain.minted_wh));
            let bought = match known.get(&household) {
                Some((bought, before)) => {
                    let used = u64::try_from(drawn.saturating_sub(*before)).unwrap_or(0);
                    let new = lately.get(&household).map_or(0, |bought| bought.0);
                    bought.0.saturating_add(new).saturating_sub(used)
                }
                None => longer.get(&household).map_or(0, |bought| bought.0),
            };
            let arriving = arriving.get(&household).copied().unwrap_or(0);
            let state = State {
                household,
                attested_through: on_chain.attested_through,
                vault: on_chain.vault_wh,
                bought: Wh(bought.saturating_add(arriving)).min(on_chain.vault_wh),
                shortfall: on_chain.shortfall_wh,
                incoming: Wh(incoming.get(&household).copied().unwrap_or(0)),
                available: available.get(&household).copied().unwrap_or(Cents::ZERO),
                spent_today: spent.get(&household).copied().unwrap_or(Cents::ZERO),
            };
            let bought = Wh(bought).min(on_chain.vault_wh);
            Some(Member { rules: record.rules, state, bought, drawn })
        });
        Ok((members.collect(), has_newcomers))
    }

    /// What the last call knew of bought energy, and when it was made.
    async fn bought_by_last_call(&self, feeder: u16, now: Timestamp) -> Result<(Bought, Timestamp), Trouble> {
        let Some(last) = self.store.calls(feeder, 1).await?.into_iter().next() else {
            return Ok((HashMap::new(), now));
        };
        let book = CallBook::read(&last.book).map_err(|error| {
            Trouble::Stuck(format!("the call of {} cannot be read: {error}", last.slot.start))
        })?;
        let bought = book.bought.into_iter().map(|(household, wh, drawn)| (household, (wh, drawn)));
        Ok((bought.collect(), last.made_at))
    }

    /// The seeds of the slot's chain, published: this chain's number and the next one's
    /// stand in the store before any of their slots is cleared.
    pub(super) async fn seeds(&self, slot: Slot) -> Result<Arc<SeedChain>, Trouble> {
        if let Some(seeds) = self.calling.memory().seeds.clone().filter(|seeds| seeds.holds(slot)) {
            return Ok(seeds);
        }
        let number = SeedChain::number_of(slot);
        let chains: BTreeMap<i64, SeedChain> = [number + 1, number]
            .into_iter()
            .map(|number| (number, SeedChain::new(&self.config.seed, number, slot.length_s)))
            .collect();
        let mut changes = Vec::new();
        for (number, chain) in &chains {
            let (key, value) = (SeedChain::setting(*number, slot.length_s), hex(&chain.published()));
            match self.store.setting(&key).await? {
                Some(published) if published == value => {}
                Some(_) => {
                    let at = self.clock.now();
                    let en = "The deployment's seed is not the one that the market's draws were bound by. \
                              No slot is cleared. Restore the seed.";
                    let sw = "Mbegu ya mfumo si ile iliyofungia kura za soko. Hakuna soko hadi irudishwe.";
                    let told = to_operator(key.clone(), "draw_seed", en.to_owned(), sw.to_owned(), at);
                    self.store.commit(vec![told]).await?;
                    return Err(Trouble::Stuck(format!("market.draw_seed: {key} was published otherwise")));
                }
                None => changes.push(Change::Setting { key, value }),
            }
        }
        if !changes.is_empty() {
            self.store.commit(changes).await?;
        }
        let seeds = chains.into_values().next().map(Arc::new);
        let seeds = seeds.ok_or_else(|| Trouble::Stuck("market.draw_seed: no chain".to_owned()))?;
        self.calling.memory().seeds = Some(seeds.clone());
        Ok(seeds)
    }
}
