//! Events: the program calls itself, signed by Config, so that what happened stands
//! in the transaction's inner instructions and nobody else can write it.

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::state::Config;
use pinocchio::ProgramResult;

use crate::account::{self, Refuse};
use crate::call::Call;

/// The called side of an event: nothing to do but to refuse a forged one.
pub fn accept(call: &Call) -> ProgramResult {
    let [config] = &*call.accounts else { return false.or_refuse(EnergyError::ForgedEvent) };
    config.is_signer().or_refuse(EnergyError::ForgedEvent)?;
    account::read::<Config>(config, call.program_id).map(|_| ())
}
