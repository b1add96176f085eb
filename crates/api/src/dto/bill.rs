//! Bills, and the feeder's slots on the operator's desk.

use super::{Time, exact_required};
use jirani_market::bill::{Line, SlotBill, Total};
use jirani_market::report::{CurtailmentReason, SlotReport};
use jirani_store::{CurtailmentRecord, DayBillRecord};
use jirani_units::HouseholdId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A household's month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillMonthView {
    /// `2026-11`, in Nairobi.
    pub month: String,
    /// Days with energy, oldest first; the running one is not complete.
    pub days: Vec<BillDayView>,
    /// All of them together.
    pub total: BillTotalView,
    /// End of the last slot that is billed; null before the first.
    pub billed_through: Option<Time>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillDayView {
    /// `2026-11-23`, in Nairobi.
    pub day: String,
    /// Its sums.
    pub total: BillTotalView,
}

/// Sums over slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillTotalView {
    /// Drawn from the grid.
    pub import_wh: u64,
    /// Pushed into it.
    pub export_wh: u64,
    /// Bought.
    pub bought_wh: u64,
    /// Sold.
    pub sold_wh: u64,
    /// Own energy pushed before and drawn later.
    pub own_use_wh: u64,
    /// Drawn and owed.
    pub shortfall_wh: u64,
    /// Paid for what was bought, with fee and tax.
    pub paid_cents: i64,
    /// Of that, grid fee.
    pub fee_cents: i64,
    /// Of that, tax.
    pub tax_cents: i64,
    /// Received for what was sold.
    pub received_cents: i64,
    /// What came to be owed, at retail, less what was paid off; negative where more was paid off.
    pub owed_cents: i64,
    /// What the same would have cost with the tariff alone; negative when it would have brought more.
    pub tariff_alone_cents: i64,
    /// Saved and earned against the tariff alone; never negative.
    pub gain_cents: i64,
}

impl BillTotalView {
    /// Adds a day.
    pub fn add(&mut self, day: &DayBillRecord) {
        let Total { bought, sold, own_use, shortfall, paid, fee, tax, received, owed, gain } = day.total;
        self.import_wh += day.import.0;
        self.export_wh += day.export.0;
        self.bought_wh += bought.0;
        self.sold_wh += sold.0;
        self.own_use_wh += own_use.0;
        self.shortfall_wh += shortfall.0;
        self.paid_cents += paid.0;
        self.fee_cents += fee.0;
        self.tax_cents += tax.0;
        self.received_cents += received.0;
        self.owed_cents += owed.0;
        self.tariff_alone_cents += day.tariff_alone().0;
        self.gain_cents += gain.0;
    }
}

/// One slot of a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillSlotView {
    /// First moment.
    pub start: Time,
    /// First moment after it.
    pub end: Time,
    /// Drawn from the grid.
    pub import_wh: u64,
    /// Pushed into it.
    pub export_wh: u64,
    /// What was bought, sold, used, owed.
    pub lines: Vec<BillLineView>,
    /// Against the tariff alone.
    pub gain_cents: i64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillLineKind {
    /// Bought of neighbours or the operator.
    Bought,
    /// Sold to one of them.
    Sold,
    /// Own energy used later.
    OwnUse,
    /// Drawn and owed.
    Shortfall,
    /// Owed before, and no more.
    PaidOff,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillLineView {
    /// What it is.
    pub kind: BillLineKind,
    /// With whom; empty for own use, shortfall and what was paid off.
    pub with: Vec<BillPartView>,
    /// In all.
    pub energy_wh: u64,
    /// Received, or owed no more; negative for what was paid or is owed.
    pub amount_cents: i64,
    /// Of that, grid fee.
    pub fee_cents: i64,
    /// Of that, tax.
    pub tax_cents: i64,
    /// Against the tariff alone.
    pub gain_cents: i64,
}

/// A neighbour's part of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillPartView {
    /// What neighbours call it.
    pub alias: String,
    /// Its energy.
    pub energy_wh: u64,
    /// The seller's net price.
    pub price_cents_per_kwh: u32,
}

impl BillSlotView {
    /// A bill with its neighbours' aliases.
    pub fn of(bill: &SlotBill, alias: impl Fn(HouseholdId) -> String) -> Self {
        let part = |household: HouseholdId, energy_wh: u64, price: u32| BillPartView {
            alias: alias(household),
            energy_wh,
            price_cents_per_kwh: price,
        };
        let lines = bill.lines.iter().map(|line| {
            let (kind, with, energy, amount, fee, tax) = match line {
                Line::Bought { from, energy, due, fee, tax, .. } => {
                    let with = from.iter().map(|(seller, energy, price)| part(*seller, energy.0, price.0));
                    (BillLineKind::Bought, with.collect(), energy, -due.0, fee.0, tax.0)
                }
                Line::Sold { to, energy, price, received, .. } => {
                    (BillLineKind::Sold, vec![part(*to, energy.0, price.0)], energy, received.0, 0, 0)
                }
                Line::OwnUse { energy, .. } => (BillLineKind::OwnUse, Vec::new(), energy, 0, 0, 0),
                Line::Shortfall { energy, at_retail } => {
                    (BillLineKind::Shortfall, Vec::new(), energy, -at_retail.0, 0, 0)
                }
                Line::PaidOff { energy, at_retail } => {
                    (BillLineKind::PaidOff, Vec::new(), energy, at_retail.0, 0, 0)
                }
            };
            BillLineView {
                kind,
                with,
                energy_wh: energy.0,
                amount_cents: amount,
                fee_cents: fee,
                tax_cents: tax,
                gain_cents: line.gain().0,
            }
        });
        Self {
            start: bill.slot.start.into(),
            end: bill.slot.end().into(),
            import_wh: bill.import.0,
            export_wh: bill.export.0,
            lines: lines.collect(),
            gain_cents: bill.gain().0,
        }
    }
}

/// How far a feeder's slot is known as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotReportState {
    /// All of it, and it sums to zero.
    Whole,
    /// All of it, and it does not add up.
    Broken,
    /// Not all meters have spoken: a later report covers it.
    Waits,
}

/// One slot of a feeder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotReportView {
    /// Feeder.
    pub feeder: u16,
    /// First moment of the slot.
    pub start: Time,
    /// First moment after it.
    pub end: Time,
    /// How far it is known.
    pub state: SlotReportState,
    /// What is missing or wrong; empty when whole.
    pub note: String,
    /// From when on the figures count; null unless whole.
    pub from: Option<Time>,
    /// The figures; null unless whole.
    pub figures: Option<SlotFiguresView>,
    /// What was not produced in the slot.
    pub curtailed: Vec<CurtailmentView>,
}

/// A feeder's figures. They sum to zero: energy in = energy out + losses, and all money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotFiguresView {
    /// Pushed into the feeder by households and plant.
    pub energy_in_wh: u64,
    /// Drawn from it by households and plant.
    pub energy_out_wh: u64,
    /// In less out, by the loss record.
    pub losses_wh: u64,
    /// Sold by households to households.
    pub traded_wh: u64,
    /// Sold by households to the operator.
    pub bought_back_wh: u64,
    /// Sold by the operator to households.
    pub operator_sold_wh: u64,
    /// What households owe more than before; negative when less.
    pub shortfall_grown_wh: i64,
    /// Tokens of all less what all owe: zero on a feeder metered from its first day.
    pub holdings_less_owed_wh: i64,
    /// Net money of each record that traded, by alias.
    pub money: Vec<SlotMoneyView>,
    /// Grid fees.
    pub fees_cents: i64,
    /// Taxes.
    pub taxes_cents: i64,
    /// Fractions of a cent.
    pub rounding_cents: i64,
    /// All of the money: zero.
    pub money_sum_cents: i64,
}

/// One record's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotMoneyView {
    /// Whose.
    pub alias: String,
    /// Received less paid.
    pub net_cents: i64,
}

impl SlotFiguresView {
    /// A report with aliases.
    pub fn of(report: &SlotReport, alias: impl Fn(HouseholdId) -> String) -> Self {
        let within = |wh: i128| i64::try_from(wh).unwrap_or(if wh < 0 { i64::MIN } else { i64::MAX });
        Self {
            energy_in_wh: report.energy_in.0,
            energy_out_wh: report.energy_out.0,
            losses_wh: report.losses.0,
            traded_wh: report.traded.0,
            bought_back_wh: report.bought_back.0,
            operator_sold_wh: report.operator_sold.0,
            shortfall_grown_wh: within(report.shortfall_grown_wh),
            holdings_less_owed_wh: within(report.holdings_less_owed_wh),
            money: report
                .money
                .iter()
                .map(|(household, cents)| SlotMoneyView { alias: alias(*household), net_cents: cents.0 })
                .collect(),
            fees_cents: report.fees.0,
            taxes_cents: report.taxes.0,
            rounding_cents: report.rounding.0,
            money_sum_cents: report.money_sum().0,
        }
    }
}

/// Why energy was not taken although the sun shone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CurtailmentReasonView {
    /// The battery is full and nobody draws.
    BatteryFull,
    /// The frequency or voltage is too high.
    GridLimit,
    /// Work on the line.
    Maintenance,
}

impl From<CurtailmentReason> for CurtailmentReasonView {
    fn from(reason: CurtailmentReason) -> Self {
        match reason {
            CurtailmentReason::BatteryFull => Self::BatteryFull,
            CurtailmentReason::GridLimit => Self::GridLimit,
            CurtailmentReason::Maintenance => Self::Maintenance,
        }
    }
}

impl From<CurtailmentReasonView> for CurtailmentReason {
    fn from(reason: CurtailmentReasonView) -> Self {
        match reason {
            CurtailmentReasonView::BatteryFull => Self::BatteryFull,
            CurtailmentReasonView::GridLimit => Self::GridLimit,
            CurtailmentReasonView::Maintenance => Self::Maintenance,
        }
    }
}

/// Energy that was not produced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CurtailmentView {
    /// Its number.
    pub number: u64,
    /// Whose production, by alias.
    pub alias: String,
    /// Estimate.
    pub energy_wh: u64,
    /// Why.
    pub reason: CurtailmentReasonView,
    /// In the operator's words.
    pub note: String,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub at: Time,
}

impl CurtailmentView {
    /// A record with its household's alias.
    pub fn of(record: &CurtailmentRecord, alias: impl Fn(HouseholdId) -> String) -> Self {
        Self {
            number: record.number,
            alias: alias(record.household),
            energy_wh: record.energy.0,
            reason: record.reason.into(),
            note: record.note.clone(),
            by: record.by.clone(),
            at: record.at.into(),
        }
    }
}

/// What the operator records of energy that was not produced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurtailmentRequest {
    /// Whose production.
    pub household_id: u32,
    /// Any moment of the slot, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
    /// Estimate, 1 Wh to 10 MWh.
    #[serde(deserialize_with = "exact_required")]
    pub energy_wh: u64,
    /// Why.
    pub reason: CurtailmentReasonView,
    /// In words, at most 200 characters. No phone numbers.
    #[serde(default)]
    pub note: String,
}
