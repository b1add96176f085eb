use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{ReleaseData, ReleaseReason};
use jirani_energy_interface::state::{Config, Household, Offer, Order, PauseLevel};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 6] = accounts::rules(accounts::RELEASE);

/// Gives an order up: its offers have the energy free again. An attestor may at any
/// time, anyone after deadline and grace. Works while paused. It counts as left
/// unpaid, unless an attestor released it for a pause.
#[inline(never)]
pub fn release(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let data = call.data::<ReleaseData>()?;
    let reason = ReleaseReason::from_byte(data.reason).or_refuse(EnergyError::InvalidReason)?;
    call.check(accounts, &RULES)?;
    let [caller, config_account, order_account, buyer_account, rent_payer, _, offers @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let mut event = Event::new(EventKind::Released, now);
    event.detail = data.reason;
    let bump = {
        let config = account::read::<Config>(config_account, program_id)?;
        let order = account::read::<Order>(order_account, program_id)?;
        call.address(buyer_account, &order.buyer)?;
        call.address(rent_payer, &order.rent_payer)?;
        let attested = config.attestors.iter().any(|place| call::is(caller, &place.key));
        if !attested {
            let last = order
                .effective_deadline(config.paused_s_until(now))
                .saturating_add(i64::from(config.limits.order_grace_s));
            (now > last).or_refuse(EnergyError::OrderWindowOpen)?;
        }
        // The reason stands in the event and decides whether the order counts as unpaid:
        // a stranger can only say that time is over, nobody a pause that is none.
        let fits = match reason {
            ReleaseReason::PaymentTimeout => true,
            ReleaseReason::Paused => attested && config.paused != PauseLevel::Running as u8,
            ReleaseReason::PaymentRefused | ReleaseReason::PaidShort => attested,
        };
        fits.or_refuse(EnergyError::InvalidReason)?;
        let filled = order.fills();
        (offers.len() == filled.len()).or_refuse(EnergyError::FillMismatch)?;
        for (fill, offer_account) in filled.iter().zip(offers.iter_mut()) {
            call::is(offer_account, &fill.offer).or_refuse(EnergyError::FillMismatch)?;
            let mut offer = account::write::<Offer>(offer_account, program_id)?;
            offer.reserved_wh =
                offer.reserved_wh.checked_sub(u64::from(fill.energy_wh)).or_refuse(EnergyError::Overflow)?;
        }
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        super::give_back(&mut buyer, &order);
        if reason != ReleaseReason::Paused {
            buyer.leave_unpaid(now);
        }
        event.household_id = order.buyer_id;
        event.number = order.id;
        event.energy_wh = order.energy_wh;
        event.cents = order.due_cents;
        event.subject = order.buyer;
        config.bump
    };
    account::close(order_account, rent_payer)?;
    call::emit(call, config_account, bump, &event)
}
