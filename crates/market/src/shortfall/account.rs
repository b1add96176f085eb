//! One household's standing, and the operator's policy.

use super::step::Deferral;
use jirani_units::{Cents, HouseholdId, Price, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// The operator's policy; the same for all households but for their own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// First hour of the day in Nairobi at which a relay may open.
    pub cut_from_hour: i64,
    /// First hour at which it may no longer.
    pub cut_until_hour: i64,
    /// Least seconds from the 80 % message to opening.
    pub notice_s: i64,
    /// Seconds after which readings are too old to open on.
    pub readings_s: i64,
    /// Most seconds that a dispute keeps the relay from opening.
    pub dispute_s: i64,
    /// Seconds from one dispute that does so to the next: later ones are answered, but
    /// nobody stays connected by disputing for ever.
    pub dispute_again_s: i64,
    /// Emergency credit, once until it is repaid.
    pub emergency: Cents,
    /// Instalments in a row that may be missed before the agreement ends.
    pub missed_max: u32,
}

impl Default for Policy {
    /// 08:00 to 16:00, so that there is daylight left to pay in; a day of notice; KSh 50.
    fn default() -> Self {
        Self {
            cut_from_hour: 8,
            cut_until_hour: 16,
            notice_s: 86_400,
            readings_s: 86_400,
            dispute_s: 7 * 86_400,
            dispute_again_s: 30 * 86_400,
            emergency: Cents(5_000),
            missed_max: 2,
        }
    }
}

/// Why a household is never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// It may be.
    None,
    /// A protected customer: somebody depends on electricity for health, or the
    /// regulator or operator named the household; until then, or for good.
    Customer(Option<Timestamp>),
    /// A clinic, dispensary or maternity.
    Clinic,
}

/// Where the relay is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relay {
    /// Closed: power flows.
    Closed,
    /// Commanded to open; the command is void from `not_after` on.
    Opening {
        /// First moment at which the meter must ignore the command.
        not_after: Timestamp,
    },
    /// Open: the meter said so.
    Open,
    /// Commanded to close.
    Closing,
}

/// An agreement on old debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalments {
    /// Energy that no longer counts against the limit.
    pub set_aside: Wh,
    /// Retail when it was agreed: what it is paid off at.
    pub price: Price,
    /// Still owed.
    pub owed: Cents,
    /// One instalment; the last may be smaller.
    pub each: Cents,
    /// Days from one to the next.
    pub every_days: u16,
    /// When the next is due.
    pub next_due: Timestamp,
    /// Missed in a row.
    pub missed: u32,
}

/// A mark on the way to the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Since when exposure is at the mark or beyond; `None` below.
    pub since: Option<Timestamp>,
    /// Day in Nairobi on which the household was last told.
    pub told: Option<i64>,
}

/// A household's standing. Changed by [`super::apply`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub household: HouseholdId,
    /// Exposure at which the relay opens; zero for strictly prepaid.
    pub limit: Cents,
    /// Whether it may be cut at all.
    pub protection: Protection,
    /// Energy owed, by the last attestation.
    pub shortfall: Wh,
    /// Balance that is free.
    pub available: Cents,
    /// Retail in force.
    pub retail: Price,
    /// End of the last slot that was attested; `None` before the first.
    pub attested_through: Option<Timestamp>,
    /// Emergency credit not yet repaid.
    pub emergency_owed: Cents,
    /// Agreement on old debt.
    pub old_debt: Option<Instalments>,
    /// Relay.
    pub relay: Relay,
    /// Relay commands so far: the number of the last.
    pub commands: u64,
    /// Steps so far: the number of the last.
    pub steps: u64,
    /// The 50 % mark.
    pub half: Mark,
    /// The 80 % mark.
    pub most: Mark,
    /// Why the relay does not open although the limit is reached, as last told.
    pub deferred: Option<Deferral>,
    /// The step that is disputed and not yet answered.
    pub disputed: Option<u64>,
    /// When a dispute last began to keep the relay closed.
    pub dispute_began: Option<Timestamp>,
}

impl Account {
    /// A new household, owing nothing.
    pub const fn new(household: HouseholdId, limit: Cents, retail: Price) -> Self {
        Self {
            household,
            limit,
            protection: Protection::None,
            shortfall: Wh::ZERO,
            available: Cents::ZERO,
            retail,
            attested_through: None,
            emergency_owed: Cents::ZERO,
            old_debt: None,
            relay: Relay::Closed,
            commands: 0,
            steps: 0,
            half: Mark { since: None, told: None },
            most: Mark { since: None, told: None },
            deferred: None,
            disputed: None,
            dispute_began: None,
        }
    }

    /// Shortfall at retail, rounded up, less the available balance; old debt under an
    /// agreement does not count. Negative for who can pay.
    pub fn exposure(&self) -> Cents {
        let set_aside = self.old_debt.map_or(Wh::ZERO, |debt| debt.set_aside);
        let cost = cost(self.shortfall.saturating_sub(set_aside), self.retail);
        Cents(cost.0.saturating_sub(self.available.0))
    }

    /// Whether exposure has reached so much of the limit. Who owes nothing is nowhere.
    pub(super) fn reaches(&self, percent: i64) -> bool {
        let exposure = i128::from(self.exposure().0);
        exposure > 0 && exposure * 100 >= i128::from(self.limit.0) * i128::from(percent)
    }
}

/// `energy` at `price`, rounded up.
pub(super) fn cost(energy: Wh, price: Price) -> Cents {
    let cents = (u128::from(energy.0) * u128::from(price.0)).div_ceil(1_000);
    Cents(i64::try_from(cents).unwrap_or(i64::MAX))
}
