use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::AdjustData;
use jirani_energy_interface::state::{Config, Household};
use pinocchio::AccountView;

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 7] = accounts::rules(accounts::ADJUST);

/// Mends an error found later: adds export or import beside the registers, which are
/// never rewritten. Takes the admin and the oracles, and has its own daily cap.
#[inline(never)]
pub fn adjust(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<AdjustData>()?;
    call.check(accounts, &RULES)?;
    let [admin, config_account, mint, household_account, vault, _, _, oracles @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let mut event = Event::new(EventKind::Adjusted, now);
    let (bump, operation) = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        super::running(&config)?;
        super::admin(&config, admin)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        super::oracles_signed(&config.oracles, data.oracle_version, oracles)?;
        let energy = data.export_wh.checked_add(data.import_wh).or_refuse(EnergyError::Overflow)?;
        (energy > 0 && !call::nobody(&data.reason)).or_refuse(EnergyError::InvalidAdjustment)?;
        let cap = config.caps.adjustment_wh;
        config.adjusted.spend(now, energy, cap).or_refuse(EnergyError::AdjustmentCap)?;
        let mut household = account::write::<Household>(household_account, call.program_id)?;
        call.address(vault, &household.vault)?;
        let before = (household.adjusted_export_wh, household.adjusted_import_wh);
        (before == (data.adjusted_export_wh, data.adjusted_import_wh))
            .or_refuse(EnergyError::AdjustmentStale)?;
        let net = household
            .net(data.export_wh, data.import_wh, token::balance(vault)?)
            .or_refuse(EnergyError::Overflow)?;
        add(&mut household.adjusted_export_wh, data.export_wh)?;
        add(&mut household.adjusted_import_wh, data.import_wh)?;
        add(&mut household.minted_wh, data.export_wh)?;
        add(&mut household.burned_wh, net.burned_wh)?;
        household.shortfall_wh = net.shortfall_wh;
        event.household_id = household.id;
        event.energy_wh = data.export_wh;
        event.number = data.import_wh;
        event.burned_wh = net.burned_wh;
        event.subject = data.reason;
        let operation = match data.export_wh.checked_sub(net.burned_wh) {
            Some(wh) => Operation::Mint { to: *vault, wh },
            None => Operation::Burn { from: *vault, wh: net.burned_wh - data.export_wh },
        };
        (config.bump, operation)
    };
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    let mut operations = token::Operations::<1>::new();
    operations.push(operation)?;
    token::run(&authority, mint, operations.as_slice())?;
    authority.emit(&event)
}

#[inline(always)]
fn add(total: &mut u64, part: u64) -> Check {
    *total = total.checked_add(part).or_refuse(EnergyError::Overflow)?;
    Ok(())
}
