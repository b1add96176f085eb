use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PauseData;
use jirani_energy_interface::state::{Config, PauseLevel};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 3] = accounts::rules(accounts::PAUSE);

/// Pauses (pause key or admin) or resumes (admin): while paused nothing is attested,
/// posted, ordered or settled, and deadlines stand still.
#[inline(never)]
pub fn pause(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<PauseData>()?;
    (data.paused <= 1).or_refuse(EnergyError::InvalidData)?;
    call.check(accounts, &RULES)?;
    let [key, config_account, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let bump = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        let may_stop = data.paused == 1 && call::is(key, &config.pause_key);
        (may_stop || call::is(key, &config.admin)).or_refuse(EnergyError::NotPauseKey)?;
        (config.paused != PauseLevel::Hard as u8).or_refuse(EnergyError::HardStopped)?;
        (config.paused != data.paused).or_refuse(EnergyError::PauseUnchanged)?;
        config.paused_total_s = config.paused_s_until(now);
        config.paused = data.paused;
        config.paused_since = if data.paused == 1 { now } else { 0 };
        config.bump
    };
    let mut event = Event::new(EventKind::PauseChanged, now);
    event.detail = data.paused;
    call::emit(call, config_account, bump, &event)
}
