//! Why a reading is put in quarantine.

use jirani_meter::WireError;
use jirani_units::{MeterId, Timestamp};

/// Why a reading, or a whole message, is not accepted. The text begins with the
/// stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are not a reading, or the signature does not hold.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The topic is not `v1/<meter>/up`, or another meter's.
    #[error("reading.wrong_topic: a reading belongs on its own meter's topic")]
    WrongTopic,
    /// No household has this meter.
    #[error("reading.unknown_meter: no household has meter {0}; enrol it first")]
    UnknownMeter(MeterId),
    /// An answer to a challenge that was not asked, or not of this meter.
    #[error("meter.wrong_answer: this does not answer what the meter was asked; challenge it again")]
    WrongAnswer,
    /// Behind what is stored, and not a repetition of it.
    #[error("reading.old_seq: epoch {epoch} seq {seq} is behind what is stored, and was never stored itself")]
    OldSeq {
        /// Its epoch.
        epoch: u32,
        /// Its number.
        seq: u64,
    },
    /// The registers began anew and nobody has approved that.
    #[error("reading.unknown_epoch: epoch {0} is not enrolled; replace the meter's record first")]
    UnknownEpoch(u32),
    /// The meter's clock is ahead by more than a slot, seconds.
    #[error("reading.clock_ahead: taken {0} s in the future; the meter's clock is wrong")]
    ClockAhead(i64),
    /// The meter's clock was never set: it says a time before there were meters.
    #[error("reading.clock_unset: taken before 2020; the meter's clock was never set")]
    ClockUnset,
    /// Taken before the meter counted for its household, or before its registers began.
    #[error("reading.before_its_time: taken before {0}, when this meter's registers began to count")]
    BeforeItsTime(Timestamp),
    /// The meter counted for a household, and another has taken its place.
    #[error(
        "reading.replaced_meter: another meter has taken the place of {0}; what it still knows is mended by an adjustment"
    )]
    ReplacedMeter(MeterId),
    /// The meter was taken out of service.
    #[error("reading.retired_meter: meter {0} was retired")]
    RetiredMeter(MeterId),
    /// Not later than the reading before.
    #[error("reading.time_not_later: not taken later than the reading before it")]
    TimeNotLater,
    /// A register fell within an epoch.
    #[error("reading.falling_register: the {0} register fell")]
    FallingRegister(&'static str),
    /// More energy than the connection can carry.
    #[error("reading.implausible: the {register} register grew {grew_wh} Wh where {most_wh} Wh are possible")]
    Implausible {
        /// Which register.
        register: &'static str,
        /// By how much it grew.
        grew_wh: u64,
        /// What the rating allows.
        most_wh: u64,
    },
    /// A number beyond what is accounted in.
    #[error("reading.out_of_range: {0} is beyond 2^53 - 1")]
    OutOfRange(&'static str),
    /// The identity was used for other bytes.
    #[error("reading.equivocation: epoch {epoch} seq {seq} was used for another reading before")]
    Equivocation {
        /// Its epoch.
        epoch: u32,
        /// Its number.
        seq: u64,
    },
}

impl Refusal {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            // One code for whatever is not the one encoding of a reading.
            Self::Wire(WireError::NotCanonical | WireError::Malformed(_)) => "reading.malformed",
            Self::Wire(error) => error.code(),
            Self::WrongTopic => "reading.wrong_topic",
            Self::UnknownMeter(_) => "reading.unknown_meter",
            Self::WrongAnswer => "meter.wrong_answer",
            Self::OldSeq { .. } => "reading.old_seq",
            Self::UnknownEpoch(_) => "reading.unknown_epoch",
            Self::ClockAhead(_) => "reading.clock_ahead",
            Self::ClockUnset => "reading.clock_unset",
            Self::BeforeItsTime(_) => "reading.before_its_time",
            Self::ReplacedMeter(_) => "reading.replaced_meter",
            Self::RetiredMeter(_) => "reading.retired_meter",
            Self::TimeNotLater => "reading.time_not_later",
            Self::FallingRegister(_) => "reading.falling_register",
            Self::Implausible { .. } => "reading.implausible",
            Self::OutOfRange(_) => "reading.out_of_range",
            Self::Equivocation { .. } => "reading.equivocation",
        }
    }

    /// Whether the meter is told that the reading is durable, so that it stops
    /// sending it. Only what its key has signed, and will never be accepted.
    /// Otherwise a stranger could make a meter forget, or a meter would forget
    /// what is worth something once it is enrolled.
    pub const fn is_acknowledged(&self) -> bool {
        match self {
            Self::Wire(_)
            | Self::WrongTopic
            | Self::UnknownMeter(_)
            | Self::UnknownEpoch(_)
            | Self::ReplacedMeter(_)
            | Self::RetiredMeter(_)
            | Self::WrongAnswer => false,
            Self::OldSeq { .. }
            | Self::ClockAhead(_)
            | Self::ClockUnset
            | Self::BeforeItsTime(_)
            | Self::TimeNotLater
            | Self::FallingRegister(_)
            | Self::Implausible { .. }
            | Self::OutOfRange(_)
            | Self::Equivocation { .. } => true,
        }
    }
}
