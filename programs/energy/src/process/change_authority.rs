use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{AuthorityAction, ChangeAuthorityData};
use jirani_energy_interface::state::{AUTHORITY_PROPOSAL_LIFE_S, Config, Household, flags};
use jirani_energy_interface::{EnergyError, Key};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 4] = accounts::rules(accounts::CHANGE_AUTHORITY);
const PROPOSE: u8 = AuthorityAction::Propose as u8;
const CANCEL: u8 = AuthorityAction::Cancel as u8;
const ACCEPT: u8 = AuthorityAction::Accept as u8;

/// Another authority, in two steps with a delay between: whoever holds the household
/// sees it coming and can cancel it. The admin may propose (a lost key), so the delay
/// is what protects a household from the admin.
#[inline(never)]
pub fn change_authority(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<ChangeAuthorityData>()?;
    call.check(accounts, &RULES)?;
    let [key, config_account, household_account, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let mut event = Event::new(EventKind::AuthorityChanged, now);
    event.detail = data.action;
    let bump = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        let mut household = account::write::<Household>(household_account, call.program_id)?;
        let is_admin = call::is(key, &config.admin);
        let own = !household.is_custodial() && call::is(key, &household.authority);
        match data.action {
            PROPOSE => {
                (own || is_admin).or_refuse(EnergyError::NotAuthority)?;
                let delay = i64::from(config.limits.authority_delay_s);
                household.pending_authority = data.authority;
                household.pending_authority_at = now.saturating_add(delay).max(1);
            }
            CANCEL => {
                let may = is_admin || super::acts_for(key, &config, &household);
                may.or_refuse(EnergyError::NotAuthority)?;
                proposed(&household)?;
                withdraw_proposal(&mut household);
            }
            ACCEPT => {
                proposed(&household)?;
                (now >= household.pending_authority_at).or_refuse(EnergyError::AuthorityDelay)?;
                let ends = household.pending_authority_at.saturating_add(AUTHORITY_PROPOSAL_LIFE_S);
                (now <= ends).or_refuse(EnergyError::NoAuthorityChange)?;
                let custodial = call::nobody(&household.pending_authority);
                let may = if custodial { is_admin } else { call::is(key, &household.pending_authority) };
                may.or_refuse(EnergyError::NotPendingAuthority)?;
                household.authority = household.pending_authority;
                household.flags = if custodial { flags::CUSTODIAL } else { 0 };
                withdraw_proposal(&mut household);
            }
            _ => return false.or_refuse(EnergyError::InvalidData),
        }
        event.household_id = household.id;
        event.subject = subject(data, &household);
        config.bump
    };
    call::emit(call, config_account, bump, &event)
}

fn proposed(household: &Household) -> Check {
    (household.pending_authority_at != 0).or_refuse(EnergyError::NoAuthorityChange)
}

fn withdraw_proposal(household: &mut Household) {
    household.pending_authority = [0; 32];
    household.pending_authority_at = 0;
}

/// Whom the event is about: the next authority when proposed, else the present one.
fn subject(data: &ChangeAuthorityData, household: &Household) -> Key {
    if data.action == PROPOSE { data.authority } else { household.authority }
}
