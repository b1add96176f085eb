use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PlainData;
use jirani_energy_interface::state::Config;
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 3] = accounts::rules(accounts::ACCEPT_ADMIN);

/// The proposed admin takes over: only a key that can sign becomes admin, so a wrong
/// one locks nobody out.
#[inline(never)]
pub fn accept_admin(call: &Call, accounts: &mut [AccountView]) -> Check {
    call.data::<PlainData>()?;
    call.check(accounts, &RULES)?;
    let [pending_admin, config_account, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let mut event = Event::new(EventKind::AdminChanged, time::now()?);
    let bump = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        let proposed = call::is(pending_admin, &config.pending_admin) && !call::nobody(&config.pending_admin);
        proposed.or_refuse(EnergyError::NotPendingAdmin)?;
        config.admin = config.pending_admin;
        config.pending_admin = [0; 32];
        event.subject = config.admin;
        config.bump
    };
    call::emit(call, config_account, bump, &event)
}
