//! The words every part shares: energy, money, prices, time, slots, people's
//! numbers and the identities of things.
//!
//! Promises: integers only, checked arithmetic, no I/O, no clock (time arrives
//! through [`Clock`]), and no value that breaks its own rule can be built.
//! Stands at the bottom of the code: everything depends on it, it on nothing.

pub mod energy;
pub mod id;
pub mod money;
pub mod msisdn;
pub mod receipt;
pub mod time;
pub mod trust;

pub use energy::{Price, Wh};
pub use id::{HouseholdId, MeterId, OfferId, OrderId, PayoutId};
pub use money::Cents;
pub use msisdn::Msisdn;
pub use receipt::{Receipt, Reference};
pub use time::{Clock, Slot, Timestamp};
pub use trust::Trust;

/// The largest integer that JSON numbers carry exactly (2^53 - 1).
pub const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;
