//! What the Config says.

use crate::fuzz::model::{Why, need};
use jirani_energy_interface::state::{Caps, ClosedTotals, Limits, Tariff};
use jirani_energy_interface::{EnergyError, Key};

/// How far the market stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Running,
    /// Paused.
    Soft,
    /// The mint too.
    Hard,
}

/// Energy and money used up on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Daily {
    /// Days since 1970.
    pub day: i64,
    /// Wh.
    pub wh: u64,
    /// Cents.
    pub cents: u64,
}

impl Daily {
    /// Counts a movement, within the caps, on the later of its own day and the clock's.
    pub fn spend(&mut self, now: i64, moved: (u64, u64), caps: (u64, u64)) -> Option<()> {
        let day = now.div_euclid(86_400).max(self.day);
        let used = if day > self.day { (0, 0) } else { (self.wh, self.cents) };
        let wh = used.0.checked_add(moved.0).filter(|wh| *wh <= caps.0)?;
        let cents = used.1.checked_add(moved.1).filter(|cents| *cents <= caps.1)?;
        *self = Self { day, wh, cents };
        Some(())
    }
}

/// A key with its daily caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCap {
    /// The key; zeroes for nobody.
    pub key: Key,
    /// Wh and cents a day.
    pub caps: (u64, u64),
    /// Used.
    pub used: Daily,
}

/// The Config.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Admin.
    pub admin: Key,
    /// Proposed admin; zeroes for nobody.
    pub next_admin: Key,
    /// Pause key.
    pub pauser: Key,
    /// How far the market stands still.
    pub level: Level,
    /// Since when.
    pub stopped_at: i64,
    /// All earlier pauses, seconds.
    pub stood_still: i64,
    /// Tariff.
    pub tariff: Tariff,
    /// Windows and limits.
    pub limits: Limits,
    /// Version of the oracle set.
    pub oracle_version: u32,
    /// Signatures needed.
    pub threshold: usize,
    /// Oracles.
    pub oracles: Vec<Key>,
    /// Attestors.
    pub attestors: [KeyCap; 4],
    /// Custodian.
    pub custodian: KeyCap,
    /// Daily caps and holds.
    pub caps: Caps,
    /// Adjustments of today.
    pub adjusted: Daily,
    /// What closed households counted.
    pub closed: ClosedTotals,
}

impl Rules {
    /// Requires the market not to be paused.
    pub fn running(&self) -> Result<(), Why> {
        need(self.level == Level::Running, EnergyError::Paused)
    }

    /// How long deadlines have stood still by `now`.
    pub fn still(&self, now: i64) -> i64 {
        let running = if self.level == Level::Running { 0 } else { (now - self.stopped_at).max(0) };
        self.stood_still + running
    }

    /// The last second at which an order of this deadline may be settled.
    pub fn last(&self, deadline: i64, stood_still: i64, now: i64) -> i64 {
        deadline + (self.still(now) - stood_still).max(0) + i64::from(self.limits.order_grace_s)
    }
}
