//! The operator in a call: its orders at the tariff's edges, from what its own records
//! hold and what money is its own.

use super::decide::Facts;
use crate::order::party;
use crate::service::Settlement;
use jirani_chain::HouseholdOnChain;
use jirani_ledger::invariants::Totals;
use jirani_ledger::templates::orders::Party;
use jirani_market::call::{CallOrder, Side};
use jirani_market::rule::LOT_MIN;
use jirani_store::{HouseholdKind, HouseholdRecord, StoreError};
use jirani_units::{Cents, HouseholdId, Wh};
use std::collections::HashMap;

/// What the operator chooses as counterparty of last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorPolicy {
    /// The most it bids for in the call of one slot, at buy-back; 0 for nothing.
    pub bid: Wh,
    /// What its records hold is put up for sale from so much on.
    pub lot: Wh,
    /// How many such offers one record may have open at once.
    pub lots_max: usize,
    /// After so many days it buys back what a household pushed and could not sell; 0 for
    /// never by itself.
    pub buys_back_after_days: u16,
}

impl Default for OperatorPolicy {
    /// 50 kWh a slot; lots of 2 kWh, at most 24; after two weeks.
    fn default() -> Self {
        Self { bid: Wh(50_000), lot: Wh(2_000), lots_max: 24, buys_back_after_days: 14 }
    }
}

/// One of the operator's records after the slot's attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OperatorState {
    pub(super) record: HouseholdId,
    pub(super) vault: Wh,
    pub(super) shortfall: Wh,
}

/// The operator's side of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Operator {
    /// Its records on the feeder that are on chain.
    pub(super) records: Vec<OperatorState>,
    /// The one that buys.
    pub(super) buyer: Option<HouseholdId>,
    /// Money that is its own.
    pub(super) own: Cents,
}

impl Operator {
    /// Where its records stand; those that are not on chain yet are left out.
    pub(super) fn new(
        records: &[HouseholdId],
        buyer: Option<HouseholdId>,
        on_chain: &HashMap<HouseholdId, HouseholdOnChain>,
        own: Cents,
    ) -> Self {
        let state = |record: &HouseholdId| {
            let HouseholdOnChain { vault_wh: vault, shortfall_wh: shortfall, .. } = *on_chain.get(record)?;
            Some(OperatorState { record: *record, vault, shortfall })
        };
        let records = records.iter().filter_map(state).collect();
        Self { records, buyer: buyer.filter(|buyer| on_chain.contains_key(buyer)), own }
    }

    pub(super) fn record(&self, household: HouseholdId) -> Option<&OperatorState> {
        self.records.iter().find(|state| state.record == household)
    }
}

/// What the operator bids and asks: both are ordinary orders at the edges.
pub(super) fn orders(facts: &Facts) -> Vec<(Side, CallOrder)> {
    let Facts { slot, tariff, operator, policy, .. } = facts;
    let asks = operator.records.iter().filter(|state| state.vault >= LOT_MIN && state.shortfall == Wh::ZERO);
    let asks = asks.filter_map(|state| {
        let ask = CallOrder::of_operator(state.record, Side::Ask, state.vault, Cents::ZERO, tariff, *slot)?;
        Some((Side::Ask, ask))
    });
    let bid = operator.buyer.and_then(|buyer| {
        let energy = policy.operator.bid;
        let bid = CallOrder::of_operator(buyer, Side::Bid, energy, operator.own, tariff, *slot)?;
        Some((Side::Bid, bid))
    });
    asks.chain(bid).collect()
}

/// The operator's records on a feeder.
pub(super) fn records(homes: &[HouseholdRecord], feeder: u16) -> Vec<HouseholdId> {
    let here = homes.iter().filter(|record| record.feeder == feeder);
    here.filter(|record| party(record) == Party::Operator).map(|record| record.id).collect()
}

/// Which of the operator's records on a feeder buys: the losses, since what is lost in the
/// wires is owed by that record; a battery or generator where there is none.
pub(crate) fn buyer(records: &[HouseholdRecord], feeder: u16) -> Option<HouseholdId> {
    [HouseholdKind::Loss, HouseholdKind::Battery, HouseholdKind::Generator].into_iter().find_map(|kind| {
        let mut of_kind = records.iter().filter(|record| record.kind == kind && record.feeder == feeder);
        of_kind.next().map(|record| record.id)
    })
}

impl Settlement {
    /// Money that is the operator's own: what it may spend, in cents.
    pub(crate) async fn operators_own(&self) -> Result<Cents, StoreError> {
        Ok(Totals::of(&self.store.balances().await?).sweepable())
    }
}
