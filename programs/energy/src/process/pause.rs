use jirani_energy_interface::EnergyError;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PauseData;
use jirani_energy_interface::state::Config;
use pinocchio::ProgramResult;

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::time;

/// Pauses (pause key or admin) or resumes (admin): while paused nothing is attested,
/// posted, ordered or settled, and deadlines stand still.
///
/// Accounts: 0 key (s); 1 Config (w); 2 this program.
#[inline(never)]
pub fn pause(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let data: PauseData = account::data(data)?;
    (data.paused <= 1).or_refuse(EnergyError::InvalidData)?;
    let [key, config_account, this, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([key])?;
    account::program(this, program_id)?;
    let now = time::now()?;
    let bump = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        let may_stop = data.paused == 1 && account::is(key, &config.pause_key);
        (may_stop || account::is(key, &config.admin)).or_refuse(EnergyError::NotPauseKey)?;
        (config.paused != data.paused).or_refuse(EnergyError::PauseUnchanged)?;
        config.paused_total_s = config.paused_s_until(now);
        config.paused = data.paused;
        config.paused_since = if data.paused == 1 { now } else { 0 };
        config.bump
    };
    let mut event = Event::new(EventKind::PauseChanged, now);
    event.detail = data.paused;
    Authority { program_id, config: config_account, bump }.emit(&event)
}
