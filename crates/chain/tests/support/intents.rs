//! What the crash test and its child process agree on.

use jirani_chain::AttestRow;
use jirani_units::{HouseholdId, Timestamp, Wh};

/// When the households are enrolled.
pub const NOON: Timestamp = Timestamp::from_seconds(1_795_348_800);
/// The chain's time from then on: long enough after for every slot of the test.
pub const LATER: Timestamp = NOON.plus_seconds(1_000_000);
/// Households that trade; number 1 also sells to all.
pub const HOUSEHOLDS: u32 = 28;
/// The offer of household 1 that everybody buys from.
pub const BIG_OFFER: u64 = 1_000_000;
/// Seed of the deployment's keys.
pub const KEYS: [u8; 32] = [3; 32];

/// Name of an intent.
pub fn key(n: u64) -> String {
    format!("intent/{n}")
}

/// A row of an attestation.
pub fn row(id: u32, export_wh: u64) -> AttestRow {
    AttestRow { household: HouseholdId(id), export_wh: Wh(export_wh), import_wh: Wh(0) }
}
