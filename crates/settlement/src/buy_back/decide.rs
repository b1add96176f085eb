//! What the operator buys back by itself: a household's old exports, from its bills. Pure.

use jirani_market::bill::Total;
use jirani_market::nairobi;
use jirani_market::operator::{BuyBack, Unsold};
use jirani_store::DayBillRecord;
use jirani_units::{HouseholdId, Timestamp, Wh};

/// What a household holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// In the vault.
    pub(super) vault: Wh,
    /// Of that, or of what is on offer, what was bought and not used.
    pub(super) bought: Wh,
    /// On offer.
    pub(super) on_offer: Wh,
    /// What it used and sold today, by the bills so far.
    pub(super) today: Total,
}

/// What was pushed so many `days` ago or before, by the household's `bills` of all days that
/// are over, oldest first, and is still in the vault. What was sold or drawn came of the
/// oldest, and so does what is on offer; what was bought is never bought back.
pub(super) fn due(
    household: HouseholdId,
    bills: &[DayBillRecord],
    holding: &Holding,
    days: u16,
    now: Timestamp,
) -> Option<BuyBack> {
    let mut unsold = Unsold::default();
    let gone = |total: &Total| Wh(total.own_use.0.saturating_add(total.sold.0));
    for bill in bills {
        unsold.add(nairobi::day_start(bill.day), bill.export);
        unsold.take(gone(&bill.total));
    }
    unsold.take(gone(&holding.today));
    unsold.take(holding.on_offer);
    unsold.due(household, now, days, holding.vault.saturating_sub(holding.bought))
}
