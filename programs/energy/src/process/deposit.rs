use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::AmountData;
use jirani_energy_interface::state::{Config, Household};
use pinocchio::AccountView;

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 8] = accounts::rules(accounts::DEPOSIT);

/// Moves energy from the signer's wallet into a vault, where a shortfall is burned
/// first. Works while paused, as a plain transfer to the vault would.
#[inline(never)]
pub fn deposit(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<AmountData>()?;
    call.check(accounts, &RULES)?;
    let [wallet_owner, config_account, household_account, vault, wallet, mint, _, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (data.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
    let mut event = Event::new(EventKind::Deposited, time::now()?);
    event.energy_wh = data.energy_wh;
    event.subject = *wallet.address().as_array();
    let (bump, burned) = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut household = account::write::<Household>(household_account, call.program_id)?;
        call.address(vault, &household.vault)?;
        // A wallet is never one of our own token accounts: their owner cannot sign here.
        let burned = token::burn_shortfall(&mut household, vault, data.energy_wh)?;
        event.household_id = household.id;
        event.burned_wh = burned;
        (config.bump, burned)
    };
    token::pay_in(wallet_owner, wallet, vault, mint, data.energy_wh)?;
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    let mut operations = token::Operations::<1>::new();
    operations.push(Operation::Burn { from: *vault, wh: burned })?;
    token::run(&authority, mint, operations.as_slice())?;
    authority.emit(&event)
}
