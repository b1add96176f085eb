use crate::error::StoreError;
use jirani_market::Tariff;
use jirani_market::bill::{Line, SlotBill, Total};
use jirani_market::report::{CurtailmentReason, SlotReport};
use jirani_units::{Cents, HouseholdId, Price, Slot, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// A household's bill of one slot, and where its books stand after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeBill {
    /// Energy, lines, and what is left of what was bought.
    pub bill: SlotBill,
    /// Export register, as last attested.
    pub export_register: Wh,
    /// Import register, as last attested.
    pub import_register: Wh,
    /// Tokens in vault and offers after the slot.
    pub holding: Wh,
    /// Energy owed after the slot.
    pub shortfall: Wh,
}

/// What is known of a feeder's slot as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeederReport {
    /// Everything from `from` to the slot's end, summing to zero.
    Whole {
        /// End of the last slot that was whole, or the first slot's start.
        from: Timestamp,
        /// The report.
        report: Box<SlotReport>,
    },
    /// All of the feeder is attested, and it does not add up: says why.
    Broken {
        /// As above.
        from: Timestamp,
        /// The first difference.
        what: String,
    },
    /// Not all of the feeder is attested through the slot: a later report covers it. Says
    /// what is missing.
    Waits(String),
}

/// The bills of all records of a feeder for one slot. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotBillsRecord {
    /// Feeder.
    pub feeder: u16,
    /// Slot; with the feeder the identity.
    pub slot: Slot,
    /// When its attestation landed: orders settled until then, and after the slot before,
    /// are part of it.
    pub attested_at: Timestamp,
    /// In force at the slot's start.
    pub tariff: Tariff,
    /// Every record of the feeder attested so far, by household.
    pub homes: Vec<HomeBill>,
    /// The feeder.
    pub report: FeederReport,
}

/// One home as it is kept: household, export and import register, import, export,
/// holding, shortfall, what is left of what was bought, lines.
type PackedHome = (u32, u64, u64, u64, u64, u64, u64, u64, Vec<Line>);

#[derive(Serialize, Deserialize)]
struct Packed {
    /// Retail, buy-back, grid fee, tax.
    tariff: [u32; 4],
    homes: Vec<PackedHome>,
}

impl SlotBillsRecord {
    /// Tariff and homes as every database keeps them: compact, since most homes draw or
    /// push something in every slot.
    pub fn packed(&self) -> String {
        let Tariff { retail, buy_back, grid_fee, tax } = self.tariff;
        let homes = self.homes.iter().map(|home| {
            let bill = &home.bill;
            (
                bill.household.0,
                home.export_register.0,
                home.import_register.0,
                bill.import.0,
                bill.export.0,
                home.holding.0,
                home.shortfall.0,
                bill.bought_left.0,
                bill.lines.clone(),
            )
        });
        let packed = Packed { tariff: [retail.0, buy_back.0, grid_fee.0, tax.0], homes: homes.collect() };
        // INVARIANT: numbers, and lines that are plain data.
        #[expect(clippy::expect_used, reason = "see the invariant")]
        serde_json::to_string(&packed).expect("bills are plain data")
    }

    /// A record from what [`Self::packed`] and the other columns keep.
    pub fn unpacked(
        feeder: u16,
        slot: Slot,
        attested_at: Timestamp,
        bills: &str,
        report: &str,
    ) -> Result<Self, StoreError> {
        let damaged =
            |_| StoreError::Damaged { what: format!("the bills of feeder {feeder} at {}", slot.end()) };
        let packed: Packed = serde_json::from_str(bills).map_err(damaged)?;
        let report = serde_json::from_str(report).map_err(damaged)?;
        let [retail, buy_back, grid_fee, tax] = packed.tariff.map(Price);
        let homes = packed.homes.into_iter().map(|home| {
            let (
                household,
                export_register,
                import_register,
                import,
                export,
                holding,
                shortfall,
                left,
                lines,
            ) = home;
            HomeBill {
                bill: SlotBill {
                    household: HouseholdId(household),
                    slot,
                    import: Wh(import),
                    export: Wh(export),
                    lines,
                    bought_left: Wh(left),
                },
                export_register: Wh(export_register),
                import_register: Wh(import_register),
                holding: Wh(holding),
                shortfall: Wh(shortfall),
            }
        });
        let tariff = Tariff { retail, buy_back, grid_fee, tax };
        Ok(Self { feeder, slot, attested_at, tariff, homes: homes.collect(), report })
    }

    /// The report as every database keeps it.
    pub fn packed_report(&self) -> String {
        // INVARIANT: numbers and text; the only map has numbers as keys.
        #[expect(clippy::expect_used, reason = "see the invariant")]
        serde_json::to_string(&self.report).expect("a report is plain data")
    }

    /// Whether all of the feeder is attested through the slot: the next report begins here.
    pub const fn is_whole(&self) -> bool {
        !matches!(self.report, FeederReport::Waits(_))
    }

    /// One record's part.
    pub fn home(&self, household: HouseholdId) -> Option<&HomeBill> {
        let place = self.homes.binary_search_by_key(&household, |home| home.bill.household).ok()?;
        self.homes.get(place)
    }
}

/// A household's bills of one day in Nairobi, added up when the day was over. Never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayBillRecord {
    /// Whose.
    pub household: HouseholdId,
    /// Number of the day in Nairobi, counted from 1970-01-01.
    pub day: i64,
    /// Drawn from the grid.
    pub import: Wh,
    /// Pushed into it.
    pub export: Wh,
    /// Sums over the lines.
    pub total: Total,
}

impl DayBillRecord {
    /// Nothing yet.
    pub fn new(household: HouseholdId, day: i64) -> Self {
        Self { household, day, ..Self::default() }
    }

    /// Adds a slot.
    pub fn add(&mut self, bill: &SlotBill) {
        self.import.0 += bill.import.0;
        self.export.0 += bill.export.0;
        self.total.add(bill);
    }

    /// What the same energy would have cost with the tariff alone: negative when buy-back
    /// would have brought more. What was pushed and is still held counts in neither.
    pub const fn tariff_alone(&self) -> Cents {
        Cents(self.total.paid.0 - self.total.received.0 + self.total.owed.0 + self.total.gain.0)
    }
}

/// Energy that was not produced, as the operator recorded it. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurtailmentRecord {
    /// Its number, of the sequence `curtailment`; unique.
    pub number: u64,
    /// Feeder.
    pub feeder: u16,
    /// End of the slot.
    pub slot_end: Timestamp,
    /// Whose production.
    pub household: HouseholdId,
    /// Estimate.
    pub energy: Wh,
    /// Why.
    pub reason: CurtailmentReason,
    /// In the operator's words. No phone numbers.
    pub note: String,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The caller's idempotency key; unique per household. Empty for what was recorded without.
    pub key: String,
}
