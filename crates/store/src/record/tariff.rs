use jirani_market::Tariff;
use jirani_market::schedule::{Schedule, ScheduleError};
use jirani_units::Timestamp;

/// Who made a tariff known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TariffOrigin {
    /// The settings of a start.
    Settings,
    /// An operator, at the desk.
    Operator,
}

/// A tariff as it was announced. It never changes; a later one that begins no later takes
/// its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffRecord {
    /// Its number, from 1: the order in which tariffs were announced.
    pub number: u64,
    /// First moment in force.
    pub from: Timestamp,
    /// Prices.
    pub tariff: Tariff,
    /// Who made it known.
    pub origin: TariffOrigin,
    /// The operator's name, if one did.
    pub by: Option<String>,
    /// Idempotency key: unique.
    pub key: String,
    /// When.
    pub announced_at: Timestamp,
}

impl TariffRecord {
    /// Whether `other` says the same: what a repeat under one key must.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.from, self.tariff, self.origin, &self.by) == (other.from, other.tariff, other.origin, &other.by)
    }
}

/// The schedule that announcements make, in order of their numbers.
pub fn schedule_of(records: &[TariffRecord]) -> Result<Schedule, ScheduleError> {
    let (first, later) = records.split_first().ok_or(ScheduleError::None)?;
    let first = Schedule::new(first.from, first.tariff)?;
    later.iter().try_fold(first, |schedule, record| {
        schedule.announce(record.announced_at, record.from, record.tariff)
    })
}
