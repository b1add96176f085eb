use super::record;
use crate::Key;
use bytemuck::{Pod, Zeroable};

/// The most oracles of a set.
pub const ORACLES_MAX: usize = 8;
/// The most attestors.
pub const ATTESTORS_MAX: usize = 4;
/// Seconds of a day; daily caps begin anew at midnight UTC.
pub const DAY_S: u64 = 86_400;

/// The shortest retention of a marker: twice the longest life of an order, and the
/// longest clock skew.
pub const MARKER_RETENTION_MIN_S: u32 = 4 * DAY + 3600;
const DAY: u32 = 86_400;
const YEAR: u32 = 366 * DAY;

/// How far the market stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PauseLevel {
    /// It does not.
    Running = 0,
    /// No attesting, posting, ordering, settling; refunds go on.
    Soft = 1,
    /// The mint itself is paused too: no token moves at all.
    Hard = 2,
}

/// The operator's tariff, as bounds on prices. All in cents per kWh.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Tariff {
    /// What the operator sells at, all in.
    pub retail: u32,
    /// What the operator buys at: the least an offer may ask.
    pub buy_back: u32,
    /// The highest grid fee of an order.
    pub grid_fee: u32,
    /// The highest tax of an order.
    pub tax: u32,
}

impl Tariff {
    /// Whether offers can exist under it.
    #[inline(never)]
    pub fn is_valid(&self) -> bool {
        self.retail <= crate::money::RETAIL_MAX
            && self.buy_back > 0
            && self.price_max().is_some_and(|max| self.buy_back <= max)
    }

    /// The highest price an offer may ask: retail less fee and tax.
    pub fn price_max(&self) -> Option<u32> {
        self.retail.checked_sub(self.grid_fee)?.checked_sub(self.tax)
    }
}

/// Windows, in seconds, and limits.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Limits {
    /// How long an order may be paid.
    pub order_window_s: u32,
    /// How long after that a proof still counts.
    pub order_grace_s: u32,
    /// How long a used proof's marker stays, at least.
    pub marker_retention_s: u32,
    /// The longest life of an offer.
    pub offer_life_max_s: u32,
    /// How long a change of authority waits.
    pub authority_delay_s: u32,
    /// How far ahead of the chain's clock a slot's end or a payment may lie.
    pub clock_skew_s: u32,
    /// What a bucket holds at most: this long at the meter's rating.
    pub bucket_s: u32,
    /// Offers a household may have at once.
    pub open_offers_max: u16,
    /// Orders a household may have at once.
    pub open_orders_max: u16,
}

impl Limits {
    /// Whether every window can do its work, whatever the limits were before and will be:
    /// a marker outlives the longest life an order can have (a day to pay, a day of
    /// grace) twice, so that its proof fits no order any more when it closes; and nobody
    /// shortens the delay that protects a household's authority below a day.
    #[inline(never)]
    pub fn is_valid(&self) -> bool {
        (1..=DAY).contains(&self.order_window_s)
            && (1..=DAY).contains(&self.order_grace_s)
            && self.marker_retention_s >= MARKER_RETENTION_MIN_S
            && (60..=YEAR).contains(&self.offer_life_max_s)
            && (DAY..=30 * DAY).contains(&self.authority_delay_s)
            && self.clock_skew_s <= 3600
            && (3600..=YEAR).contains(&self.bucket_s)
            && self.open_offers_max > 0
            && self.open_orders_max > 0
    }
}

impl Default for Limits {
    /// 120 s to pay and 300 s of grace, markers for 30 days, offers up to 31 days,
    /// 48 h before an authority changes, a minute of clock skew, ten days in the
    /// buckets, 64 offers and 8 orders at once.
    fn default() -> Self {
        Self {
            order_window_s: 120,
            order_grace_s: 300,
            marker_retention_s: 30 * 86_400,
            offer_life_max_s: 31 * 86_400,
            authority_delay_s: 48 * 3600,
            clock_skew_s: 60,
            bucket_s: 10 * 86_400,
            open_offers_max: 64,
            open_orders_max: 8,
        }
    }
}

/// Who may attest, and how many of them it takes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct OracleSet {
    /// Goes up with every change; an attestation names it.
    pub version: u32,
    /// Signatures an attestation needs.
    pub threshold: u8,
    /// Members in use.
    pub count: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Members; zeroes past `count`.
    pub members: [Key; ORACLES_MAX],
}

impl OracleSet {
    /// A set of one.
    pub fn single(key: Key) -> Self {
        let mut members = [[0; 32]; ORACLES_MAX];
        members[0] = key;
        Self { version: 1, threshold: 1, count: 1, reserved: [0; 2], members }
    }

    /// The members in use.
    pub fn members(&self) -> &[Key] {
        self.members.get(..usize::from(self.count)).unwrap_or(&[])
    }

    /// Whether its members are different, not empty, and enough for its threshold.
    #[inline(never)]
    pub fn is_valid(&self) -> bool {
        let count = usize::from(self.count);
        if count == 0
            || count > ORACLES_MAX
            || self.threshold == 0
            || self.threshold > self.count
            || self.reserved != [0; 2]
        {
            return false;
        }
        let members = self.members();
        members.iter().enumerate().all(|(i, key)| *key != [0; 32] && !members[..i].contains(key))
            && self.members[count..].iter().all(|key| *key == [0; 32])
    }
}

/// A key with what it may move in one day, and what it has moved today.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CappedKey {
    /// The key; zeroes when the place is free.
    pub key: Key,
    /// Energy per day, Wh.
    pub cap_wh: u64,
    /// Money per day, cents.
    pub cap_cents: u64,
    /// Energy moved on `day`, Wh.
    pub used_wh: u64,
    /// Money moved on `day`, cents.
    pub used_cents: u64,
    /// Days since 1970 that the used figures belong to.
    pub day: u32,
    /// Zero.
    pub reserved: u32,
}

impl CappedKey {
    /// A key with its daily caps.
    pub const fn new(key: Key, cap_wh: u64, cap_cents: u64) -> Self {
        Self { key, cap_wh, cap_cents, used_wh: 0, used_cents: 0, day: 0, reserved: 0 }
    }

    /// A free place.
    pub const NONE: Self = Self::new([0; 32], 0, 0);

    /// Counts a movement at `now` (Unix seconds). `None`, with nothing counted,
    /// when a cap would be passed.
    #[inline(never)]
    pub fn spend(&mut self, now: i64, wh: u64, cents: u64) -> Option<()> {
        let day = day_of(now)?;
        // A clock that went back keeps counting on the later day.
        let (used_wh, used_cents) = if day > self.day { (0, 0) } else { (self.used_wh, self.used_cents) };
        let used_wh = used_wh.checked_add(wh).filter(|used| *used <= self.cap_wh)?;
        let used_cents = used_cents.checked_add(cents).filter(|used| *used <= self.cap_cents)?;
        self.day = self.day.max(day);
        self.used_wh = used_wh;
        self.used_cents = used_cents;
        Some(())
    }
}

/// What a day may move, and what a buyer may hold: bounds on mistakes, on stolen keys
/// and on orders that only keep others from buying.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Caps {
    /// Energy that adjustments may add per day, all households together, Wh; 0 for none.
    pub adjustment_wh: u64,
    /// Energy that a household may withdraw to its wallet per day, Wh; 0 switches
    /// withdrawals off.
    pub withdrawal_wh: u64,
    /// Energy that a household's open orders may hold at once, Wh.
    pub held_wh: u64,
    /// Orders that a household may leave unpaid per day before it may place no more.
    pub unpaid_orders: u32,
    /// Zero.
    pub reserved: u32,
}

impl Caps {
    /// Whether trade is possible under them.
    #[inline(never)]
    pub fn is_valid(&self) -> bool {
        self.held_wh > 0 && self.unpaid_orders > 0 && self.reserved == 0
    }
}

impl Default for Caps {
    /// 100 kWh of adjustments, no withdrawals, 50 kWh held and 16 orders unpaid.
    fn default() -> Self {
        Self { adjustment_wh: 100_000, withdrawal_wh: 0, held_wh: 50_000, unpaid_orders: 16, reserved: 0 }
    }
}

/// Energy counted against a cap on one UTC day.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct DailyUse {
    /// Energy moved on `day`, Wh.
    pub wh: u64,
    /// Days since 1970.
    pub day: u32,
    /// Zero.
    pub reserved: u32,
}

impl DailyUse {
    /// Counts `wh` at `now` (Unix seconds). `None`, with nothing counted, when the
    /// day's sum would pass `cap`.
    pub fn spend(&mut self, now: i64, wh: u64, cap: u64) -> Option<()> {
        let day = day_of(now)?;
        // A clock that went back keeps counting on the later day.
        let used = if day > self.day { 0 } else { self.wh };
        let used = used.checked_add(wh).filter(|used| *used <= cap)?;
        self.day = self.day.max(day);
        self.wh = used;
        Some(())
    }
}

/// The UTC day of a moment; `None` before 1970 or after the calendar's end.
pub fn day_of(now: i64) -> Option<u32> {
    u32::try_from(u64::try_from(now).ok()? / DAY_S).ok()
}

/// What closed households counted in their lives: their records are gone, their part
/// of E1 and E2 is not.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ClosedTotals {
    /// How many they are.
    pub households: u64,
    /// Attested export, Wh.
    pub export_wh: u64,
    /// Attested import, Wh.
    pub import_wh: u64,
    /// Minted, gross, Wh.
    pub minted_wh: u64,
    /// Burned, gross, Wh.
    pub burned_wh: u64,
    /// Export adjustments, Wh.
    pub adjusted_export_wh: u64,
    /// Import adjustments, Wh.
    pub adjusted_import_wh: u64,
}

/// The one record that everything else hangs on. Its address is the authority of
/// the mint and of every vault and escrow.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Config {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// Bump of its own address.
    pub bump: u8,
    /// Bump of the mint's address.
    pub mint_bump: u8,
    /// [`PauseLevel`].
    pub paused: u8,
    /// Zero.
    pub reserved0: [u8; 3],
    /// The eKWh mint.
    pub mint: Key,
    /// Who may change this record and enrol households.
    pub admin: Key,
    /// Who becomes admin by accepting; zeroes for nobody.
    pub pending_admin: Key,
    /// Who may pause, besides the admin.
    pub pause_key: Key,
    /// When the current pause began, Unix seconds; 0 when not paused.
    pub paused_since: i64,
    /// All earlier pauses together, seconds: deadlines stood still that long.
    pub paused_total_s: u64,
    /// Bounds on prices.
    pub tariff: Tariff,
    /// Windows and limits.
    pub limits: Limits,
    /// Who may attest.
    pub oracles: OracleSet,
    /// Who may settle and release early.
    pub attestors: [CappedKey; ATTESTORS_MAX],
    /// Who acts for custodial households.
    pub custodian: CappedKey,
    /// Daily caps and holds.
    pub caps: Caps,
    /// Adjustments of today.
    pub adjusted: DailyUse,
    /// Households that are closed.
    pub closed: ClosedTotals,
    /// Zero.
    pub reserved: [u64; 19],
}

record!(Config, 1, 1080);

impl Config {
    /// How long deadlines have stood still until `now`, Unix seconds.
    pub fn paused_s_until(&self, now: i64) -> u64 {
        let running =
            if self.paused == 0 { 0 } else { now.saturating_sub(self.paused_since).max(0).unsigned_abs() };
        self.paused_total_s.saturating_add(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_counts_per_day_and_refuses_whole() {
        let mut key = CappedKey::new([1; 32], 100, 10);
        assert_eq!(key.spend(0, 60, 5), Some(()));
        assert_eq!(key.spend(10, 41, 0), None, "over the energy cap");
        assert_eq!(key.spend(10, 40, 6), None, "over the money cap");
        assert_eq!(key.spend(10, 40, 5), Some(()));
        assert_eq!(key.spend(86_400, 100, 10), Some(()), "the next day");
        assert_eq!(key.spend(86_399, 1, 0), None, "a clock that goes back frees nothing");
    }

    #[test]
    fn deadlines_stand_still_while_paused() {
        let mut config = Config::zeroed();
        config.paused_total_s = 7;
        assert_eq!(config.paused_s_until(100), 7);
        config.paused = 1;
        config.paused_since = 90;
        assert_eq!(config.paused_s_until(100), 17);
        assert_eq!(config.paused_s_until(80), 7);
    }

    #[test]
    fn the_default_limits_are_valid_and_markers_outlive_orders() {
        assert!(Limits::default().is_valid());
        let shortest = Limits { marker_retention_s: MARKER_RETENTION_MIN_S, ..Limits::default() };
        assert!(shortest.is_valid());
        let longest_order = Limits { order_window_s: DAY, order_grace_s: DAY, ..shortest };
        assert!(longest_order.is_valid());
        for broken in [
            Limits { marker_retention_s: MARKER_RETENTION_MIN_S - 1, ..shortest },
            Limits { order_window_s: DAY + 1, ..shortest },
            Limits { authority_delay_s: DAY - 1, ..shortest },
            Limits { open_orders_max: 0, ..shortest },
        ] {
            assert!(!broken.is_valid(), "{broken:?}");
        }
    }

    #[test]
    fn an_oracle_set_needs_different_members() {
        let mut set = OracleSet::single([1; 32]);
        assert!(set.is_valid());
        set.count = 2;
        assert!(!set.is_valid(), "an empty member");
        set.members[1] = [1; 32];
        assert!(!set.is_valid(), "the same twice");
        set.members[1] = [2; 32];
        assert!(set.is_valid());
        set.threshold = 3;
        assert!(!set.is_valid());
    }
}
