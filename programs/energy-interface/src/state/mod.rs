//! The program's accounts, byte for byte.

mod config;
mod evidence;
mod household;
mod marker;
mod offer;
mod order;

pub use config::{
    ATTESTORS_MAX, CappedKey, Caps, ClosedTotals, Config, DAY_S, DailyUse, Limits, MARKER_RETENTION_MIN_S,
    ORACLES_MAX, OracleSet, PauseLevel, Tariff, day_of,
};
pub use evidence::{EVIDENCE_SLOTS, Evidence, EvidenceEntry};
pub use household::{
    AUTHORITY_PROPOSAL_LIFE_S, Household, HouseholdKind, INITIAL_BUCKET_S, JOULES_PER_WH, RATING_MAX_W,
    flags, ratings_are_valid,
};
pub use marker::Marker;
pub use offer::{Offer, OfferState};
pub use order::{Order, OrderFill};

use bytemuck::Pod;

/// A record of the program: a fixed layout under a discriminator and a version.
pub trait Record: Pod {
    /// First byte of the account.
    const DISCRIMINATOR: u8;
    /// Second byte of the account.
    const VERSION: u8 = 1;
    /// Bytes of the account.
    const LEN: usize = size_of::<Self>();

    /// Whether `data` is such a record: length, discriminator and version.
    fn is(data: &[u8]) -> bool {
        data.len() == Self::LEN && data[0] == Self::DISCRIMINATOR && data[1] == Self::VERSION
    }

    /// A copy of the record, from data of any alignment; `None` when it is
    /// something else.
    fn decode(data: &[u8]) -> Option<Self> {
        if Self::is(data) { bytemuck::try_pod_read_unaligned(data).ok() } else { None }
    }
}

macro_rules! record {
    ($name:ident, $discriminator:literal, $len:literal) => {
        impl $crate::state::Record for $name {
            const DISCRIMINATOR: u8 = $discriminator;
        }

        // The size is part of the contract; `Pod` already refuses padding.
        const _: () = assert!(size_of::<$name>() == $len && align_of::<$name>() == 8);
    };
}
pub(crate) use record;
