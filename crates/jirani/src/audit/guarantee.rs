//! T1: no household is ever worse off than with the tariff alone.
//!
//! Every kept bill is made again from attested rows, settled orders, announced tariffs and
//! the journal, by arithmetic of its own and the prices of the moment at which each order was
//! made, or the slot began: a purchase never costs more than retail for the same lot, a sale
//! never brings less than buy-back, own energy used later is worth what lies between, and
//! what is owed is priced at retail like with the tariff alone, and taken off again at retail
//! once it is paid off. A bill that differs, whose lines do not follow from what was attested
//! and settled, or whose sales are not the journal's, is a violation.

use super::Finding;
use super::evidence::History;
use jirani_ledger::templates::orders;
use jirani_ledger::{Account, Kind, Reason, Transfer};
use jirani_market::Tariff;
use jirani_market::bill::Line;
use jirani_market::schedule::Schedule;
use jirani_store::{
    AttestedRow, HomeBill, HouseholdKind, JournalRow, OrderRecord, OrderState, SlotBillsRecord,
};
use jirani_units::{Cents, HouseholdId, OrderId, Price, Timestamp, Wh};
use std::collections::{BTreeMap, BTreeSet};

/// Where a household's books stood after the slot before.
#[derive(Clone, Copy, Default)]
struct Book {
    registers: Option<(Wh, Wh)>,
    holding: u64,
    shortfall: u64,
    bought: u64,
}

/// Goes through the kept bills of all feeders, page by page.
pub struct Guarantee<'a> {
    attested: BTreeMap<HouseholdId, &'a History>,
    /// Settled orders, by the moment and id.
    settled: Vec<&'a OrderRecord>,
    /// Prices by the moment; none where no tariff was ever announced.
    schedule: Option<&'a Schedule>,
    /// What sales brought by the journal, by household: moment and amount.
    sales: BTreeMap<HouseholdId, Vec<(Timestamp, i64)>>,
    books: BTreeMap<HouseholdId, Book>,
    /// What sales brought by the bills.
    received: BTreeMap<HouseholdId, i64>,
    /// When each feeder's last billed slot was attested.
    through: BTreeMap<u16, Timestamp>,
    slots: u64,
    difference: Option<String>,
}

impl<'a> Guarantee<'a> {
    /// Prepares.
    pub fn new(
        attested: &'a [History],
        orders: &'a [OrderRecord],
        journal: &[JournalRow],
        schedule: Option<&'a Schedule>,
    ) -> Self {
        let mut settled: Vec<&OrderRecord> =
            orders.iter().filter(|order| order.state == OrderState::Settled).collect();
        settled.sort_by_key(|order| (order.final_at, order.id));
        let by_id: BTreeMap<OrderId, &OrderRecord> = settled.iter().map(|order| (order.id, *order)).collect();
        let homes = attested.iter().filter(|history| history.household.kind == HouseholdKind::Home);
        let homes: BTreeSet<HouseholdId> = homes.map(|history| history.household.id).collect();
        let mut sales: BTreeMap<HouseholdId, Vec<(Timestamp, i64)>> = BTreeMap::new();
        let is_sale = |transfer: &&Transfer| (transfer.reason, transfer.kind) == (Reason::Sale, Kind::Posted);
        for transfer in journal.iter().map(|row| &row.transfer).filter(is_sale) {
            let (order, place) = orders::fill_of(transfer).unzip();
            let order = order.and_then(|order| by_id.get(&order));
            let seller = match transfer.credit {
                Account::Household(seller) => Some(seller),
                // All of the operator's records sell into one account.
                Account::OperatorSales => order
                    .and_then(|order| order.fills.get(usize::from(place?)))
                    .map(|fill| fill.seller)
                    .filter(|seller| !homes.contains(seller)),
                _ => None,
            };
            if let Some(seller) = seller {
                // A bill takes an order by when it was settled, which is after the attestation
                // that its call follows, even where both are of one moment of the clock.
                let at = order.and_then(|order| order.final_at).unwrap_or(transfer.at);
                sales.entry(seller).or_default().push((at, transfer.amount.0));
            }
        }
        for sales in sales.values_mut() {
            sales.sort_unstable();
        }
        Self {
            attested: attested.iter().map(|history| (history.household.id, history)).collect(),
            settled,
            schedule,
            sales,
            books: BTreeMap::new(),
            received: BTreeMap::new(),
            through: BTreeMap::new(),
            slots: 0,
            difference: None,
        }
    }

    /// Takes the next kept slot of a feeder.
    pub fn take(&mut self, record: &SlotBillsRecord) {
        if self.difference.is_none() {
            self.difference = self.check(record);
        }
        self.slots += 1;
        self.through.insert(record.feeder, record.attested_at);
    }

    /// What was found once all were taken.
    pub fn finding(self) -> Finding {
        if let Some(difference) = self.difference {
            return Finding::Violated(difference);
        }
        if self.slots == 0 {
            return Finding::NotChecked("no slot has been billed yet".to_owned());
        }
        for (household, sales) in &self.sales {
            let Some(through) =
                self.attested.get(household).and_then(|history| self.through.get(&history.household.feeder))
            else {
                continue;
            };
            let journal: i64 = sales.iter().filter(|(at, _)| at <= through).map(|(_, cents)| cents).sum();
            let bills = self.received.get(household).copied().unwrap_or(0);
            if journal != bills {
                return Finding::Violated(format!(
                    "household {household}: the journal says that sales brought {}, the bills {}",
                    Cents(journal),
                    Cents(bills)
                ));
            }
        }
        Finding::Holds
    }

    fn check(&mut self, record: &SlotBillsRecord) -> Option<String> {
        let end = record.slot.end();
        let after = self.through.get(&record.feeder).copied().unwrap_or(Timestamp(i64::MIN));
        if after > record.attested_at {
            return Some(format!("feeder {} at {end}: billed out of turn", record.feeder));
        }
        if self.tariff_at(record.slot.start, &record.tariff) != record.tariff {
            return Some(format!(
                "feeder {} at {end}: billed by other prices than were announced",
                record.feeder
            ));
        }
        let before = |moment| self.settled.partition_point(move |order| order.final_at <= Some(moment));
        let orders: Vec<(&OrderRecord, Tariff)> = self.settled[before(after)..before(record.attested_at)]
            .iter()
            .map(|order| (*order, self.tariff_at(order.created_at, &record.tariff)))
            .collect();
        for home in &record.homes {
            let household = home.bill.household;
            let before = self.books.get(&household).copied().unwrap_or_default();
            let told = check_energy(home, &before, self.row_at(household, end))
                .or_else(|| check_lines(home, &before, &orders, &record.tariff))
                .or_else(|| check_sales(home, self.sales_between(household, after, record.attested_at)));
            if let Some(what) = told {
                return Some(format!("household {household} at {end}: {what}"));
            }
            *self.received.entry(household).or_default() += received(home);
            let book = Book {
                registers: Some((home.export_register, home.import_register)),
                holding: home.holding.0,
                shortfall: home.shortfall.0,
                bought: home.bill.bought_left.0,
            };
            self.books.insert(household, book);
        }
        None
    }

    /// What sales of `after < moment <= through` brought by the journal, in cents.
    fn sales_between(&self, household: HouseholdId, after: Timestamp, through: Timestamp) -> i64 {
        let Some(sales) = self.sales.get(&household) else { return 0 };
        let place = |moment| sales.partition_point(|(at, _)| *at <= moment);
        sales[place(after)..place(through)].iter().map(|(_, cents)| cents).sum()
    }

    /// Prices at a moment; `billed` where none were announced.
    fn tariff_at(&self, at: Timestamp, billed: &Tariff) -> Tariff {
        self.schedule
            .map_or(*billed, |schedule| schedule.in_force(at).copied().unwrap_or_else(|| schedule.first()))
    }

    fn row_at(&self, household: HouseholdId, end: Timestamp) -> Option<AttestedRow> {
        let rows = &self.attested.get(&household)?.rows;
        let place = rows.binary_search_by_key(&end, |(end, _)| *end).ok()?;
        rows.get(place).map(|(_, row)| *row)
    }
}

/// Energy of the bill against the attested registers.
fn check_energy(home: &HomeBill, before: &Book, row: Option<AttestedRow>) -> Option<String> {
    let bill = &home.bill;
    let (export, import) = before.registers.unwrap_or_default();
    let Some(row) = row else {
        let is_still = bill.import == Wh::ZERO
            && bill.export == Wh::ZERO
            && (home.export_register, home.import_register) == (export, import);
        return (!is_still).then(|| "energy is billed that was not attested".to_owned());
    };
    if (home.export_register, home.import_register) != (row.export_wh, row.import_wh) {
        return Some("the registers are not those that were attested".to_owned());
    }
    // A replaced meter begins anew.
    if before.registers.is_none() || row.export_wh < export || row.import_wh < import {
        return None;
    }
    let (exported, imported) = (row.export_wh.0 - export.0, row.import_wh.0 - import.0);
    ((bill.export.0, bill.import.0) != (exported, imported)).then(|| {
        format!(
            "billed {} pushed and {} drawn, attested {} and {}",
            bill.export,
            bill.import,
            Wh(exported),
            Wh(imported)
        )
    })
}

/// The lines against orders, tokens and prices; then the promise itself.
fn check_lines(
    home: &HomeBill,
    before: &Book,
    orders: &[(&OrderRecord, Tariff)],
    tariff: &Tariff,
) -> Option<String> {
    let bill = &home.bill;
    let mut expected = Vec::new();
    let (mut bought, mut sold) = (0u64, 0u64);
    for (order, then) in orders {
        if order.buyer == bill.household {
            bought += order.energy_wh().0;
            expected.push(purchase(order, then));
        }
        for fill in order.fills.iter().filter(|fill| fill.seller == bill.household) {
            sold += u64::from(fill.energy_wh);
            expected.push(sale(order.buyer, u64::from(fill.energy_wh), fill.price, then));
        }
    }
    let Some(burned) = (bill.import.0 + before.shortfall).checked_sub(home.shortfall.0) else {
        return Some("more is owed than was drawn".to_owned());
    };
    let came = (before.holding + bill.export.0 + bought).max(sold) - sold;
    if came.checked_sub(burned) != Some(home.holding.0) {
        return Some("its tokens do not follow from its energy and trades".to_owned());
    }
    let of_bought = burned.min(before.bought + bought);
    if burned > of_bought {
        let spread = u64::from(tariff.retail.0.saturating_sub(tariff.buy_back.0));
        let energy = burned - of_bought;
        expected.push(Line::OwnUse { energy: Wh(energy), gain: floor(energy, spread) });
    }
    if home.shortfall.0 > before.shortfall {
        let energy = home.shortfall.0 - before.shortfall;
        let at_retail = ceiling(u128::from(energy) * u128::from(tariff.retail.0));
        expected.push(Line::Shortfall { energy: Wh(energy), at_retail });
    }
    if before.shortfall > home.shortfall.0 {
        let energy = before.shortfall - home.shortfall.0;
        let at_retail = ceiling(u128::from(energy) * u128::from(tariff.retail.0));
        expected.push(Line::PaidOff { energy: Wh(energy), at_retail });
    }
    if expected != bill.lines {
        let line = expected.iter().zip(&bill.lines).take_while(|(ours, kept)| ours == kept).count();
        return Some(format!(
            "line {} of the bill does not follow from what was attested and settled",
            line + 1
        ));
    }
    let worse = bill.lines.iter().position(|line| line.gain().0 < 0)?;
    Some(format!(
        "line {} is worse than the tariff alone by {}",
        worse + 1,
        Cents(-bill.lines[worse].gain().0)
    ))
}

/// What the slot's sales brought against what the journal says of the same orders.
fn check_sales(home: &HomeBill, journal: i64) -> Option<String> {
    let bill = received(home);
    (journal != bill)
        .then(|| format!("the journal says that sales brought {}, the bill {}", Cents(journal), Cents(bill)))
}

/// What its sales brought by the bill, in cents.
fn received(home: &HomeBill) -> i64 {
    let of = |line: &Line| if let Line::Sold { received, .. } = line { received.0 } else { 0 };
    home.bill.lines.iter().map(of).sum()
}

fn purchase(order: &OrderRecord, tariff: &Tariff) -> Line {
    let energy = order.energy_wh();
    let sum = |price: Price| u128::from(energy.0) * u128::from(price.0);
    let net: u128 =
        order.fills.iter().map(|fill| u128::from(fill.energy_wh) * u128::from(fill.price.0)).sum();
    let due = ceiling(net + sum(order.fee) + sum(order.tax));
    // The order's own due is what the ledger moved: it must be the same.
    let due = if due == order.due { due } else { Cents(i64::MAX) };
    Line::Bought {
        from: order
            .fills
            .iter()
            .map(|fill| (fill.seller, Wh(u64::from(fill.energy_wh)), fill.price))
            .collect(),
        energy,
        due,
        fee: floor(energy.0, u64::from(order.fee.0)),
        tax: floor(energy.0, u64::from(order.tax.0)),
        gain: Cents(ceiling(sum(tariff.retail)).0.saturating_sub(due.0)),
    }
}

fn sale(to: HouseholdId, energy: u64, price: Price, tariff: &Tariff) -> Line {
    let received = floor(energy, u64::from(price.0));
    let alone = floor(energy, u64::from(tariff.buy_back.0));
    Line::Sold { to, energy: Wh(energy), price, received, gain: Cents(received.0 - alone.0) }
}

fn floor(energy: u64, price: u64) -> Cents {
    let cents = u128::from(energy) * u128::from(price) / 1_000;
    Cents(i64::try_from(cents).unwrap_or(i64::MAX))
}

fn ceiling(millicents: u128) -> Cents {
    Cents(i64::try_from(millicents.div_ceil(1_000)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_ledger::templates::orders::{PaidFrom, Part, Party, settled};
    use jirani_market::Fill;
    use jirani_market::bill::{Flow, SlotBill, Trade};
    use jirani_market::schedule::Terms;
    use jirani_store::{FeederReport, HouseholdRecord, Language, PayWith};
    use jirani_units::{OfferId, Slot};

    const TARIFF: Tariff =
        Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };
    const BUYER: HouseholdId = HouseholdId(1);
    const SELLER: HouseholdId = HouseholdId(2);
    const FIRST: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };
    const SECOND: Slot = Slot { start: Timestamp::from_seconds(1_800_000_900), length_s: 900 };

    /// When a slot's attestation landed.
    fn landed(slot: Slot) -> Timestamp {
        slot.end().plus_seconds(30)
    }

    /// The call of the first slot: the seller's 1 kWh at 15.00, in clearing at the very moment
    /// at which the attestation landed, settled by the clock a microsecond later.
    fn order() -> OrderRecord {
        OrderRecord {
            id: OrderId(7),
            buyer: BUYER,
            fills: vec![Fill { offer: OfferId(1), seller: SELLER, energy_wh: 1_000, price: Price(1_500) }],
            fee: TARIFF.grid_fee,
            tax: TARIFF.tax,
            due: Cents(1_960),
            pay_with: PayWith::Balance,
            state: OrderState::Settled,
            release_reason: None,
            refusal: None,
            deadline: None,
            proof: None,
            paid_at: None,
            placed_signature: None,
            final_signature: None,
            key: "call".to_owned(),
            created_at: landed(FIRST),
            final_at: Some(Timestamp(landed(FIRST).0 + 1)),
            version: 1,
        }
    }

    /// Of the order: the seller's share, and the moment it was posted at.
    fn journal() -> Vec<JournalRow> {
        let parts = [(Part::Sale(0, Party::Household(SELLER)), Cents(1_500))];
        let transfers = settled(OrderId(7), PaidFrom::Balance, parts, landed(FIRST));
        transfers.into_iter().map(|transfer| JournalRow { sequence: 1, transfer, hash: [0; 32] }).collect()
    }

    fn history(id: HouseholdId, rows: [(u64, u64); 2]) -> History {
        let household = HouseholdRecord {
            id,
            kind: HouseholdKind::Home,
            alias: String::new(),
            name: String::new(),
            msisdn: None,
            language: Language::En,
            meter: None,
            meter_key: [0; 32],
            meter_epoch: 0,
            export_rating_w: 0,
            import_rating_w: 0,
            pv_rated_w: 0,
            feeder: 1,
            chain_address: None,
            enrolled_at: FIRST.start,
            version: 1,
        };
        let row = |(export, import): (u64, u64)| AttestedRow {
            household: id,
            export_wh: Wh(export),
            import_wh: Wh(import),
            estimated: false,
        };
        let rows = [FIRST, SECOND].iter().zip(rows).map(|(slot, registers)| (slot.end(), row(registers)));
        History { household, rows: rows.collect(), around: (None, None) }
    }

    /// The buyer draws 1 kWh and another half; the seller pushed 2 kWh.
    fn attested() -> [History; 2] {
        [history(BUYER, [(0, 1_000), (0, 1_500)]), history(SELLER, [(2_000, 0), (2_000, 0)])]
    }

    fn record(slot: Slot, trades: &[Trade], homes: [(HouseholdId, Flow, (u64, u64)); 2]) -> SlotBillsRecord {
        let homes = homes.map(|(household, flow, (export, import))| HomeBill {
            bill: SlotBill::new(household, slot, &TARIFF, &flow, trades).unwrap(),
            export_register: Wh(export),
            import_register: Wh(import),
            holding: flow.holding_after,
            shortfall: flow.shortfall_after,
        });
        SlotBillsRecord {
            feeder: 1,
            slot,
            attested_at: landed(slot),
            tariff: TARIFF,
            homes: homes.into(),
            report: FeederReport::Waits(String::new()),
        }
    }

    /// Both slots as they are billed: the call belongs to the second.
    fn kept() -> [SlotBillsRecord; 2] {
        let drawn = Flow { import: Wh(1_000), shortfall_after: Wh(1_000), ..Flow::default() };
        let pushed = Flow { export: Wh(2_000), holding_after: Wh(2_000), ..Flow::default() };
        let bought = Flow {
            import: Wh(500),
            shortfall_before: Wh(1_000),
            shortfall_after: Wh(500),
            ..Flow::default()
        };
        let sold = Flow { holding_before: Wh(2_000), holding_after: Wh(1_000), ..Flow::default() };
        let trade = Trade { buyer: BUYER, fills: order().fills, terms: Terms::of(&TARIFF) };
        [
            record(FIRST, &[], [(BUYER, drawn, (0, 1_000)), (SELLER, pushed, (2_000, 0))]),
            record(SECOND, &[trade], [(BUYER, bought, (0, 1_500)), (SELLER, sold, (2_000, 0))]),
        ]
    }

    fn finding(kept: &[SlotBillsRecord], journal: &[JournalRow]) -> Finding {
        let (attested, orders) = (attested(), [order()]);
        let mut guarantee = Guarantee::new(&attested, &orders, journal, None);
        for record in kept {
            guarantee.take(record);
        }
        guarantee.finding()
    }

    fn is_found(finding: &Finding, parts: [&str; 3]) {
        assert!(
            matches!(finding, Finding::Violated(what) if parts.iter().all(|part| what.contains(part))),
            "{finding:?}"
        );
    }

    #[test]
    fn a_call_settled_at_the_moment_its_slot_was_attested_stands_in_the_next_bill() {
        assert_eq!(finding(&kept(), &journal()), Finding::Holds);
        assert_eq!(finding(&kept()[..1], &journal()), Finding::Holds);
    }

    #[test]
    fn a_changed_line_is_found_with_its_household_and_slot() {
        let mut kept = kept();
        let Line::Bought { due, .. } = &mut kept[1].homes[0].bill.lines[0] else { panic!("{kept:?}") };
        *due = Cents(1_961);
        let end = format!(" at {}", SECOND.end());
        is_found(&finding(&kept, &journal()), ["household 1", &end, "line 1"]);
    }

    #[test]
    fn a_debt_that_is_not_taken_off_once_it_is_paid_off_is_found() {
        let mut kept = kept();
        let last = kept[1].homes[0].bill.lines.pop();
        assert!(matches!(last, Some(Line::PaidOff { energy: Wh(500), .. })), "{last:?}");
        let end = format!(" at {}", SECOND.end());
        is_found(&finding(&kept, &journal()), ["household 1", &end, "line 2"]);
    }

    #[test]
    fn a_changed_register_is_found_with_its_household_and_slot() {
        let mut kept = kept();
        kept[0].homes[1].export_register = Wh(2_001);
        let end = format!(" at {}", FIRST.end());
        is_found(&finding(&kept, &journal()), ["household 2", &end, "registers"]);
    }

    #[test]
    fn a_changed_amount_of_the_journal_is_found_with_its_household_and_slot() {
        let mut journal = journal();
        journal[0].transfer.amount = Cents(1_499);
        let end = format!(" at {}", SECOND.end());
        is_found(&finding(&kept(), &journal), ["household 2", &end, "KSh 14.99"]);
    }
}
