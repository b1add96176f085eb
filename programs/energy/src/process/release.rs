use jirani_energy_interface::EnergyError;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{ReleaseData, ReleaseReason};
use jirani_energy_interface::state::{Config, Household, Offer, Order};
use pinocchio::ProgramResult;

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::time;

/// Gives an order up: its offers have the energy free again. An attestor may at any
/// time, anyone after deadline and grace. Works while paused.
///
/// Accounts: 0 caller (s); 1 Config; 2 Order (w); 3 buyer's Household (w); 4 who paid
/// the order's rent (w); 5 this program; then one Offer (w) per fill.
#[inline(never)]
pub fn release(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let data: ReleaseData = account::data(data)?;
    ReleaseReason::from_byte(data.reason).or_refuse(EnergyError::InvalidReason)?;
    let [caller, config_account, order_account, buyer_account, rent_receiver, this, offers @ ..] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([caller])?;
    account::program(this, program_id)?;
    account::writables([order_account, rent_receiver])?;
    let now = time::now()?;
    let mut event = Event::new(EventKind::Released, now);
    event.detail = data.reason;
    let config_bump = {
        let config = account::read::<Config>(config_account, program_id)?;
        let order = account::read::<Order>(order_account, program_id)?;
        account::address(buyer_account, &order.buyer)?;
        account::address(rent_receiver, &order.rent_payer)?;
        let attested = config.attestors.iter().any(|place| account::is(caller, &place.key));
        if !attested {
            let last = order
                .effective_deadline(config.paused_s_until(now))
                .saturating_add(i64::from(config.limits.order_grace_s));
            (now > last).or_refuse(EnergyError::OrderWindowOpen)?;
        }
        let filled = order.fills();
        (offers.len() == filled.len()).or_refuse(EnergyError::FillMismatch)?;
        for (fill, offer_account) in filled.iter().zip(offers.iter_mut()) {
            account::is(offer_account, &fill.offer).or_refuse(EnergyError::FillMismatch)?;
            let mut offer = account::write::<Offer>(offer_account, program_id)?;
            offer.reserved_wh =
                offer.reserved_wh.checked_sub(u64::from(fill.energy_wh)).or_refuse(EnergyError::Overflow)?;
        }
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        buyer.open_orders = buyer.open_orders.saturating_sub(1);
        event.household_id = order.buyer_id;
        event.number = order.id;
        event.energy_wh = order.energy_wh;
        event.cents = order.due_cents;
        event.subject = order.buyer;
        config.bump
    };
    account::close(order_account, rent_receiver)?;
    Authority { program_id, config: config_account, bump: config_bump }.emit(&event)
}
