//! The feeder's slot as a whole. Energy in is energy out and losses only where all of the
//! feeder is attested, so a report spans from one such slot to the next, over at most 30 days:
//! then the span is broken off, saying whose meter is silent, and the next one begins. Pure.

use super::decide::{Book, FeederBooks, SlotFacts};
use jirani_market::bill::{Flow, Trade};
use jirani_market::report::{Member, SlotReport, is_awaited};
use jirani_store::{FeederReport, HouseholdKind, SlotRecord};
use jirani_units::{HouseholdId, Slot, Timestamp};
use std::collections::BTreeMap;

/// The longest a report waits for a silent meter, in seconds: 30 days.
const WAIT_MAX_S: i64 = 30 * 86_400;

/// What has gathered since the last slot through which all of a feeder was attested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// End of that slot; the first slot's start when there was none; `None` before that.
    pub(super) from: Option<Timestamp>,
    /// When each record was last attested, from that slot on.
    pub(super) heard: BTreeMap<HouseholdId, Timestamp>,
    /// By household, from that slot's end to now.
    pub(super) flows: BTreeMap<HouseholdId, Flow>,
    /// Settled since.
    pub(super) trades: Vec<Trade>,
}

impl Since {
    /// Adds a household's slot; `book` is as it was before.
    pub(super) fn add(&mut self, household: HouseholdId, book: &Book, flow: &Flow) {
        let sum = self.flows.entry(household).or_insert_with(|| Flow {
            holding_before: book.holding,
            shortfall_before: book.shortfall,
            ..Flow::default()
        });
        sum.import.0 += flow.import.0;
        sum.export.0 += flow.export.0;
        // Tokens from outside the market.
        sum.holding_before.0 += flow.holding_before.0.saturating_sub(book.holding.0);
        sum.holding_after = flow.holding_after;
        sum.shortfall_after = flow.shortfall_after;
    }
}

impl Since {
    /// Notes who is attested in a slot.
    pub(super) fn hear(&mut self, slot: &SlotRecord) {
        self.heard.extend(slot.rows.iter().map(|row| (row.household, slot.end)));
    }

    /// Takes what has gathered, and begins anew at the end of `slot`, whose rows are heard: who
    /// is not among them was silent before.
    fn begin_anew(&mut self, slot: &SlotRecord) -> Self {
        let mut next = Self { from: Some(slot.end), ..Self::default() };
        next.hear(slot);
        std::mem::replace(self, next)
    }
}

/// The report of `slot`, and a new beginning where all of the feeder is attested.
pub(super) fn make(books: &mut FeederBooks, slot: Slot, facts: &SlotFacts<'_>) -> FeederReport {
    let attested = |household: &HouseholdId| facts.slot.rows.iter().any(|row| row.household == *household);
    let has_losses =
        facts.slot.rows.iter().any(|row| facts.members.get(&row.household) == Some(&HouseholdKind::Loss));
    let waits = if has_losses {
        // With losses told, who has been silent for a day is retired: nothing of it is to come.
        let heard = |household: &HouseholdId| books.since.heard.get(household).copied();
        let is_missing = |household: &&HouseholdId| {
            !attested(household) && heard(household).is_some_and(|heard| is_awaited(heard, slot.end()))
        };
        let missing = books.books.keys().find(is_missing);
        missing.map(|missing| format!("record {missing} is not attested through the slot"))
    } else {
        Some("not all meters of the feeder have spoken".to_owned())
    };
    if let Some(waits) = waits {
        return wait(books, slot, facts, waits);
    }
    let since = books.since.begin_anew(facts.slot);
    let from = since.from.unwrap_or(slot.start);
    let members: Vec<(HouseholdId, Member, Flow)> = since
        .flows
        .iter()
        .map(|(household, flow)| (*household, member(facts.members.get(household)), *flow))
        .collect();
    match SlotReport::new(books.feeder, slot, &members, &since.trades, &[]) {
        Ok(report) => FeederReport::Whole { from, report: Box::new(report) },
        Err(error) => FeederReport::Broken { from, what: error.to_string() },
    }
}

/// What is missing is waited for, and what gathers meanwhile is bounded: after the longest wait
/// the span is given up, and says who was silent.
fn wait(books: &mut FeederBooks, slot: Slot, facts: &SlotFacts<'_>, waits: String) -> FeederReport {
    let from = books.since.from.unwrap_or(slot.start);
    if slot.end().since(from) < WAIT_MAX_S * 1_000_000 {
        return FeederReport::Waits(waits);
    }
    let since = books.since.begin_anew(facts.slot);
    let heard = |household: &HouseholdId| since.heard.get(household).copied().unwrap_or(from);
    let is_meter = |household: &&HouseholdId| facts.members.get(household) != Some(&HouseholdKind::Loss);
    let silent = |households: &mut dyn Iterator<Item = &HouseholdId>| {
        let heard = households.filter(is_meter).map(|household| (heard(household), *household));
        heard.filter(|(heard, _)| *heard < slot.end()).min()
    };
    // Who was heard before, then who never was.
    let silent = silent(&mut books.books.keys()).or_else(|| silent(&mut facts.members.keys()));
    let what = silent.map_or_else(
        || format!("losses are not known since {from}"),
        |(heard, household)| format!("record {household} has been silent since {heard}"),
    );
    FeederReport::Broken { from, what }
}

fn member(kind: Option<&HouseholdKind>) -> Member {
    match kind {
        Some(HouseholdKind::Loss) => Member::Loss,
        Some(HouseholdKind::Generator | HouseholdKind::Battery) => Member::Plant,
        Some(HouseholdKind::Home) | None => Member::Household,
    }
}
