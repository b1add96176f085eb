use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PlainData;
use jirani_energy_interface::state::{Config, Marker};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 2] = accounts::rules(accounts::CLOSE_MARKERS);
/// Accounts of one marker: Marker and who paid its rent.
const PAIR: usize = 2;

/// Closes markers whose retention is over; anyone may, the rent goes to who paid it.
/// The retention stands still with the deadlines: a pause that keeps an order payable
/// keeps the markers that guard it.
#[inline(never)]
pub fn close_markers(call: &Call, accounts: &mut [AccountView]) -> Check {
    call.data::<PlainData>()?;
    call.check(accounts, &RULES)?;
    let [config_account, _, pairs @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (!pairs.is_empty() && pairs.len() % PAIR == 0).or_refuse(EnergyError::AccountsMissing)?;
    let now = time::now()?;
    let (bump, paused_s) = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        (config.bump, config.paused_s_until(now))
    };
    let mut event = Event::new(EventKind::MarkersClosed, now);
    for pair in pairs.chunks_exact_mut(PAIR) {
        let [marker_account, rent_payer] = pair else { continue };
        rent_payer.is_writable().or_refuse(EnergyError::NotWritable)?;
        {
            let marker = account::write::<Marker>(marker_account, call.program_id)?;
            call.address(rent_payer, &marker.rent_payer)?;
            (now >= marker.effective_closable_at(paused_s)).or_refuse(EnergyError::MarkerRetained)?;
        }
        account::close(marker_account, rent_payer)?;
        event.number += 1;
    }
    call::emit(call, config_account, bump, &event)
}
