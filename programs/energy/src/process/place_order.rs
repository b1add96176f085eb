use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{FillData, PlaceOrderData};
use jirani_energy_interface::state::{
    Config, Household, HouseholdKind, Offer, OfferState, Order, OrderFill, Record, Tariff,
};
use jirani_energy_interface::{EnergyError, FILLS_MAX, money, seeds};
use pinocchio::{AccountView, Address};

use super::{Movement, authorise};
use crate::call::{self, Call};
use crate::create::NewAccount;
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 7] = accounts::rules(accounts::PLACE_ORDER);

/// Holds up to four fills for one buyer, with what is due and until when. How many
/// orders a buyer may have open, how much they may hold and how many of them may be
/// left unpaid in a day is limited, so that nobody keeps others from buying for free.
#[inline(never)]
pub fn place_order(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let (head, fill_data) = call.data_and_rest::<PlaceOrderData>()?;
    let count = usize::from(head.fills);
    ((1..=FILLS_MAX).contains(&count) && fill_data.len() == count * size_of::<FillData>())
        .or_refuse(EnergyError::InvalidFills)?;
    call.check(accounts, &RULES)?;
    let [authority, payer, config_account, buyer_account, order_account, _, _, offers @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (offers.len() == count).or_refuse(EnergyError::InvalidFills)?;
    let now = time::now()?;
    let buyer_key = *buyer_account.address().as_array();
    let id = head.order_id.to_le_bytes();
    let new = NewAccount::new(payer, order_account, Order::LEN, program_id);
    let bump = call.create(&new, &[seeds::ORDER, &buyer_key, &id])?;

    let mut event = Event::new(EventKind::OrderPlaced, now);
    let config_bump = {
        let mut order = account::fresh::<Order>(order_account, program_id)?;
        order.bump = bump;
        order.fill_count = head.fills;
        order.id = head.order_id;
        order.buyer = buyer_key;
        order.rent_payer = *payer.address().as_array();
        order.fee = head.fee;
        order.tax = head.tax;
        order.created_at = now;
        hold(program_id, offers, fill_data, &mut order)?;
        let mut config = account::write::<Config>(config_account, program_id)?;
        super::running(&config)?;
        order.deadline = now.saturating_add(i64::from(config.limits.order_window_s));
        order.paused_s = config.paused_total_s;
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        order.due_cents = due(&config.tariff, &order, buyer.kind)?;
        let movement = Movement { now, wh: order.energy_wh, cents: order.due_cents };
        authorise(authority, &mut config, &buyer, &movement)?;
        (buyer.open_orders < config.limits.open_orders_max).or_refuse(EnergyError::TooManyOpen)?;
        (buyer.unpaid_today(now) < config.caps.unpaid_orders).or_refuse(EnergyError::UnpaidOrders)?;
        // Both are sums of fills, each below 2^32.
        let held_wh = buyer.held_wh.saturating_add(order.energy_wh);
        (held_wh <= config.caps.held_wh).or_refuse(EnergyError::HeldEnergy)?;
        buyer.take_order_id(head.order_id).or_refuse(EnergyError::IdUsed)?;
        buyer.open_orders += 1;
        buyer.held_wh = held_wh;
        order.buyer_id = buyer.id;
        event.household_id = buyer.id;
        event.number = order.id;
        event.energy_wh = order.energy_wh;
        event.cents = order.due_cents;
        event.subject = order.buyer;
        config.bump
    };
    call::emit(call, config_account, config_bump, &event)
}

/// Reserves every fill in its offer and writes it into the order.
#[inline(always)]
fn hold(program_id: &Address, offers: &mut [AccountView], fill_data: &[u8], order: &mut Order) -> Check {
    for (i, (offer_account, fill)) in
        offers.iter_mut().zip(fill_data.chunks_exact(size_of::<FillData>())).enumerate()
    {
        let fill: FillData = bytemuck::pod_read_unaligned(fill);
        let key = *offer_account.address().as_array();
        let twice = order.fills[..i].iter().any(|earlier| call::same(&earlier.offer, &key));
        (!twice).or_refuse(EnergyError::InvalidFills)?;
        (fill.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
        let mut offer = account::write::<Offer>(offer_account, program_id)?;
        (!call::same(&offer.seller, &order.buyer)).or_refuse(EnergyError::OwnOffer)?;
        (offer.state == OfferState::Open as u8).or_refuse(EnergyError::OfferClosing)?;
        (order.created_at < offer.expires_at).or_refuse(EnergyError::OfferExpired)?;
        (offer.price == fill.price).or_refuse(EnergyError::PriceChanged)?;
        let energy_wh = u64::from(fill.energy_wh);
        (offer.free_wh() >= energy_wh).or_refuse(EnergyError::OfferTooSmall)?;
        offer.reserved_wh += energy_wh;
        order.energy_wh += energy_wh;
        order.fills[i] = OrderFill { offer: key, energy_wh: fill.energy_wh, price: fill.price };
    }
    Ok(())
}

/// What the buyer owes, never above retail. A home bears the tariff's fee and tax; the
/// operator's own records may buy without.
#[inline(always)]
fn due(tariff: &Tariff, order: &Order, kind: u8) -> Check<u64> {
    let whole = order.fee == tariff.grid_fee && order.tax == tariff.tax;
    let part = order.fee <= tariff.grid_fee && order.tax <= tariff.tax;
    (whole || part && kind != HouseholdKind::Home as u8).or_refuse(EnergyError::FeeOutOfBounds)?;
    let fills = order.fills().iter().map(|fill| (fill.price, fill.energy_wh));
    money::due_cents(fills, order.fee, order.tax, tariff.retail).or_refuse(EnergyError::PriceOutOfBounds)
}
