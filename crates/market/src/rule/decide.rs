//! From a household's rules and what the slot's attestation left, to what it does in
//! the slot's call. The same facts give the same intents under the same keys, so a step
//! that is repeated after a crash changes nothing.

use super::{Acting, BuyRule, Cover, LOT_MIN, Notice, Rules, SellRule};
use crate::call::{CallOrder, Party, Source};
use crate::fill::Candidate;
use crate::nairobi;
use crate::tariff::Tariff;
use jirani_units::{Cents, HouseholdId, Price, Slot, Timestamp, Wh};
use std::fmt;

/// After so many seconds without attestation its household is told: a day.
const SILENT_S: i64 = 86_400;

/// A household after the slot's attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose.
    pub household: HouseholdId,
    /// End of the last slot that is attested.
    pub attested_through: Timestamp,
    /// Tokens in the vault.
    pub vault: Wh,
    /// Of that, what was bought and not used yet (`bought_left` of the last bill).
    pub bought: Wh,
    /// Energy owed.
    pub shortfall: Wh,
    /// Energy of its own orders that will still arrive.
    pub incoming: Wh,
    /// Balance that is free.
    pub available: Cents,
    /// What its standing order has spent or bound today, in Nairobi.
    pub spent_today: Cents,
}

/// What an intent is known by: done once, whatever is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentKey {
    /// One trade per slot, household and rule.
    Sell(Timestamp, HouseholdId),
    /// See [`IntentKey::Sell`].
    Buy(Timestamp, HouseholdId),
    /// One message per day in Nairobi, household and kind.
    Notice(i64, HouseholdId, &'static str),
}

impl fmt::Display for IntentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sell(slot, household) => write!(f, "sell/{slot}/{household}"),
            Self::Buy(slot, household) => write!(f, "buy/{slot}/{household}"),
            Self::Notice(day, household, kind) => {
                write!(f, "notice/{}/{household}/{kind}", nairobi::date(nairobi::day_start(*day)))
            }
        }
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Asks in the slot's call.
    Ask(CallOrder),
    /// Bids in the slot's call, within its money.
    Bid(CallOrder),
    /// Tells.
    Tell(Notice),
}

/// One thing that a rule wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What it is known by.
    pub key: IntentKey,
    /// What to do.
    pub act: Act,
}

/// What the rules of a household do for `slot`. `tariff`: in force at the slot's start.
/// `offers`: the open offers of the moment, for what is told.
///
/// Nothing is done for a slot that is not attested (a silent meter), nor by rules that
/// were set after the slot began. A meter that returns after days acts once, for the
/// newest slot. While a household owes energy it does not sell.
pub fn decide(
    rules: &Rules,
    state: &State,
    tariff: &Tariff,
    offers: &[Candidate],
    slot: Slot,
) -> Vec<Intent> {
    if rules.set_at > slot.start || (rules.sell.is_none() && rules.buy.is_none()) {
        return Vec::new();
    }
    let acts = if state.attested_through < slot.end() {
        let silent = slot.end().since(state.attested_through) >= SILENT_S * 1_000_000;
        vec![silent.then_some(Act::Tell(Notice::MeterSilent { since: state.attested_through }))]
    } else {
        vec![
            rules.sell.and_then(|rule| sell(&rule, state, tariff, slot)),
            rules.buy.and_then(|rule| buy(&rule, state, tariff, offers, slot)),
        ]
    };
    acts.into_iter().flatten().map(|act| Intent { key: key(&act, state.household, slot), act }).collect()
}

fn key(act: &Act, household: HouseholdId, slot: Slot) -> IntentKey {
    match act {
        Act::Ask(_) => IntentKey::Sell(slot.start, household),
        Act::Bid(_) => IntentKey::Buy(slot.start, household),
        Act::Tell(notice) => IntentKey::Notice(nairobi::day(slot.start), household, notice.kind()),
    }
}

fn order(state: &State, energy: Wh, limit: Price, money: Cents, slot: Slot) -> CallOrder {
    CallOrder {
        household: state.household,
        party: Party::Household,
        energy_wh: u32::try_from(energy.0).unwrap_or(u32::MAX),
        limit,
        since: slot.end(),
        source: Source::Rule,
        money,
    }
}

fn sell(rule: &SellRule, state: &State, tariff: &Tariff, slot: Slot) -> Option<Act> {
    // What was bought is for use: nobody buys the cheap offers up to sell them dear.
    let energy = state.vault.saturating_sub(rule.keep_wh.max(state.bought));
    if energy < LOT_MIN || state.shortfall > Wh::ZERO {
        return None;
    }
    if rule.floor_cents_per_kwh > tariff.offer_price_max() {
        let (floor, max) = (rule.floor_cents_per_kwh, tariff.offer_price_max());
        return Some(Act::Tell(Notice::FloorOvertaken { floor, max }));
    }
    // Buy-back may have risen above the floor: the operator itself pays that.
    let floor = rule.floor_cents_per_kwh.max(tariff.offer_price_min());
    Some(match rule.acting {
        Acting::Act => Act::Ask(order(state, energy, floor, Cents::ZERO, slot)),
        Acting::Notify => Act::Tell(Notice::CouldSell { energy, floor }),
    })
}

fn buy(rule: &BuyRule, state: &State, tariff: &Tariff, offers: &[Candidate], slot: Slot) -> Option<Act> {
    let in_hand = match rule.cover {
        Cover::Shortfall => Wh::ZERO,
        Cover::InHand(energy) => energy,
    };
    // A shortfall and tokens never stand together: what arrives is burned first.
    let wanted = Wh(in_hand.0.saturating_add(state.shortfall.0));
    let need = wanted.saturating_sub(state.vault).saturating_sub(state.incoming);
    if need < LOT_MIN {
        return None;
    }
    // Never above retail, whatever the rule allows.
    let most = rule.price_max_cents_per_kwh.min(tariff.retail);
    let least = tariff.all_in(tariff.offer_price_min());
    if most < least {
        let price = rule.price_max_cents_per_kwh;
        return Some(Act::Tell(Notice::PriceOvertaken { price, min: least }));
    }
    let left_today = Cents(rule.budget_per_day_cents.0.saturating_sub(state.spent_today.0));
    let money = left_today.min(state.available);
    let affordable = u64::try_from(money.0).unwrap_or(0).saturating_mul(1_000) / u64::from(most.0.max(1));
    let energy = need.min(Wh(affordable)).min(Wh(u64::from(u32::MAX)));
    if energy < LOT_MIN {
        return Some(Act::Tell(if left_today < state.available {
            Notice::BudgetSpent { budget: rule.budget_per_day_cents }
        } else {
            Notice::NoBalance { available: state.available }
        }));
    }
    if rule.acting == Acting::Act {
        let limit = Price(most.0 - tariff.grid_fee.0 - tariff.tax.0);
        return Some(Act::Bid(order(state, energy, limit, money, slot)));
    }
    let best = offers
        .iter()
        .filter(|offer| offer.seller != state.household && offer.open > Wh::ZERO)
        .map(|offer| tariff.all_in(offer.price))
        .min()
        .filter(|best| *best <= most);
    Some(Act::Tell(match best {
        Some(best) => Notice::CouldBuy { energy, best },
        None => Notice::NobodySells { energy, retail: tariff.retail },
    }))
}
