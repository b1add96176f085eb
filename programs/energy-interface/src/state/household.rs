use super::{DailyUse, day_of, record};
use crate::{Key, id_window};
use bytemuck::{Pod, Zeroable};

/// Joules (watt-seconds) of a watt-hour.
pub const JOULES_PER_WH: u64 = 3600;
/// What a new household's buckets hold: this long at its rating.
pub const INITIAL_BUCKET_S: u32 = 86_400;

/// The highest rating of a household's meter, W: a mini-grid's largest machine.
pub const RATING_MAX_W: u32 = 1_000_000;

/// Whether a meter with these ratings counts anything, and nothing absurd.
pub fn ratings_are_valid(export_w: u32, import_w: u32) -> bool {
    (export_w > 0 || import_w > 0) && export_w <= RATING_MAX_W && import_w <= RATING_MAX_W
}

/// How long a proposal of another authority may be accepted once its delay is over.
pub const AUTHORITY_PROPOSAL_LIFE_S: i64 = 30 * 86_400;

/// Bits of [`Household::flags`].
pub mod flags {
    /// The custodian signs for this household instead of its authority.
    pub const CUSTODIAL: u8 = 1;
}

/// What stands behind a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HouseholdKind {
    /// A home or shop.
    Home = 1,
    /// The operator's generator.
    Generator = 2,
    /// The operator's battery.
    Battery = 3,
    /// The operator's losses, computed instead of metered.
    Loss = 4,
}

impl HouseholdKind {
    /// The kind of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Home),
            2 => Some(Self::Generator),
            3 => Some(Self::Battery),
            4 => Some(Self::Loss),
            _ => None,
        }
    }
}

/// A household and its one settlement meter.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Household {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// Bump of its own address.
    pub bump: u8,
    /// Bump of the vault's address.
    pub vault_bump: u8,
    /// [`HouseholdKind`].
    pub kind: u8,
    /// [`flags`].
    pub flags: u8,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// The operator's number for it.
    pub id: u32,
    /// Epoch of the meter's registers.
    pub meter_epoch: u32,
    /// Who signs for it, unless it is custodial.
    pub authority: Key,
    /// Who becomes authority after the delay; zeroes make it custodial.
    pub pending_authority: Key,
    /// When that becomes possible, Unix seconds; 0 when nothing is proposed.
    pub pending_authority_at: i64,
    /// Its token account.
    pub vault: Key,
    /// Ed25519 key of its meter; zeroes for the loss record.
    pub meter_key: Key,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// Energy that may still be attested as exported, J; fills at the rating.
    pub export_bucket_j: u64,
    /// Energy that may still be attested as imported, J.
    pub import_bucket_j: u64,
    /// Export register of the current meter, as attested, Wh.
    pub meter_export_wh: u64,
    /// Import register of the current meter, as attested, Wh.
    pub meter_import_wh: u64,
    /// Attested export since enrolment, over all its meters, Wh.
    pub export_wh: u64,
    /// Attested import since enrolment, over all its meters, Wh.
    pub import_wh: u64,
    /// Minted, gross, Wh.
    pub minted_wh: u64,
    /// Burned, gross, Wh.
    pub burned_wh: u64,
    /// Export adjustments, gross, Wh.
    pub adjusted_export_wh: u64,
    /// Import adjustments, gross, Wh.
    pub adjusted_import_wh: u64,
    /// Imported energy that found no token to burn, Wh.
    pub shortfall_wh: u64,
    /// End of the last attested slot, Unix seconds; at first the enrolment.
    pub last_slot_end: i64,
    /// When it was enrolled, Unix seconds.
    pub enrolled_at: i64,
    /// Newest offer number, and which of the 64 before it were used.
    pub newest_offer: u64,
    /// Bitmap of used offer numbers.
    pub offers_seen: u64,
    /// Newest order number.
    pub newest_order: u64,
    /// Bitmap of used order numbers.
    pub orders_seen: u64,
    /// Offer accounts alive.
    pub open_offers: u16,
    /// Order accounts alive.
    pub open_orders: u16,
    /// Zero.
    pub reserved0: u32,
    /// Who paid the rent and gets it back.
    pub rent_payer: Key,
    /// Withdrawals of today.
    pub withdrawn: DailyUse,
    /// Energy that its open orders hold, Wh.
    pub held_wh: u64,
    /// Orders left unpaid on `unpaid_day`.
    pub unpaid_orders: u32,
    /// Days since 1970.
    pub unpaid_day: u32,
    /// Zero.
    pub reserved: [u64; 2],
}

record!(Household, 2, 384);

/// One attested step of a household's registers: what to add where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Netting {
    /// Energy burned in gross: import and shortfall, as far as there are tokens.
    pub burned_wh: u64,
    /// Shortfall afterwards.
    pub shortfall_wh: u64,
}

impl Household {
    /// Nets export, import and shortfall against the tokens at hand: what was
    /// exported and lies in the vault meets import and shortfall; the rest stays
    /// owed. `None` on overflow.
    pub fn net(&self, exported_wh: u64, imported_wh: u64, vault_wh: u64) -> Option<Netting> {
        let owed = self.shortfall_wh.checked_add(imported_wh)?;
        let at_hand = vault_wh.checked_add(exported_wh)?;
        let burned_wh = owed.min(at_hand);
        Some(Netting { burned_wh, shortfall_wh: owed - burned_wh })
    }

    /// Fills a bucket for the time since the last attested slot and takes
    /// `wh` out of it. `None` when there is not enough.
    pub fn drain(bucket_j: u64, rating_w: u32, elapsed_s: u32, bucket_s: u32, wh: u64) -> Option<u64> {
        let capacity = u64::from(rating_w) * u64::from(bucket_s);
        let filled =
            bucket_j.saturating_add(u64::from(rating_w) * u64::from(elapsed_s.min(bucket_s))).min(capacity);
        // 64-bit products are checked by division on chain: stay within 32 bits.
        let taken = u64::from(u32::try_from(wh).ok()?) * JOULES_PER_WH;
        filled.checked_sub(taken)
    }

    /// Fills both buckets up to `now` at the present ratings, then cuts them to what
    /// the new ratings may hold: replacing a meter never adds energy.
    pub fn refit(&mut self, now: i64, export_rating_w: u32, import_rating_w: u32, bucket_s: u32) {
        let elapsed_s = u32::try_from(now.saturating_sub(self.last_slot_end).max(0)).unwrap_or(u32::MAX);
        let fit = |bucket_j, old_w, new_w: u32| {
            let filled = Self::drain(bucket_j, old_w, elapsed_s, bucket_s, 0).unwrap_or(0);
            filled.min(u64::from(new_w) * u64::from(bucket_s))
        };
        self.export_bucket_j = fit(self.export_bucket_j, self.export_rating_w, export_rating_w);
        self.import_bucket_j = fit(self.import_bucket_j, self.import_rating_w, import_rating_w);
        self.export_rating_w = export_rating_w;
        self.import_rating_w = import_rating_w;
        self.last_slot_end = self.last_slot_end.max(now);
    }

    /// Orders left unpaid on the day of `now`.
    pub fn unpaid_today(&self, now: i64) -> u32 {
        if day_of(now).is_some_and(|day| day > self.unpaid_day) { 0 } else { self.unpaid_orders }
    }

    /// Counts an order that was left unpaid.
    pub fn leave_unpaid(&mut self, now: i64) {
        self.unpaid_orders = self.unpaid_today(now).saturating_add(1);
        self.unpaid_day = self.unpaid_day.max(day_of(now).unwrap_or(0));
    }

    /// Takes an offer's number, once.
    pub fn take_offer_id(&mut self, id: u64) -> Option<()> {
        (self.newest_offer, self.offers_seen) = id_window::take(self.newest_offer, self.offers_seen, id)?;
        Some(())
    }

    /// Takes an order's number, once.
    pub fn take_order_id(&mut self, id: u64) -> Option<()> {
        (self.newest_order, self.orders_seen) = id_window::take(self.newest_order, self.orders_seen, id)?;
        Some(())
    }

    /// Whether the custodian signs for it.
    pub const fn is_custodial(&self) -> bool {
        self.flags & flags::CUSTODIAL != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn export_meets_import_and_shortfall_before_it_stays() {
        let household = Household { shortfall_wh: 30, ..Household::zeroed() };
        assert_eq!(household.net(100, 20, 0), Some(Netting { burned_wh: 50, shortfall_wh: 0 }));
        assert_eq!(household.net(10, 20, 5), Some(Netting { burned_wh: 15, shortfall_wh: 35 }));
    }

    #[test]
    fn a_bucket_catches_up_days_offline_but_no_more() {
        let hour = Household::drain(0, 1000, 3600, 86_400, 1000);
        assert_eq!(hour, Some(0), "an hour at 1 kW is 1 kWh");
        assert_eq!(Household::drain(0, 1000, 3600, 86_400, 1001), None);
        assert_eq!(Household::drain(0, 1000, 10 * 86_400, 86_400, 24_001), None, "a bucket overflows");
        assert_eq!(Household::drain(0, 1000, 10 * 86_400, 86_400, 24_000), Some(0));
        assert_eq!(Household::drain(u64::MAX, u32::MAX, u32::MAX, u32::MAX, u64::MAX), None);
    }

    #[test]
    fn a_new_meter_fills_no_bucket() {
        let mut household = Household { export_rating_w: 1000, last_slot_end: 0, ..Household::zeroed() };
        household.refit(3600, 50_000, 50_000, 86_400);
        assert_eq!(household.export_bucket_j, 1000 * 3600, "an hour at the old rating");
        assert_eq!(household.last_slot_end, 3600);
        household.refit(3600, 1, 1, 86_400);
        assert_eq!(household.export_bucket_j, 86_400, "no more than the new rating's bucket");
    }

    #[test]
    fn unpaid_orders_are_counted_per_day() {
        let mut household = Household::zeroed();
        household.leave_unpaid(86_400);
        household.leave_unpaid(86_401);
        assert_eq!(household.unpaid_today(86_402), 2);
        assert_eq!(household.unpaid_today(2 * 86_400), 0);
        assert_eq!(household.unpaid_today(0), 2, "a clock that goes back forgives nothing");
    }
}
