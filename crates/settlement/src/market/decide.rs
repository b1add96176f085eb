//! What a call decides: from rules, vaults, money and open offers to a plan. Pure.

use super::document::{CallBook, CallLine};
use super::operator::{self, Operator};
use super::{MarketPolicy, keys};
use crate::step::Broken;
use jirani_market::call::{Book, CallOrder, Draw, DrawError, Party, Plan, Side, Source, clear};
use jirani_market::rule::{self, Act, Acting, IntentKey, Notice, Rules, State};
use jirani_market::{Candidate, Tariff};
use jirani_store::OfferRecord;
use jirani_units::{HouseholdId, OfferId, Slot, Timestamp, Wh};
use std::collections::HashSet;

/// Seconds of life an offer must have left to stand in a call: what it sold is posted anew,
/// but what is left of it is posted with its own end.
const OFFER_LIFE_MIN_S: i64 = 120;

/// A household with rules, after the slot's attestation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) rules: Rules,
    pub(super) state: State,
    /// What it bought and has not used, of what is settled: what is kept of it.
    pub(super) bought: Wh,
    /// What it had drawn in all, less what it had pushed, in Wh.
    pub(super) drawn: i64,
}

/// All that a call may look at.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) slot: Slot,
    pub(super) tariff: Tariff,
    /// What the seed was bound by, the seed, and the evidence root of the slot before.
    pub(super) draw: ([u8; 32], [u8; 32], [u8; 32]),
    /// By household.
    pub(super) members: Vec<Member>,
    /// Whether the last call that was kept did not know all of them.
    pub(super) has_newcomers: bool,
    /// Open offers of the feeder, cheapest first.
    pub(super) offers: Vec<OfferRecord>,
    pub(super) operator: Operator,
    /// Who of members and sellers owes energy: what comes back from an offer of theirs is
    /// burned, so they have nothing to sell in the call.
    pub(super) owing: HashSet<HouseholdId>,
    pub(super) policy: MarketPolicy,
    pub(super) now: Timestamp,
}

/// What a call decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) book: CallBook,
    pub(super) plan: Plan,
    /// What rules have to say, and what each message is known by.
    pub(super) told: Vec<(IntentKey, HouseholdId, Notice)>,
    /// Open offers to be closed: those that sold, and those of rules whose household has
    /// fallen short.
    pub(super) closing: Vec<OfferRecord>,
    /// Of those, the ones that sold: their tokens must be back before the plan goes on.
    pub(super) sources: Vec<OfferId>,
    /// Whether households stand in it that no kept call knows: from one on, what they bought
    /// and have not used is counted from slot to slot.
    has_newcomers: bool,
    /// Until when it knows what was bought.
    pub(super) at: Timestamp,
}

impl Decision {
    /// Whether anything is to be kept for good.
    pub(super) fn is_worth_keeping(&self) -> bool {
        // Of the operator alone nobody need know that it stood.
        let of_homes = |lines: &[CallLine]| lines.iter().any(|CallLine(_, operator, ..)| !operator);
        let both = of_homes(&self.book.bids) && of_homes(&self.book.asks);
        both || self.book.volume_wh > 0
            || !self.book.put.is_empty()
            || !self.closing.is_empty()
            || self.has_newcomers
    }
}

/// The open offer that an ask came from.
pub(super) const fn source(source: Source) -> Option<OfferId> {
    match source {
        Source::Rule => None,
        Source::Offer(offer) => Some(offer),
    }
}

/// Why a call cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undecided {
    #[error(transparent)]
    Draw(#[from] DrawError),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Makes the call. The same facts make the same call.
pub(super) fn decide(facts: &Facts) -> Result<Decision, Undecided> {
    let Facts { slot, tariff, draw: (commitment, seed, beacon), .. } = facts;
    let draw = Draw::open(commitment, *seed, *beacon, *slot)?;
    let (withdrawn, standing): (Vec<_>, Vec<_>) =
        facts.offers.iter().cloned().partition(|offer| is_withdrawn(facts, offer));
    let candidates: Vec<Candidate> = standing.iter().filter_map(|offer| candidate(facts, offer)).collect();
    let mut book = Book::new(*tariff);
    let mut told = Vec::new();
    let mut enter = |side: Side, order: &CallOrder| {
        if let Err(refused) = book.enter(side, order) {
            // A rule's order is made within the tariff and its money, an offer's is raised to it.
            tracing::warn!(household = order.household.0, %refused, "an order does not stand in the call");
        }
    };
    for Member { rules, state, .. } in &facts.members {
        for intent in rule::decide(rules, state, tariff, &candidates, *slot) {
            match intent.act {
                Act::Ask(order) => enter(Side::Ask, &order),
                Act::Bid(order) => enter(Side::Bid, &order),
                Act::Tell(notice) => told.push((intent.key, state.household, notice)),
            }
        }
    }
    for candidate in &candidates {
        if let Some(mut order) = CallOrder::of_offer(candidate, tariff) {
            // At the edge the operator goes after everybody else.
            let of_operator = facts.operator.record(order.household).is_some();
            if of_operator && order.limit == tariff.offer_price_max() {
                order.party = Party::Operator;
            }
            enter(Side::Ask, &order);
        }
    }
    for (side, order) in operator::orders(facts) {
        enter(side, &order);
    }
    let outcome = clear(&book, &draw);
    let plan = Plan::new(&book, &outcome).map_err(|error| Broken(format!("a call has no plan: {error}")))?;
    // An open offer at the very price of the call sells as it stands.
    let sold = |offer: &&OfferRecord| {
        let sold = plan.offers.iter().any(|sold| source(sold.source) == Some(offer.id));
        sold && Some(offer.price) != plan.price
    };
    let sold: Vec<OfferRecord> = standing.iter().filter(sold).cloned().collect();
    let sources = sold.iter().map(|offer| offer.id).collect();
    let closing = withdrawn.into_iter().chain(sold).collect();
    let kept = CallBook {
        tariff: *tariff,
        commitment: *commitment,
        seed: *seed,
        beacon: *beacon,
        bids: CallBook::lines(&book, Side::Bid),
        asks: CallBook::lines(&book, Side::Ask),
        price: outcome.price,
        volume_wh: outcome.volume_wh,
        lots: outcome.lots.iter().map(|lot| (lot.bid, lot.ask, lot.energy_wh)).collect(),
        stood_out: outcome.stood_out,
        put: put(facts, &book, &plan),
        bought: facts
            .members
            .iter()
            .map(|Member { state, bought, drawn, .. }| (state.household, *bought, *drawn))
            .collect(),
    };
    let (has_newcomers, at) = (facts.has_newcomers, facts.now);
    Ok(Decision { book: kept, plan, told, closing, sources, has_newcomers, at })
}

/// A rule's offer goes back when its household owes energy, which is then burned first, or
/// has no rule that sells at its price any more.
fn is_withdrawn(facts: &Facts, offer: &OfferRecord) -> bool {
    if let Some(record) = facts.operator.record(offer.seller) {
        let stands = offer.price == facts.tariff.offer_price_max() && record.shortfall == Wh::ZERO;
        return keys::is_rules(&offer.key) && !stands;
    }
    let stands = |member: &&Member| {
        let sells = member
            .rules
            .sell
            .is_some_and(|rule| rule.acting == Acting::Act && rule.floor_cents_per_kwh <= offer.price);
        member.state.household == offer.seller && sells && member.state.shortfall == Wh::ZERO
    };
    keys::is_rules(&offer.key) && facts.members.iter().find(stands).is_none()
}

fn candidate(facts: &Facts, offer: &OfferRecord) -> Option<Candidate> {
    // Dust would make closes and posts that cost more than it brings.
    let is_worth_it = offer.open_wh() >= rule::LOT_MIN;
    let is_free = !facts.owing.contains(&offer.seller);
    (is_worth_it && is_free && offer.expires_at > facts.now.plus_seconds(OFFER_LIFE_MIN_S)).then(|| {
        Candidate {
            offer: offer.id,
            seller: offer.seller,
            energy: offer.energy_wh,
            open: offer.open_wh(),
            held_by_buyer: Wh::ZERO,
            price: offer.price,
            created_at: offer.created_at,
        }
    })
}

/// What sell rules have left and is worth a lot, at their floors.
fn put(facts: &Facts, book: &Book, plan: &Plan) -> Vec<(HouseholdId, Wh, jirani_units::Price)> {
    let count = u32::try_from(book.len(Side::Ask)).unwrap_or(u32::MAX);
    let asks = (0..count).filter_map(|place| Some((place, book.order(Side::Ask, place)?)));
    let of_rules = asks.filter(|(_, order)| order.source == Source::Rule);
    let left = of_rules.filter_map(|(place, order)| {
        let sold = plan.offers.iter().find(|offer| offer.ask == place).map_or(0, |offer| offer.energy_wh);
        let left = Wh(u64::from(order.energy_wh - sold.min(order.energy_wh)));
        let open =
            facts.offers.iter().filter(|offer| offer.seller == order.household && keys::is_rules(&offer.key));
        let (lot, lots_max) = match order.party {
            Party::Household => (facts.policy.lot, facts.policy.lots_max),
            Party::Operator => (facts.policy.operator.lot, facts.policy.operator.lots_max),
        };
        (left >= lot && open.count() < lots_max).then_some((order.household, left, order.limit))
    });
    left.collect()
}
