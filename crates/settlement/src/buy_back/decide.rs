//! What the operator buys back by itself: a household's old exports, from its bills. Pure.

use jirani_market::nairobi;
use jirani_market::operator::{BuyBack, Unsold};
use jirani_store::DayBillRecord;
use jirani_units::{HouseholdId, Timestamp, Wh};

/// What of `vault` was pushed so many `days` ago or before, by the household's `bills` of
/// all days that are over, oldest first. What was sold or drawn came of the oldest.
pub(super) fn due(
    household: HouseholdId,
    bills: &[DayBillRecord],
    vault: Wh,
    days: u16,
    now: Timestamp,
) -> Option<BuyBack> {
    let mut unsold = Unsold::default();
    for bill in bills {
        unsold.add(nairobi::day_start(bill.day), bill.export);
        unsold.take(Wh(bill.total.own_use.0.saturating_add(bill.total.sold.0)));
    }
    unsold.due(household, now, days, vault)
}
