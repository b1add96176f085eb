//! The chain's time.

use pinocchio::sysvars::Sysvar;
use pinocchio::sysvars::clock::Clock;

use crate::refusal::Check;

/// Unix seconds, by the chain's clock. Never slots: their length changes.
#[inline(never)]
pub fn now() -> Check<i64> {
    Ok(Clock::get()?.unix_timestamp)
}
