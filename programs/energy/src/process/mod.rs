//! The instructions, one file each. Every one checks first (data, accounts in their
//! order, rights, rules), then changes its records, then calls other programs, and
//! last writes its event.

mod attest;
mod cancel_offer;
mod configure;
mod enrol;
mod initialise;
mod pause;
mod place_order;
mod post_offer;
mod release;
mod settle;

pub use attest::attest;
pub use cancel_offer::cancel_offer;
pub use configure::configure;
pub use enrol::enrol;
pub use initialise::initialise;
pub use pause::pause;
pub use place_order::place_order;
pub use post_offer::post_offer;
pub use release::release;
pub use settle::settle;

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::state::{Config, Household};
use pinocchio::AccountView;
use pinocchio::error::ProgramError;

use crate::account::{self, Refuse};

/// Whether `signer` may act for the household: the custodian for a custodial one,
/// else its authority.
fn acts_for(signer: &AccountView, config: &Config, household: &Household) -> bool {
    if household.is_custodial() {
        account::is(signer, &config.custodian.key) && config.custodian.key != [0; 32]
    } else {
        account::is(signer, &household.authority)
    }
}

/// Requires `signer` to act for the household, and counts what a custodian moves
/// against its daily caps.
#[inline(always)]
fn authorise(
    signer: &AccountView,
    config: &mut Config,
    household: &Household,
    now: i64,
    wh: u64,
    cents: u64,
) -> Result<(), ProgramError> {
    acts_for(signer, config, household).or_refuse(EnergyError::NotAuthority)?;
    if household.is_custodial() {
        config.custodian.spend(now, wh, cents).or_refuse(EnergyError::DailyCap)?;
    }
    Ok(())
}
