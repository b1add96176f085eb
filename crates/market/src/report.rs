//! The slot of a feeder on one page: energy in and out, losses, trade, what the operator
//! bought back and sold, what is owed, and money. Everything sums to zero, or there is no
//! report but the first difference.

use crate::bill::{Flow, Trade};
use crate::error::MarketError;
use crate::fill::energy;
use jirani_units::{Cents, HouseholdId, Slot, Timestamp, Wh};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How long a silent meter's share of its feeder's losses is waited for, in seconds.
const AWAITED_S: i64 = 86_400;

/// Whether losses at `end` wait for a record that is attested through `attested_through` only.
/// After a day one whose meter was retired counts with the registers it has on chain: server,
/// witness and audits all know that time from the chain alone.
pub fn is_awaited(attested_through: Timestamp, end: Timestamp) -> bool {
    attested_through > awaited_after(end)
}

/// The moment after which what is missing at `end` is awaited.
pub fn awaited_after(end: Timestamp) -> Timestamp {
    Timestamp(end.0.saturating_sub(AWAITED_S * 1_000_000))
}

/// What a record of the feeder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// A household.
    Household,
    /// The operator's generator, which only exports, or its battery.
    Plant,
    /// The operator's record of losses: the residual of the feeder's registers (E4).
    Loss,
}

/// Why energy was not taken although the sun shone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurtailmentReason {
    /// The battery is full and nobody draws.
    BatteryFull,
    /// The frequency or voltage is too high.
    GridLimit,
    /// Work on the line.
    Maintenance,
}

/// Energy that was not produced, as estimated by who curtailed it. It is recorded, and
/// is no part of the balance: it never flowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curtailment {
    /// Whose production.
    pub household: HouseholdId,
    /// Estimate.
    pub energy: Wh,
    /// Why.
    pub reason: CurtailmentReason,
}

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Energy in is not energy out with losses.
    #[error("report.energy: {exported} came in and {imported} went out, losses included; audit E4")]
    Energy {
        /// Into the feeder.
        exported: Wh,
        /// Out of it, losses included.
        imported: Wh,
    },
    /// Tokens and what is owed do not follow from energy and trades.
    #[error("report.tokens: the tokens of record {0} do not follow from its energy and trades; audit E2")]
    Tokens(HouseholdId),
    /// Somebody who is no member of the feeder traded on it.
    #[error("report.stranger: record {0} traded and is no member of this feeder")]
    Stranger(HouseholdId),
    /// A record is named twice.
    #[error("report.twice: record {0} is named twice")]
    Twice(HouseholdId),
    /// A trade that cannot be counted.
    #[error(transparent)]
    Trade(#[from] MarketError),
}

/// One slot of one feeder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotReport {
    /// Which feeder.
    pub feeder: u16,
    /// Which slot.
    pub slot: Slot,
    /// Pushed into the feeder by households and plant.
    pub energy_in: Wh,
    /// Drawn from it by households and plant.
    pub energy_out: Wh,
    /// In less out, by the loss record.
    pub losses: Wh,
    /// Sold by households to households.
    pub traded: Wh,
    /// Sold by households to the operator.
    pub bought_back: Wh,
    /// Sold by the operator to households.
    pub operator_sold: Wh,
    /// What households owe more than before; negative when they owe less.
    pub shortfall_grown_wh: i128,
    /// What all records hold in tokens, less what all owe, after the slot: zero for a
    /// feeder that is metered from its first day (E4).
    pub holdings_less_owed_wh: i128,
    /// Net money of each record that traded; the operator's takings stand apart.
    pub money: BTreeMap<HouseholdId, Cents>,
    /// Grid fees.
    pub fees: Cents,
    /// Taxes.
    pub taxes: Cents,
    /// Fractions of a cent.
    pub rounding: Cents,
    /// What was not produced, and why.
    pub curtailed: Vec<Curtailment>,
}

impl SlotReport {
    /// Adds up a slot. `members`: every record of the feeder, once.
    pub fn new(
        feeder: u16,
        slot: Slot,
        members: &[(HouseholdId, Member, Flow)],
        trades: &[Trade],
        curtailed: &[Curtailment],
    ) -> Result<Self, ReportError> {
        let mut seen = BTreeSet::new();
        if let Some((twice, ..)) = members.iter().find(|(household, ..)| !seen.insert(*household)) {
            return Err(ReportError::Twice(*twice));
        }
        let mut report = Self::of_energy(feeder, slot, members)?;
        let kinds: BTreeMap<HouseholdId, Member> =
            members.iter().map(|(household, kind, _)| (*household, *kind)).collect();
        let kind = |household| kinds.get(&household).copied().ok_or(ReportError::Stranger(household));
        let mut moved: BTreeMap<HouseholdId, i128> = BTreeMap::new();
        for trade in trades {
            let buyer = kind(trade.buyer)?;
            let parts = trade.shares()?;
            report.move_money(trade.buyer, -parts.due.0);
            *moved.entry(trade.buyer).or_default() += i128::from(energy(&trade.fills).0);
            for (fill, (seller, received)) in trade.fills.iter().zip(&parts.sellers) {
                let sum = match (kind(*seller)?, buyer) {
                    (Member::Household, Member::Household) => &mut report.traded,
                    (Member::Household, _) => &mut report.bought_back,
                    (_, _) => &mut report.operator_sold,
                };
                sum.0 += u64::from(fill.energy_wh);
                report.move_money(*seller, received.0);
                *moved.entry(*seller).or_default() -= i128::from(fill.energy_wh);
            }
            report.fees.0 += parts.fee.0;
            report.taxes.0 += parts.tax.0;
            report.rounding.0 += parts.rounding.0;
        }
        for (household, _, flow) in members {
            let net = |holding: Wh, owed: Wh| i128::from(holding.0) - i128::from(owed.0);
            let before = net(flow.holding_before, flow.shortfall_before);
            let after = net(flow.holding_after, flow.shortfall_after);
            let traded = moved.get(household).copied().unwrap_or(0);
            if after != before + net(flow.export, flow.import) + traded {
                return Err(ReportError::Tokens(*household));
            }
        }
        report.curtailed = curtailed.to_vec();
        Ok(report)
    }

    /// What the slot was before anybody traded.
    fn of_energy(
        feeder: u16,
        slot: Slot,
        members: &[(HouseholdId, Member, Flow)],
    ) -> Result<Self, ReportError> {
        let sum = |of: fn(&Flow) -> Wh, loss: bool| -> Wh {
            members
                .iter()
                .filter(|(_, kind, _)| (*kind == Member::Loss) == loss)
                .map(|(.., flow)| of(flow))
                .sum()
        };
        let (energy_in, energy_out) = (sum(|flow| flow.export, false), sum(|flow| flow.import, false));
        // A falling residual raises the loss record's export.
        let (more, less) = (sum(|flow| flow.import, true), sum(|flow| flow.export, true));
        let (exported, imported) = (Wh(energy_in.0 + less.0), Wh(energy_out.0 + more.0));
        if exported != imported {
            return Err(ReportError::Energy { exported, imported });
        }
        let grown = |of: fn(&Flow) -> i128, only: fn(Member) -> bool| -> i128 {
            members.iter().filter(|(_, kind, _)| only(*kind)).map(|(.., flow)| of(flow)).sum()
        };
        Ok(Self {
            feeder,
            slot,
            energy_in,
            energy_out,
            losses: more.saturating_sub(less),
            traded: Wh::ZERO,
            bought_back: Wh::ZERO,
            operator_sold: Wh::ZERO,
            shortfall_grown_wh: grown(
                |flow| i128::from(flow.shortfall_after.0) - i128::from(flow.shortfall_before.0),
                |kind| kind == Member::Household,
            ),
            holdings_less_owed_wh: grown(
                |flow| i128::from(flow.holding_after.0) - i128::from(flow.shortfall_after.0),
                |_| true,
            ),
            money: BTreeMap::new(),
            fees: Cents::ZERO,
            taxes: Cents::ZERO,
            rounding: Cents::ZERO,
            curtailed: Vec::new(),
        })
    }

    fn move_money(&mut self, household: HouseholdId, cents: i64) {
        self.money.entry(household).or_default().0 += cents;
    }

    /// All money of the slot: zero, always.
    pub fn money_sum(&self) -> Cents {
        let net: i64 = self.money.values().map(|cents| cents.0).sum();
        Cents(net + self.fees.0 + self.taxes.0 + self.rounding.0)
    }
}
