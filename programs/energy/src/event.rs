//! Events: the program calls itself, signed by Config, so that what happened stands
//! in the transaction's inner instructions and nobody else can write it.

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::state::Config;
use pinocchio::AccountView;

use crate::account;
use crate::call::Call;
use crate::refusal::{Check, Refuse};

/// The called side of an event: nothing to do but to refuse a forged one.
pub fn accept(call: &Call, accounts: &[AccountView]) -> Check {
    let [config] = accounts else { return false.or_refuse(EnergyError::ForgedEvent) };
    config.is_signer().or_refuse(EnergyError::ForgedEvent)?;
    account::read::<Config>(config, call.program_id).map(|_| ())
}
