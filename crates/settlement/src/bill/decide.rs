//! From the books before a slot to its bills. Pure.

use super::report::{self, Since};
use jirani_chain::RowOutcome;
use jirani_market::bill::{Flow, Line, SlotBill, Trade};
use jirani_market::schedule::Terms;
use jirani_market::{Tariffs, nairobi};
use jirani_store::{DayBillRecord, HomeBill, HouseholdKind, OrderRecord, SlotBillsRecord, SlotRecord};
use jirani_units::{HouseholdId, Slot, Timestamp, Wh};
use std::collections::BTreeMap;

/// Where a household's books stand after a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Book {
    /// Registers as last attested; `None` before the first time.
    pub(super) registers: Option<(Wh, Wh)>,
    /// Tokens in vault and offers.
    pub(super) holding: Wh,
    /// Energy owed.
    pub(super) shortfall: Wh,
    /// Of the holding, what was bought.
    pub(super) bought_left: Wh,
}

/// What one record of a feeder is.
pub(super) type Members = BTreeMap<HouseholdId, HouseholdKind>;

/// A day that is not over, by household.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) day: i64,
    pub(super) bills: BTreeMap<HouseholdId, DayBillRecord>,
}

/// A feeder's books after a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeederBooks {
    pub(super) feeder: u16,
    /// End of the last slot that was billed.
    pub(super) through: Timestamp,
    /// When its attestation landed.
    pub(super) attested_at: Timestamp,
    pub(super) books: BTreeMap<HouseholdId, Book>,
    /// What has gathered since the last slot through which all were attested.
    pub(super) since: Since,
    pub(super) day: Option<Day>,
}

/// What a slot's bills are made of.
pub(super) struct SlotFacts<'a> {
    /// As it was attested.
    pub(super) slot: &'a SlotRecord,
    /// When that landed.
    pub(super) attested_at: Timestamp,
    /// Length of a slot, in seconds.
    pub(super) length_s: u32,
    /// What the program reported of it, by household.
    pub(super) told: BTreeMap<HouseholdId, RowOutcome>,
    /// Orders settled since the slot before.
    pub(super) orders: &'a [OrderRecord],
    /// Records of the feeder.
    pub(super) members: &'a Members,
    /// Prices: the slot's energy is billed by those of its start.
    pub(super) tariffs: &'a Tariffs,
}

/// What billing a slot brings.
pub(super) struct Billed {
    pub(super) record: SlotBillsRecord,
    /// Bills of the day before, when the slot begins another.
    pub(super) days: Vec<DayBillRecord>,
    pub(super) next: FeederBooks,
}

impl FeederBooks {
    /// Nothing was billed yet.
    pub(super) fn new(feeder: u16) -> Self {
        let never = Timestamp(i64::MIN);
        Self {
            feeder,
            through: never,
            attested_at: never,
            books: BTreeMap::new(),
            since: Since::default(),
            day: None,
        }
    }

    /// As a kept slot leaves them; what gathered since the last whole slot and the running
    /// day are added by whoever reads.
    pub(super) fn of(record: &SlotBillsRecord) -> Self {
        let books = record.homes.iter().map(|home| (home.bill.household, Book::of(home)));
        Self {
            through: record.slot.end(),
            attested_at: record.attested_at,
            books: books.collect(),
            ..Self::new(record.feeder)
        }
    }

    /// Number of the day that is not over.
    pub(super) fn running_day(&self) -> Option<i64> {
        self.day.as_ref().map(|running| running.day)
    }

    /// Counts a kept slot's bills towards its day.
    pub(super) fn count_day(&mut self, record: &SlotBillsRecord) -> Vec<DayBillRecord> {
        let day = nairobi::day(record.slot.start);
        let over = self.day.take_if(|running| running.day != day);
        let running = self.day.get_or_insert_with(|| Day { day, bills: BTreeMap::new() });
        for home in &record.homes {
            let household = home.bill.household;
            let bill = running.bills.entry(household);
            bill.or_insert_with(|| DayBillRecord::new(household, day)).add(&home.bill);
        }
        over.map(|day| day.bills.into_values().collect()).unwrap_or_default()
    }
}

impl Book {
    pub(super) fn of(home: &HomeBill) -> Self {
        Self {
            registers: Some((home.export_register, home.import_register)),
            holding: home.holding,
            shortfall: home.shortfall,
            bought_left: home.bill.bought_left,
        }
    }
}

/// An order as a bill counts it: under the terms of the moment at which it was made,
/// whatever prices changed before it was settled.
pub(super) fn trade(order: &OrderRecord, tariffs: &Tariffs) -> Trade {
    let then = Terms::of(&tariffs.at(order.created_at));
    Trade {
        buyer: order.buyer,
        fills: order.fills.clone(),
        terms: Terms { grid_fee: order.fee, tax: order.tax, ..then },
    }
}

/// Bills one slot of one feeder.
pub(super) fn bill(mut next: FeederBooks, facts: &SlotFacts<'_>) -> Result<Billed, String> {
    let end = facts.slot.end;
    let slot = Slot { start: end.plus_seconds(-i64::from(facts.length_s)), length_s: facts.length_s };
    let trades: Vec<Trade> = facts.orders.iter().map(|order| trade(order, facts.tariffs)).collect();
    let tariff = facts.tariffs.at(slot.start);
    next.since.from.get_or_insert(slot.start);
    next.since.hear(facts.slot);
    for row in &facts.slot.rows {
        next.books.entry(row.household).or_default();
    }
    for trade in &trades {
        for party in parties(trade).filter(|party| facts.members.contains_key(party)) {
            next.books.entry(party).or_default();
        }
    }
    let mut homes = Vec::with_capacity(next.books.len());
    for (household, book) in &mut next.books {
        let own: Vec<Trade> =
            trades.iter().filter(|trade| parties(trade).any(|party| party == *household)).cloned().collect();
        let flow = flow(*household, book, &own, facts);
        next.since.add(*household, book, &flow);
        let bill = SlotBill::new(*household, slot, &tariff, &flow, &own)
            .map_err(|error| format!("household {household} at {end}: {error}"))?;
        book.holding = flow.holding_after;
        book.shortfall = flow.shortfall_after;
        book.bought_left = bill.bought_left;
        if let Some(row) = facts.slot.rows.iter().find(|row| row.household == *household) {
            book.registers = Some((row.export_wh, row.import_wh));
        }
        let (export_register, import_register) = book.registers.unwrap_or_default();
        let (holding, shortfall) = (book.holding, book.shortfall);
        homes.push(HomeBill { bill, export_register, import_register, holding, shortfall });
    }
    next.since.trades.extend(trades);
    next.through = end;
    // A slot that the chain put off may land after a later one.
    next.attested_at = facts.attested_at.max(next.attested_at);
    let report = report::make(&mut next, slot, facts);
    let feeder = next.feeder;
    let record = SlotBillsRecord { feeder, slot, attested_at: next.attested_at, tariff, homes, report };
    let days = next.count_day(&record);
    Ok(Billed { record, days, next })
}

/// Buyer and sellers.
pub(super) fn parties(trade: &Trade) -> impl Iterator<Item = HouseholdId> {
    std::iter::once(trade.buyer).chain(trade.fills.iter().map(|fill| fill.seller))
}

/// A household's energy and tokens in the slot. What the program reported is the truth of
/// what is owed; what was burned follows. Tokens that came from outside the market (an
/// adjustment, a deposit) are counted as held before; what was burned of an order that is
/// billed only with the next slot counts as owed until then.
fn flow(household: HouseholdId, book: &Book, trades: &[Trade], facts: &SlotFacts<'_>) -> Flow {
    let (mut bought, mut sold) = (0u64, 0u64);
    for trade in trades {
        for fill in &trade.fills {
            let energy = u64::from(fill.energy_wh);
            bought += if trade.buyer == household { energy } else { 0 };
            sold += if fill.seller == household { energy } else { 0 };
        }
    }
    let row = facts.slot.rows.iter().find(|row| row.household == household);
    let told = facts.told.get(&household).filter(|_| row.is_some());
    let (export, import) = row.map_or((0, 0), |row| match (book.registers, told) {
        (Some((export, import)), _) if export <= row.export_wh && import <= row.import_wh => {
            (row.export_wh.0 - export.0, row.import_wh.0 - import.0)
        }
        // The first time, and after a meter was replaced, only the program knows.
        (_, Some(told)) => {
            let owed = (told.burned_wh.0 + told.shortfall_wh.0).saturating_sub(book.shortfall.0);
            (told.minted_wh.0, owed)
        }
        (None, None) => (row.export_wh.0, row.import_wh.0),
        (Some(_), None) => (0, 0),
    });
    let holding_before = book.holding.0.max(sold.saturating_sub(export + bought));
    let (came, due) = (holding_before + export + bought - sold, import + book.shortfall.0);
    let most = came.min(due);
    let burned = match (row, told) {
        (_, Some(told)) => due.saturating_sub(told.shortfall_wh.0).min(most),
        (Some(_), None) => most,
        // Nothing was attested: what is bought meets what is owed.
        (None, None) => book.shortfall.0.min(bought).min(most),
    };
    Flow {
        import: Wh(import),
        export: Wh(export),
        holding_before: Wh(holding_before),
        holding_after: Wh(came - burned),
        shortfall_before: book.shortfall,
        shortfall_after: Wh(due - burned),
        bought_before: book.bought_left,
    }
}

/// A kept slot's flow, from the books before it: what was bought and sold follows from its
/// lines.
pub(super) fn flow_of(before: &Book, home: &HomeBill) -> Flow {
    let (mut bought, mut sold) = (0u64, 0u64);
    for line in &home.bill.lines {
        match line {
            Line::Bought { energy, .. } => bought += energy.0,
            Line::Sold { energy, .. } => sold += energy.0,
            Line::OwnUse { .. } | Line::Shortfall { .. } | Line::PaidOff { .. } => {}
        }
    }
    let (import, export) = (home.bill.import, home.bill.export);
    let burned = (import.0 + before.shortfall.0).saturating_sub(home.shortfall.0);
    let holding_before = (home.holding.0 + sold + burned).saturating_sub(export.0 + bought);
    Flow {
        import,
        export,
        holding_before: Wh(holding_before),
        holding_after: home.holding,
        shortfall_before: before.shortfall,
        shortfall_after: home.shortfall,
        bought_before: before.bought_left,
    }
}
