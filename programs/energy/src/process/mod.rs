//! The instructions, one file each. Every one checks its data and its accounts by their
//! table, then rights and rules, changes its records, calls other programs, and last
//! writes its event. Where an account must exist before its record can be filled, it is
//! created earlier: what is refused later undoes that too. The accounts' names, rights
//! and order stand in `jirani_energy_interface::accounts`.

mod accept_admin;
mod adjust;
mod attest;
mod cancel_offer;
mod change_authority;
mod close_household;
mod close_markers;
mod configure;
mod deposit;
mod enrol;
mod hard_stop;
mod initialise;
mod move_energy;
mod pause;
mod place_order;
mod post_offer;
mod release;
mod replace_meter;
mod settle;
mod withdraw;

pub use accept_admin::accept_admin;
pub use adjust::adjust;
pub use attest::attest;
pub use cancel_offer::cancel_offer;
pub use change_authority::change_authority;
pub use close_household::close_household;
pub use close_markers::close_markers;
pub use configure::configure;
pub use deposit::deposit;
pub use enrol::enrol;
pub use hard_stop::hard_stop;
pub use initialise::initialise;
pub use move_energy::move_energy;
pub use pause::pause;
pub use place_order::place_order;
pub use post_offer::post_offer;
pub use release::release;
pub use replace_meter::replace_meter;
pub use settle::settle;
pub use withdraw::withdraw;

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::state::{Config, Household, OracleSet, Order, PauseLevel};
use pinocchio::AccountView;

use crate::call;
use crate::refusal::{Check, Refuse};

/// Requires the market not to be paused.
#[inline(always)]
fn running(config: &Config) -> Check {
    (config.paused == PauseLevel::Running as u8).or_refuse(EnergyError::Paused)
}

/// Requires `signer` to be the admin.
#[inline(always)]
fn admin(config: &Config, signer: &AccountView) -> Check {
    call::is(signer, &config.admin).or_refuse(EnergyError::NotAdmin)
}

/// Whether `signer` may act for the household: the custodian for a custodial one,
/// else its authority.
#[inline(never)]
fn acts_for(signer: &AccountView, config: &Config, household: &Household) -> bool {
    let key = if household.is_custodial() { &config.custodian.key } else { &household.authority };
    call::is(signer, key) && !call::nobody(key)
}

/// What a household is about to move.
struct Movement {
    now: i64,
    wh: u64,
    cents: u64,
}

/// Requires `signer` to act for the household, and counts what a custodian moves
/// against its daily caps.
#[inline(never)]
fn authorise(signer: &AccountView, config: &mut Config, household: &Household, movement: &Movement) -> Check {
    acts_for(signer, config, household).or_refuse(EnergyError::NotAuthority)?;
    if household.is_custodial() {
        let Movement { now, wh, cents } = *movement;
        config.custodian.spend(now, wh, cents).or_refuse(EnergyError::DailyCap)?;
    }
    Ok(())
}

/// Requires the household's own authority, never a custodian.
#[inline(always)]
fn own_authority(signer: &AccountView, household: &Household) -> Check {
    (!household.is_custodial()).or_refuse(EnergyError::Custodial)?;
    call::is(signer, &household.authority).or_refuse(EnergyError::NotAuthority)
}

/// An order of the household is over: it holds no more for it.
#[inline(always)]
fn give_back(buyer: &mut Household, order: &Order) {
    buyer.open_orders = buyer.open_orders.saturating_sub(1);
    buyer.held_wh = buyer.held_wh.saturating_sub(order.energy_wh);
}

/// Requires every oracle to be a member that signed, each once, and enough of them,
/// all by the current version of the set.
#[inline(never)]
fn oracles_signed(set: &OracleSet, version: u32, oracles: &[AccountView]) -> Check {
    (version == set.version).or_refuse(EnergyError::OracleVersion)?;
    let mut seen = 0_u32;
    for oracle in oracles {
        oracle.is_signer().or_refuse(EnergyError::MissingSigner)?;
        let member = set.members().iter().position(|member| call::is(oracle, member));
        let bit = 1 << (member.or_refuse(EnergyError::NotOracle)? & 31);
        (seen & bit == 0).or_refuse(EnergyError::OracleTwice)?;
        seen |= bit;
    }
    (oracles.len() >= usize::from(set.threshold)).or_refuse(EnergyError::OracleThreshold)
}
