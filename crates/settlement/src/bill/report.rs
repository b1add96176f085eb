//! The feeder's slot as a whole. Energy in is energy out and losses only where all of the
//! feeder is attested, so a report spans from one such slot to the next. Pure.

use super::decide::{Book, FeederBooks, SlotFacts};
use jirani_market::bill::{Flow, Trade};
use jirani_market::report::{Member, SlotReport};
use jirani_store::{FeederReport, HouseholdKind};
use jirani_units::{HouseholdId, Slot, Timestamp};
use std::collections::BTreeMap;

/// What has gathered since the last slot through which all of a feeder was attested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// End of that slot; `None` before the first.
    pub(super) from: Option<Timestamp>,
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

/// The report of `slot`, and a new beginning where all of the feeder is attested.
pub(super) fn make(books: &mut FeederBooks, slot: Slot, facts: &SlotFacts<'_>) -> FeederReport {
    let attested = |household: &HouseholdId| facts.slot.rows.iter().any(|row| row.household == *household);
    let has_losses =
        facts.slot.rows.iter().any(|row| facts.members.get(&row.household) == Some(&HouseholdKind::Loss));
    if !has_losses {
        return FeederReport::Waits("not all meters of the feeder have spoken".to_owned());
    }
    if let Some(missing) = books.books.keys().find(|household| !attested(household)) {
        return FeederReport::Waits(format!("record {missing} is not attested through the slot"));
    }
    let since = std::mem::replace(&mut books.since, Since { from: Some(slot.end()), ..Since::default() });
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

fn member(kind: Option<&HouseholdKind>) -> Member {
    match kind {
        Some(HouseholdKind::Loss) => Member::Loss,
        Some(HouseholdKind::Generator | HouseholdKind::Battery) => Member::Plant,
        Some(HouseholdKind::Home) | None => Member::Household,
    }
}
