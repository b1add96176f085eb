//! The steps of the walk: what is kept, read and disputed.

use jirani_units::{Cents, HouseholdId, Timestamp, Wh};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a relay stays closed although the limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferral {
    /// It is not the time of day.
    Night,
    /// A protected customer.
    Protected,
    /// A clinic.
    Clinic,
    /// The 80 % message is not a day old.
    Notice,
    /// The readings are too old.
    OldReadings,
    /// A step is disputed.
    Dispute,
}

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Night => "power is never cut at night",
            Self::Protected => "protected customers are never cut",
            Self::Clinic => "clinics are never cut",
            Self::Notice => "the warning was less than a day ago",
            Self::OldReadings => "the meter was not heard for a day",
            Self::Dispute => "a step is disputed",
        })
    }
}

/// Where a meter says its relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayPosition {
    /// Power is cut.
    Open,
    /// Power flows.
    Closed,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The message at 50 % or 80 %.
    Warned {
        /// 50 or 80.
        percent: u8,
        /// Then.
        exposure: Cents,
        /// Then.
        limit: Cents,
    },
    /// The limit is reached and the relay stays closed.
    LimitReached {
        /// Why.
        because: Deferral,
        /// Then.
        exposure: Cents,
        /// Then.
        limit: Cents,
    },
    /// The relay is commanded to open.
    RelayOpens {
        /// Number of the command.
        command: u64,
        /// From when on the meter must ignore it.
        not_after: Timestamp,
        /// Then.
        exposure: Cents,
        /// Then.
        limit: Cents,
    },
    /// The command to open did not reach the meter in time and is void.
    OpeningLapsed {
        /// Number of the command.
        command: u64,
    },
    /// The relay is commanded to close.
    RelayCloses {
        /// Number of the command.
        command: u64,
    },
    /// The meter says where the relay is.
    RelayConfirmed(RelayPosition),
    /// Emergency credit: the operator advances this to the balance.
    EmergencyGranted(Cents),
    /// The balance repays so much of it.
    EmergencyRepaid(Cents),
    /// Old debt is paid by instalments from now on.
    InstalmentsAgreed {
        /// Energy.
        energy: Wh,
        /// What it costs at retail.
        owed: Cents,
        /// One instalment.
        each: Cents,
    },
    /// So much was paid for the energy of one instalment, which is no longer owed.
    InstalmentPaid {
        /// Paid.
        paid: Cents,
        /// Energy paid off.
        energy: Wh,
    },
    /// An instalment was due and the balance too small.
    InstalmentMissed(Cents),
    /// Too many were missed: the rest counts against the limit again.
    InstalmentsEnded(Cents),
    /// Old debt is paid off.
    InstalmentsDone,
    /// The protection changed.
    ProtectionSet(super::Protection),
    /// The limit changed.
    LimitSet(Cents),
    /// The household disputes a step.
    Disputed(u64),
    /// The operator answered the dispute.
    Resolved(u64),
}

/// One record of the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Whose.
    pub household: HouseholdId,
    /// Counted from one for each household, without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: StepKind,
}

impl fmt::Display for Step {
    /// The English sentence for the household; other languages are made of the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StepKind::Warned { percent, exposure, limit } => {
                write!(
                    f,
                    "You owe {exposure}: {percent} % of your limit of {limit}. Pay in to keep your power on."
                )
            }
            StepKind::LimitReached { because, exposure, limit } => {
                write!(f, "You owe {exposure}, your limit is {limit}. Your power stays on: {because}.")
            }
            StepKind::RelayOpens { exposure, limit, .. } => {
                write!(f, "You owe {exposure}, your limit is {limit}. Your power is cut until you pay in.")
            }
            StepKind::OpeningLapsed { .. } => {
                f.write_str("Your meter was not reached in time: your power stays on.")
            }
            StepKind::RelayCloses { .. } => f.write_str("Your power comes back now."),
            StepKind::RelayConfirmed(RelayPosition::Open) => {
                f.write_str("Your meter says that your power is off.")
            }
            StepKind::RelayConfirmed(RelayPosition::Closed) => {
                f.write_str("Your meter says that your power is on.")
            }
            StepKind::EmergencyGranted(amount) => {
                write!(f, "You got {amount} of emergency credit. What you pay in next repays it first.")
            }
            StepKind::EmergencyRepaid(amount) => write!(f, "{amount} of your emergency credit is repaid."),
            StepKind::InstalmentsAgreed { energy, owed, each } => {
                write!(f, "You pay {owed} for {energy} by instalments of {each}.")
            }
            StepKind::InstalmentPaid { paid, .. } => write!(f, "An instalment of {paid} is paid."),
            StepKind::InstalmentMissed(each) => {
                write!(f, "An instalment of {each} was due. Pay in to keep the agreement.")
            }
            StepKind::InstalmentsEnded(owed) => {
                write!(f, "The agreement on instalments has ended: {owed} counts against your limit again.")
            }
            StepKind::InstalmentsDone => f.write_str("Your old debt is paid off."),
            StepKind::ProtectionSet(super::Protection::None) => {
                f.write_str("Your power is no longer protected.")
            }
            StepKind::ProtectionSet(_) => f.write_str("Your power is protected: it is never cut for debt."),
            StepKind::LimitSet(limit) => write!(f, "Your limit is {limit}."),
            StepKind::Disputed(number) => {
                write!(f, "You dispute step {number}. The operator answers.")
            }
            StepKind::Resolved(number) => write!(f, "Your dispute of step {number} is answered."),
        }
    }
}

/// Why an event is refused. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortfallError {
    /// No money.
    #[error("shortfall.amount_not_positive: an amount must be above zero")]
    AmountNotPositive,
    /// A negative limit.
    #[error("shortfall.limit_negative: a limit is zero (prepaid) or more")]
    LimitNegative,
    /// Emergency credit that is not needed.
    #[error("shortfall.emergency_not_needed: emergency credit is for who owes 80 % of the limit or more")]
    EmergencyNotNeeded,
    /// Emergency credit upon emergency credit.
    #[error("shortfall.emergency_owed: {0} of emergency credit is still to be repaid")]
    EmergencyOwed(Cents),
    /// Nothing is owed.
    #[error("shortfall.nothing_owed: there is no shortfall to pay by instalments")]
    NothingOwed,
    /// An agreement upon an agreement.
    #[error("shortfall.instalments_running: an agreement is running; pay it off first")]
    InstalmentsRunning,
    /// An agreement that takes too long or no time.
    #[error(
        "shortfall.instalments_out_of_bounds: instalments are 1 to 31 days apart and 52 at most: {least} each"
    )]
    InstalmentsOutOfBounds {
        /// Least instalment.
        least: Cents,
    },
    /// Nothing is due of an agreement.
    #[error("shortfall.no_instalment_due: no instalment is due")]
    NoInstalmentDue,
    /// A step that does not exist, or a dispute upon a dispute.
    #[error("shortfall.not_disputable: dispute one of your steps, one at a time")]
    NotDisputable,
    /// No dispute is open.
    #[error("shortfall.no_dispute: there is no dispute to answer")]
    NoDispute,
}

impl ShortfallError {
    /// The stable code that the message begins with.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AmountNotPositive => "shortfall.amount_not_positive",
            Self::LimitNegative => "shortfall.limit_negative",
            Self::EmergencyNotNeeded => "shortfall.emergency_not_needed",
            Self::EmergencyOwed(_) => "shortfall.emergency_owed",
            Self::NothingOwed => "shortfall.nothing_owed",
            Self::InstalmentsRunning => "shortfall.instalments_running",
            Self::InstalmentsOutOfBounds { .. } => "shortfall.instalments_out_of_bounds",
            Self::NoInstalmentDue => "shortfall.no_instalment_due",
            Self::NotDisputable => "shortfall.not_disputable",
            Self::NoDispute => "shortfall.no_dispute",
        }
    }
}
