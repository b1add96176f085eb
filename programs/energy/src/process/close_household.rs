use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PlainData;
use jirani_energy_interface::state::{ClosedTotals, Config, Household};
use pinocchio::AccountView;

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 8] = accounts::rules(accounts::CLOSE_HOUSEHOLD);

/// Closes a household with no tokens, debts, offers or orders; its totals are folded
/// into Config, so that E1 and E2 can still be recomputed; all rent goes back.
#[inline(never)]
pub fn close_household(call: &Call, accounts: &mut [AccountView]) -> Check {
    call.data::<PlainData>()?;
    call.check(accounts, &RULES)?;
    let [admin, config_account, household_account, vault, mint, rent_payer, _, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let mut event = Event::new(EventKind::HouseholdClosed, time::now()?);
    event.subject = *household_account.address().as_array();
    let bump = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        super::admin(&config, admin)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let household = account::read::<Household>(household_account, call.program_id)?;
        call.address(vault, &household.vault)?;
        call.address(rent_payer, &household.rent_payer)?;
        let empty = household.shortfall_wh == 0
            && household.open_offers == 0
            && household.open_orders == 0
            && token::balance(vault)? == 0;
        empty.or_refuse(EnergyError::HouseholdNotEmpty)?;
        fold(&mut config.closed, &household)?;
        event.household_id = household.id;
        config.bump
    };
    let authority = Authority { program_id: call.program_id, config: config_account, bump };
    // Not to who paid it: what another program credits to an account that became a
    // program itself is never seen here, and would be lost when we credit it too.
    token::run(&authority, mint, &[Operation::Close { account: *vault, to: *household_account }])?;
    account::close(household_account, rent_payer)?;
    authority.emit(&event)
}

#[inline(always)]
fn fold(totals: &mut ClosedTotals, household: &Household) -> Check {
    let parts = [
        (&mut totals.households, 1),
        (&mut totals.export_wh, household.export_wh),
        (&mut totals.import_wh, household.import_wh),
        (&mut totals.minted_wh, household.minted_wh),
        (&mut totals.burned_wh, household.burned_wh),
        (&mut totals.adjusted_export_wh, household.adjusted_export_wh),
        (&mut totals.adjusted_import_wh, household.adjusted_import_wh),
    ];
    for (total, part) in parts {
        *total = total.checked_add(part).or_refuse(EnergyError::Overflow)?;
    }
    Ok(())
}
