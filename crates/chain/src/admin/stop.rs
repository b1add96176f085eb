//! Pausing and stopping.

use super::plan::{Planned, address};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::state::{Config, PauseLevel};
use solana_address::Address;

/// Pauses: no attesting, posting, ordering, settling; refunds go on. By `key`, the
/// pause key or the admin.
pub fn pause(program: &EnergyProgram, config: &Config, key: Address) -> Planned {
    if config.paused != PauseLevel::Running as u8 {
        return Planned::Nothing("the market is paused already.".to_owned());
    }
    let changes = vec![
        "attesting, posting, ordering and settling stop; cancelling and releasing go on".to_owned(),
        "deadlines stand still until the admin resumes".to_owned(),
    ];
    Planned::one("pause", changes, program.pause(key, true))
}

/// Ends the pause; only the admin.
pub fn resume(program: &EnergyProgram, config: &Config) -> Planned {
    if config.paused == PauseLevel::Running as u8 {
        return Planned::Nothing("the market is not paused.".to_owned());
    }
    let changes = vec!["attesting, posting, ordering and settling go on".to_owned()];
    Planned::one("resume", changes, program.pause(address(&config.admin), false))
}

/// Stops the mint itself; only the admin.
pub fn hard_stop(program: &EnergyProgram, config: &Config) -> Planned {
    if config.paused == PauseLevel::Hard as u8 {
        return Planned::Nothing("the mint is stopped already.".to_owned());
    }
    let changes = vec![
        "the mint stops: no token moves at all, not even back to its seller".to_owned(),
        "deadlines stand still until the admin resumes".to_owned(),
    ];
    Planned::one("hard-stop", changes, program.hard_stop(address(&config.admin), true))
}

/// Lifts the hard stop; the soft pause stays until `resume`.
pub fn lift_hard_stop(program: &EnergyProgram, config: &Config) -> Planned {
    if config.paused != PauseLevel::Hard as u8 {
        return Planned::Nothing("the mint is not stopped.".to_owned());
    }
    let changes = vec!["tokens move again; the market stays paused until `resume`".to_owned()];
    Planned::one("lift-hard-stop", changes, program.hard_stop(address(&config.admin), false))
}
