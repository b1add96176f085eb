//! Bills as they are asked for: closed days from their sums, the running day from its slots.

use super::names::Names;
use crate::app::App;
use crate::dto::bill::{
    BillDayView, BillMonthView, BillSlotView, BillTotalView, CurtailmentView, SlotFiguresView,
    SlotReportState, SlotReportView,
};
use crate::error::ApiError;
use jirani_market::bill::SlotBill;
use jirani_market::nairobi;
use jirani_statement::Period;
use jirani_store::{DayBillRecord, FeederReport, HouseholdRecord, SlotBillsRecord};
use jirani_units::{HouseholdId, Timestamp};

/// Slots read at once.
const PAGE: u32 = 200;

/// A month `2026-11` in Nairobi.
pub(crate) fn month(text: &str) -> Result<Period, ApiError> {
    if text.len() == 7 {
        Ok(text.parse()?)
    } else {
        Err(ApiError::bad_request("api.invalid_month", "A month is written like 2026-11."))
    }
}

/// A day `2026-11-23` in Nairobi.
pub(crate) fn day(text: &str) -> Result<Period, ApiError> {
    if text.len() == 10 {
        Ok(text.parse()?)
    } else {
        Err(ApiError::bad_request("api.invalid_day", "A day is written like 2026-11-23."))
    }
}

/// A household's month: days and their total.
pub(crate) async fn of_month(
    app: &App,
    record: &HouseholdRecord,
    period: &Period,
) -> Result<BillMonthView, ApiError> {
    let store = &app.deps.store;
    let (first, last) = (nairobi::day(period.from()), nairobi::day(Timestamp(period.to().0 - 1)));
    let mut days = store.day_bills(record.id, first, last).await?;
    let running = days.last().map_or(first, |closed| closed.day + 1);
    for bill in slots(app, record, nairobi::day_start(running), period.to()).await? {
        let day = nairobi::day(bill.slot.start);
        if days.last().is_none_or(|last| last.day != day) {
            days.push(DayBillRecord::new(record.id, day));
        }
        if let Some(running) = days.last_mut() {
            running.add(&bill);
        }
    }
    let billed = store.last_slot_bills(record.feeder, false).await?;
    let mut total = BillTotalView::default();
    let mut views = Vec::with_capacity(days.len());
    for day in &days {
        total.add(day);
        let mut own = BillTotalView::default();
        own.add(day);
        views.push(BillDayView { day: nairobi::date(nairobi::day_start(day.day)), total: own });
    }
    Ok(BillMonthView {
        month: period.label().to_owned(),
        days: views,
        total,
        billed_through: billed.map(|last| last.slot.end().into()),
    })
}

/// A household's slots of a day.
pub(crate) async fn of_day(
    app: &App,
    record: &HouseholdRecord,
    period: &Period,
) -> Result<Vec<BillSlotView>, ApiError> {
    let names = Names::read(app).await?;
    let bills = slots(app, record, period.from(), period.to()).await?;
    Ok(bills.iter().map(|bill| BillSlotView::of(bill, |household| names.alias(household))).collect())
}

/// A household's bills of slots with `from <= start < to`, oldest first: a slot belongs to the
/// day and month in which it begins.
pub(crate) async fn slots(
    app: &App,
    record: &HouseholdRecord,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<SlotBill>, ApiError> {
    let mut bills = Vec::new();
    let mut after = from;
    loop {
        let page = app.deps.store.slot_bills(record.feeder, after, to, PAGE).await?;
        let Some(last) = page.last() else { return Ok(bills) };
        after = last.slot.end();
        bills.extend(page.iter().filter_map(|slot| slot.home(record.id).map(|home| home.bill.clone())));
    }
}

/// A feeder's slots that begin in a day.
pub(crate) async fn reports(
    app: &App,
    feeder: u16,
    period: &Period,
) -> Result<Vec<SlotReportView>, ApiError> {
    let names = Names::read(app).await?;
    let store = &app.deps.store;
    let (mut views, mut after) = (Vec::new(), period.from());
    loop {
        let page = store.slot_bills(feeder, after, period.to(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(views) };
        let curtailed = store.curtailments(feeder, after, last.slot.end()).await?;
        after = last.slot.end();
        views.extend(page.iter().map(|slot| {
            let of_slot = curtailed.iter().filter(|record| record.slot_end == slot.slot.end());
            let curtailed =
                of_slot.map(|record| CurtailmentView::of(record, |household| names.alias(household)));
            report(slot, curtailed.collect(), |household| names.alias(household))
        }));
    }
}

fn report(
    record: &SlotBillsRecord,
    curtailed: Vec<CurtailmentView>,
    alias: impl Fn(HouseholdId) -> String,
) -> SlotReportView {
    let (state, note, from, figures) = match &record.report {
        FeederReport::Whole { from, report } => {
            (SlotReportState::Whole, String::new(), Some(*from), Some(SlotFiguresView::of(report, alias)))
        }
        FeederReport::Broken { what, .. } => (SlotReportState::Broken, what.clone(), None, None),
        FeederReport::Waits(what) => (SlotReportState::Waits, what.clone(), None, None),
    };
    SlotReportView {
        feeder: record.feeder,
        start: record.slot.start.into(),
        end: record.slot.end().into(),
        state,
        note,
        from: from.map(Into::into),
        figures,
        curtailed,
    }
}
