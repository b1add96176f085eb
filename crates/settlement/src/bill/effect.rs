//! Bills slot after slot, each in one commit.

use super::BillPolicy;
use super::decide::{self, FeederBooks, Members, SlotFacts, trade};
use super::month;
use crate::service::Settlement;
use crate::shortfall::Billed;
use crate::step::Trouble;
use jirani_chain::reported_rows;
use jirani_market::bill::{Period, Total};
use jirani_market::nairobi;
use jirani_market::report::awaited_after;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{Change, DayBillRecord, HouseholdKind, OrderRecord, SlotRecord};
use jirani_units::{Clock as _, HouseholdId, OrderId, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// Slots are looked for this often, in seconds, this long after the quarter of an hour: by
/// then the one before has usually been attested.
const LOOK_S: i64 = 900;
const LOOK_AFTER_S: i64 = 300;
/// A slot is billed this long after its attestation landed, in seconds: by then every order
/// settled until that moment is stored.
const LAG_S: i64 = 60;
/// Slots read at once.
const SLOTS: u32 = 96;

/// Books of every feeder, as the last kept rows have them.
#[derive(Default)]
pub(crate) struct Billing {
    pub(super) policy: OnceLock<BillPolicy>,
    feeders: tokio::sync::Mutex<HashMap<u16, FeederBooks>>,
}

impl Billing {
    /// Length of a slot, in seconds.
    pub(crate) fn slot_length_s(&self) -> u32 {
        self.policy.get().copied().unwrap_or_default().slot_length_s
    }
}

impl Settlement {
    /// Sets how bills are made; before [`Settlement::run`], once.
    pub fn bill_by(&self, policy: BillPolicy) {
        // A second one would be a surprise to whoever set the first.
        let _ = self.billing.policy.set(policy);
    }

    /// Bills every slot that was attested before this moment, in order; says when to look
    /// again.
    pub(crate) async fn advance_bills(&self) -> Result<Option<Timestamp>, Trouble> {
        let now = self.clock.now();
        let mut feeders: BTreeMap<u16, Members> = BTreeMap::new();
        for record in self.store.households().await? {
            feeders.entry(record.feeder).or_default().insert(record.id, record.kind);
        }
        let mut homes: Vec<Billed> = Vec::new();
        let mut books = self.billing.feeders.lock().await;
        for (feeder, members) in &feeders {
            let mut standing = match books.remove(feeder) {
                Some(standing) => standing,
                None => self.restored_books(*feeder, members).await?,
            };
            let awaited_since = standing.through.max(awaited_after(now));
            let awaited = self.store.unattested_slots(*feeder, awaited_since, 1).await?.pop();
            loop {
                let slots = self.store.attested_slots_after(*feeder, standing.through, SLOTS).await?;
                let found = slots.len();
                let mut billed = 0;
                for slot in slots {
                    // An earlier one that lands late would be billed by nobody.
                    let is_next = awaited.as_ref().is_none_or(|awaited| slot.end < awaited.end);
                    let told = slot.attested_at.filter(|at| is_next && at.plus_seconds(LAG_S) <= now);
                    let Some(attested_at) = told else { break };
                    standing = self.bill_slot(standing, &slot, attested_at, members).await?;
                    billed += 1;
                }
                if billed < found || found < SLOTS as usize {
                    break;
                }
            }
            homes.extend(standing.books.iter().filter_map(|(household, book)| {
                let is_home = members.get(household) == Some(&HouseholdKind::Home);
                (is_home && book.registers.is_some()).then_some((
                    *household,
                    standing.through,
                    book.shortfall,
                ))
            }));
            books.insert(*feeder, standing);
        }
        drop(books);
        self.advance_walk(&homes).await?;
        let next = (now.seconds() - LOOK_AFTER_S).div_euclid(LOOK_S) + 1;
        Ok(Some(Timestamp::from_seconds(next * LOOK_S + LOOK_AFTER_S)))
    }

    async fn bill_slot(
        &self,
        before: FeederBooks,
        slot: &SlotRecord,
        attested_at: Timestamp,
        members: &Members,
    ) -> Result<FeederBooks, Trouble> {
        let reports = self.store.attestation_reports(slot.feeder, slot.end).await?;
        let told = reports.iter().flat_map(|report| reported_rows(report));
        let orders = self.settled_orders(before.attested_at, attested_at, members).await?;
        let facts = SlotFacts {
            slot,
            attested_at,
            length_s: self.billing.slot_length_s(),
            told: told.map(|row| (row.household, row)).collect(),
            orders: &orders,
            members,
            tariffs: &self.config.tariffs,
        };
        let running = before.running_day();
        let billed = decide::bill(before, &facts).map_err(Trouble::Stuck)?;
        let days = (running, billed.next.running_day());
        let mut changes = self.month_ends(days, &billed.days, members).await?;
        changes.extend(billed.days.into_iter().map(Change::DayBill));
        changes.push(Change::SlotBills(Box::new(billed.record)));
        self.store.commit(changes).await?;
        Ok(billed.next)
    }

    /// Each home is told of the month that is over, when a slot begins another.
    async fn month_ends(
        &self,
        (before, after): (Option<i64>, Option<i64>),
        closed: &[DayBillRecord],
        members: &Members,
    ) -> Result<Vec<Change>, Trouble> {
        let (Some(last), Some(first)) = (before, after) else { return Ok(Vec::new()) };
        let month = |day| Period::Month.of(nairobi::day_start(day));
        let over = month(last);
        if over == month(first) {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for day in closed.iter().filter(|day| members.get(&day.household) == Some(&HouseholdKind::Home)) {
            let mut total = Total::default();
            month::add(&mut total, &day.total);
            let earlier = self.store.day_bills(day.household, last - 30, last - 1).await?;
            for day in earlier.iter().filter(|day| month(day.day) == over) {
                month::add(&mut total, &day.total);
            }
            changes.push(month::notice(day.household, &over, &total, self.clock.now()));
        }
        Ok(changes)
    }

    /// A feeder's books as the kept rows have them.
    async fn restored_books(&self, feeder: u16, members: &Members) -> Result<FeederBooks, Trouble> {
        let Some(last) = self.store.last_slot_bills(feeder, false).await? else {
            return Ok(FeederBooks::new(feeder));
        };
        let mut books = FeederBooks::of(&last);
        let whole = self.store.last_slot_bills(feeder, true).await?;
        let (from, attested_at) =
            whole.as_ref().map_or((Timestamp(i64::MIN), Timestamp(i64::MIN)), |whole| {
                (whole.slot.end(), whole.attested_at)
            });
        books.since.from = whole.as_ref().map(|whole| whole.slot.end());
        let mut held: HashMap<HouseholdId, decide::Book> =
            whole.as_ref().map_or_else(HashMap::new, |whole| {
                whole.homes.iter().map(|home| (home.bill.household, decide::Book::of(home))).collect()
            });
        let day = nairobi::day(last.slot.start);
        let mut after = from.min(nairobi::day_start(day));
        loop {
            let page = self.store.slot_bills(feeder, after, last.slot.end(), PAGE_MAX).await?;
            let Some(newest) = page.last() else { break };
            after = newest.slot.end();
            for record in &page {
                if record.slot.start >= from {
                    books.since.from.get_or_insert(record.slot.start);
                    for home in &record.homes {
                        let book = held.entry(home.bill.household).or_default();
                        books.since.add(home.bill.household, book, &decide::flow_of(book, home));
                        *book = decide::Book::of(home);
                    }
                }
                if nairobi::day(record.slot.start) == day {
                    books.count_day(record);
                }
            }
        }
        self.heard_since(feeder, Timestamp(from.0.saturating_sub(1)), &mut books).await?;
        let orders = self.settled_orders(attested_at, last.attested_at, members).await?;
        books.since.trades = orders.iter().map(|order| trade(order, &self.config.tariffs)).collect();
        Ok(books)
    }

    /// When each record was last attested in slots that end after `from` and are billed.
    async fn heard_since(
        &self,
        feeder: u16,
        mut from: Timestamp,
        books: &mut FeederBooks,
    ) -> Result<(), Trouble> {
        while from < books.through {
            let slots = self.store.attested_slots_after(feeder, from, SLOTS).await?;
            let Some(last) = slots.last() else { return Ok(()) };
            from = last.end;
            for slot in slots.iter().filter(|slot| slot.end <= books.through) {
                books.since.hear(slot);
            }
        }
        Ok(())
    }

    /// Orders of the feeder's members that were settled with `after < moment <= through`.
    async fn settled_orders(
        &self,
        after: Timestamp,
        through: Timestamp,
        members: &Members,
    ) -> Result<Vec<OrderRecord>, Trouble> {
        let (mut orders, mut last) = (Vec::new(), (after, OrderId(u64::MAX)));
        loop {
            let page = self.store.orders_settled(last, through, PAGE_MAX).await?;
            let is_all = page.len() < PAGE_MAX as usize;
            if let Some(newest) = page.last() {
                last = (newest.final_at.unwrap_or(through), newest.id);
            }
            orders.extend(page.into_iter().filter(|order| is_of(members, order)));
            if is_all {
                return Ok(orders);
            }
        }
    }
}

/// Whether one of a feeder's records bought or sold.
fn is_of(members: &Members, order: &OrderRecord) -> bool {
    let mut parties = std::iter::once(order.buyer).chain(order.fills.iter().map(|fill| fill.seller));
    parties.any(|party| members.contains_key(&party))
}
