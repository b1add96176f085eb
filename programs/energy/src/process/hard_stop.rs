use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::HardStopData;
use jirani_energy_interface::state::{Config, PauseLevel};
use jirani_energy_interface::{EnergyError, programs};
use pinocchio::AccountView;
use pinocchio::cpi::invoke_signed;
use pinocchio::instruction::{InstructionAccount, InstructionView};

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 5] = accounts::rules(accounts::HARD_STOP);
/// Token-2022's pausable extension, and its two operations.
const PAUSABLE: u8 = 44;
const PAUSE: u8 = 1;
const RESUME: u8 = 2;

/// Stops the mint itself: no token is minted, burned or moved by anybody, wallets
/// included. A stop begins a soft pause too, which stays when the stop is lifted.
/// Orders can still be released; offers return when the stop is over.
#[inline(never)]
pub fn hard_stop(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<HardStopData>()?;
    (data.stopped <= 1).or_refuse(EnergyError::InvalidData)?;
    call.check(accounts, &RULES)?;
    let [admin, config_account, mint, _, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let stop = data.stopped == 1;
    let bump = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        super::admin(&config, admin)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let stopped = config.paused == PauseLevel::Hard as u8;
        (stopped != stop).or_refuse(EnergyError::PauseUnchanged)?;
        if config.paused == PauseLevel::Running as u8 {
            config.paused_since = now;
        }
        config.paused = if stop { PauseLevel::Hard } else { PauseLevel::Soft } as u8;
        config.bump
    };
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    set_mint_paused(&authority, mint, stop)?;
    let mut event = Event::new(EventKind::HardStopChanged, now);
    event.detail = u8::from(stop);
    authority.emit(&event)
}

fn set_mint_paused(authority: &Authority, mint: &AccountView, paused: bool) -> Check {
    let config = authority.config;
    let data = [PAUSABLE, if paused { PAUSE } else { RESUME }];
    let metas =
        [InstructionAccount::writable(mint.address()), InstructionAccount::readonly_signer(config.address())];
    let instruction = InstructionView { program_id: &programs::TOKEN_2022, accounts: &metas, data: &data };
    Ok(authority.sign(|signers| invoke_signed(&instruction, &[mint, config], signers))?)
}
