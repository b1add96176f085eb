//! Which refusals last, and which are only of their moment.
//!
//! Work that a person asked for and that the state of the market refuses (an offer
//! that is gone, a vault too small) has its answer: asking again is another wish,
//! under another key. What the operator or time will change (a pause, a daily cap, a
//! key not yet in Config) is only put off, and the same key may be asked again.

use crate::work::Retry;
use jirani_energy_interface::EnergyError;
use jirani_units::Timestamp;

/// Microseconds of a UTC day, at whose turn daily caps begin anew.
const DAY_US: i64 = 86_400_000_000;
/// The chain's clock may be a little behind ours: caps are tried this much later.
const AFTER_MIDNIGHT_S: i64 = 60;

/// How long a refusal lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    /// For ever.
    Forever,
    /// Tried again after so many seconds.
    Seconds(i64),
    /// Until the next UTC day.
    Day,
}

/// Every refusal of the program. No wildcard: a new one is decided here.
const fn lasts(error: EnergyError) -> Lasts {
    use EnergyError as E;
    match error {
        // The chain's clock is behind ours, or its runtime stumbled.
        E::SlotInFuture | E::Runtime => Lasts::Seconds(5),
        // The oracle set changed since it was read.
        E::OracleVersion => Lasts::Seconds(1),
        // Time alone opens these.
        E::OrderWindowOpen => Lasts::Seconds(15),
        E::AuthorityDelay => Lasts::Seconds(3_600),
        E::MarkerRetained => Lasts::Seconds(86_400),
        // Somebody stopped the market and will open it again.
        E::Paused | E::HardStopped => Lasts::Seconds(30),
        // A key of ours is not, or not yet, in Config: a rotation half done.
        E::NotOracle | E::OracleThreshold | E::NotAttestor | E::NotAdmin => Lasts::Seconds(60),
        // Counted per UTC day.
        E::DailyCap | E::AdjustmentCap | E::WithdrawalCap | E::UnpaidOrders => Lasts::Day,
        // What we built is wrong, or the client is older than the program.
        E::UnknownInstruction
        | E::InvalidData
        | E::AccountsMissing
        | E::MissingSigner
        | E::NotWritable
        | E::WrongOwner
        | E::WrongType
        | E::WrongAddress
        | E::WrongProgram
        | E::WrongMint
        | E::ForgedEvent
        | E::RowCount
        | E::OracleTwice
        | E::AccountTwice
        | E::Overflow
        // The wish contradicts itself or the rules.
        | E::InvalidTariff
        | E::InvalidLimits
        | E::InvalidOracles
        | E::InvalidKey
        | E::InvalidHousehold
        | E::InvalidExpiry
        | E::InvalidFills
        | E::InvalidProof
        | E::InvalidReason
        | E::InvalidCaps
        | E::InvalidMeter
        | E::InvalidAdjustment
        | E::ZeroEnergy
        | E::OwnOffer
        | E::WrongWallet
        | E::DifferentAuthority
        | E::Custodial
        // Not for this key to ask.
        | E::NotUpgradeAuthority
        | E::NotAuthority
        | E::NotPauseKey
        | E::NotPendingAdmin
        | E::NotPendingAuthority
        // The state of this moment is the answer; whoever wants it later asks anew.
        | E::AlreadyExists
        | E::PauseUnchanged
        | E::PriceOutOfBounds
        | E::FeeOutOfBounds
        | E::OfferExpired
        | E::OfferClosing
        | E::OfferTooSmall
        | E::OfferNotReturnable
        | E::ShortfallOpen
        | E::VaultTooSmall
        | E::IdUsed
        | E::TooManyOpen
        | E::HeldEnergy
        | E::PriceChanged
        | E::ProofUsed
        | E::PaidAtOutsideWindow
        | E::OrderWindowOver
        | E::FillMismatch
        | E::NoAuthorityChange
        | E::AdjustmentStale
        | E::HouseholdNotEmpty
        | E::WithdrawalsOff => Lasts::Forever,
    }
}

/// Code of work whose transaction died before anybody asked for it again.
pub(crate) const EXPIRED: &str = "chain.expired";

/// Whether work refused at `now` with a stable code may be asked for again.
pub(crate) fn retry(code: &str, now: Timestamp) -> Retry {
    if code == EXPIRED {
        return Retry::From(now);
    }
    let error = EnergyError::ALL.iter().find(|error| error.code() == code);
    match error.map_or(Lasts::Forever, |error| lasts(*error)) {
        Lasts::Forever => Retry::Never,
        Lasts::Seconds(seconds) => Retry::From(now.plus_seconds(seconds)),
        Lasts::Day => {
            let midnight = Timestamp((now.0.div_euclid(DAY_US) + 1).saturating_mul(DAY_US));
            Retry::From(midnight.plus_seconds(AFTER_MIDNIGHT_S))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_795_348_800);

    #[test]
    fn what_passes_is_asked_again_and_what_lasts_is_not() {
        let from = |seconds| Retry::From(NOON.plus_seconds(seconds));
        for (error, wanted) in [
            (EnergyError::Paused, from(30)),
            (EnergyError::HardStopped, from(30)),
            (EnergyError::SlotInFuture, from(5)),
            (EnergyError::OrderWindowOpen, from(15)),
            (EnergyError::NotAttestor, from(60)),
            (EnergyError::DailyCap, from(12 * 3_600 + 60)),
            (EnergyError::UnpaidOrders, from(12 * 3_600 + 60)),
            (EnergyError::ProofUsed, Retry::Never),
            (EnergyError::OfferExpired, Retry::Never),
            (EnergyError::VaultTooSmall, Retry::Never),
        ] {
            assert_eq!(retry(error.code(), NOON), wanted, "{error}");
        }
        assert_eq!(retry("chain.program_error_4", NOON), Retry::Never);
    }

    #[test]
    fn a_daily_cap_is_tried_on_the_next_utc_day_and_not_before() {
        let late = Timestamp::from_seconds(86_400 * 20_000 - 1);
        let Retry::From(at) = retry(EnergyError::DailyCap.code(), late) else { panic!("it passes") };
        assert_eq!(at.seconds(), 86_400 * 20_000 + 60);
        let midnight = Timestamp::from_seconds(86_400 * 20_000);
        let Retry::From(at) = retry(EnergyError::DailyCap.code(), midnight) else { panic!("it passes") };
        assert_eq!(at.seconds(), 86_400 * 20_001 + 60);
    }

    #[test]
    fn every_wait_lies_ahead_and_ends_within_a_day_or_so() {
        for error in EnergyError::ALL {
            if let Retry::From(at) = retry(error.code(), NOON) {
                let wait_s = at.since(NOON) / 1_000_000;
                assert!((1..=86_460).contains(&wait_s), "{error}: {wait_s} s");
            }
        }
    }
}
