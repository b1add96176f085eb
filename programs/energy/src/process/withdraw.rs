use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::AmountData;
use jirani_energy_interface::state::{Config, Household};
use jirani_energy_interface::{EnergyError, token as layout};
use pinocchio::AccountView;

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 8] = accounts::rules(accounts::WITHDRAW);

/// Moves energy to the authority's own wallet: off unless Config allows it, capped per
/// household and day, never by a custodian, never by a household that owes.
#[inline(never)]
pub fn withdraw(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<AmountData>()?;
    call.check(accounts, &RULES)?;
    let [authority, config_account, household_account, vault, wallet, mint, _, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (data.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
    let now = time::now()?;
    let mut event = Event::new(EventKind::Withdrawn, now);
    event.energy_wh = data.energy_wh;
    event.subject = *wallet.address().as_array();
    let bump = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        super::running(&config)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        (config.caps.withdrawal_wh > 0).or_refuse(EnergyError::WithdrawalsOff)?;
        let mut household = account::write::<Household>(household_account, call.program_id)?;
        super::own_authority(authority, &household)?;
        call.address(vault, &household.vault)?;
        (household.shortfall_wh == 0).or_refuse(EnergyError::ShortfallOpen)?;
        (token::balance(vault)? >= data.energy_wh).or_refuse(EnergyError::VaultTooSmall)?;
        own_wallet(wallet, &household, &config)?;
        let cap = config.caps.withdrawal_wh;
        household.withdrawn.spend(now, data.energy_wh, cap).or_refuse(EnergyError::WithdrawalCap)?;
        event.household_id = household.id;
        config.bump
    };
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    token::run(&authority, mint, &[Operation::Transfer { from: *vault, to: *wallet, wh: data.energy_wh }])?;
    authority.emit(&event)
}

/// Requires an eKWh token account whose owner is the household's authority.
#[inline(always)]
fn own_wallet(wallet: &AccountView, household: &Household, config: &Config) -> Check {
    let bytes = wallet.try_borrow()?;
    let own = layout::is_account(&bytes)
        && layout::owner(&bytes).is_some_and(|owner| call::same(&owner, &household.authority))
        && layout::mint(&bytes).is_some_and(|mint| call::same(&mint, &config.mint));
    own.or_refuse(EnergyError::WrongWallet)
}
