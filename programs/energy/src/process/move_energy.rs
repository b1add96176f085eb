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

const RULES: [u8; 9] = accounts::rules(accounts::MOVE);

/// Moves energy between two records of one authority. What the giving record owes is
/// burned first and what is left must cover the movement; what the receiving one owes
/// is burned from what arrives.
#[inline(never)]
pub fn move_energy(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<AmountData>()?;
    call.check(accounts, &RULES)?;
    let [authority, config_account, from_account, from_vault, to_account, to_vault, mint, _, _, ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (data.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
    let mut event = Event::new(EventKind::Moved, time::now()?);
    event.energy_wh = data.energy_wh;
    event.subject = *to_account.address().as_array();
    let mut operations = token::Operations::<3>::new();
    let bump = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        super::running(&config)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut from = account::write::<Household>(from_account, call.program_id)?;
        let mut to = account::write::<Household>(to_account, call.program_id)?;
        super::own_authority(authority, &from)?;
        let same = !to.is_custodial() && call::same(&from.authority, &to.authority);
        same.or_refuse(EnergyError::DifferentAuthority)?;
        call.address(from_vault, &from.vault)?;
        call.address(to_vault, &to.vault)?;
        let owed = token::burn_shortfall(&mut from, from_vault, 0)?;
        let left = token::balance(from_vault)?.saturating_sub(owed);
        (left >= data.energy_wh).or_refuse(EnergyError::VaultTooSmall)?;
        let burned = token::burn_shortfall(&mut to, to_vault, data.energy_wh)?;
        operations.push(Operation::Burn { from: *from_vault, wh: owed })?;
        operations.push(Operation::Transfer { from: *from_vault, to: *to_vault, wh: data.energy_wh })?;
        operations.push(Operation::Burn { from: *to_vault, wh: burned })?;
        event.household_id = from.id;
        event.number = u64::from(to.id);
        event.burned_wh = owed.saturating_add(burned);
        config.bump
    };
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    token::run(&authority, mint, operations.as_slice())?;
    authority.emit(&event)
}
