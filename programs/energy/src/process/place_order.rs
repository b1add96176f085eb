use bytemuck::Zeroable;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{FillData, PlaceOrderData};
use jirani_energy_interface::state::{
    Config, Household, Offer, OfferState, Order, OrderFill, Record, Tariff,
};
use jirani_energy_interface::{EnergyError, FILLS_MAX, money, programs, seeds};
use pinocchio::cpi::Seed;
use pinocchio::error::ProgramError;
use pinocchio::{AccountView, Address, ProgramResult};

use super::authorise;
use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::create::{self, NewAccount};
use crate::time;

/// Holds up to four fills for one buyer, with what is due and until when.
///
/// Accounts: 0 authority (s); 1 payer (s, w); 2 Config (w); 3 buyer's Household (w);
/// 4 Order (w); 5 system program; 6 this program; then one Offer (w) per fill.
#[inline(never)]
pub fn place_order(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let (head, fill_data) = account::data_and_rest::<PlaceOrderData>(data)?;
    let [authority, payer, config_account, buyer_account, order_account, system, this, offers @ ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let count = usize::from(head.fills);
    ((1..=FILLS_MAX).contains(&count) && fill_data.len() == count * size_of::<FillData>())
        .or_refuse(EnergyError::InvalidFills)?;
    (offers.len() == count).or_refuse(EnergyError::AccountsMissing)?;
    account::signers([authority, payer])?;
    account::program(this, program_id)?;
    account::writables([payer, order_account])?;
    account::program(system, &programs::SYSTEM)?;
    let now = time::now()?;

    let mut order = Order {
        discriminator: Order::DISCRIMINATOR,
        version: Order::VERSION,
        fill_count: head.fills,
        id: head.order_id,
        buyer: *buyer_account.address().as_array(),
        rent_payer: *payer.address().as_array(),
        fee: head.fee,
        tax: head.tax,
        created_at: now,
        ..Order::zeroed()
    };
    hold(program_id, offers, fill_data, now, &mut order)?;
    let config_bump = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        (config.paused == 0).or_refuse(EnergyError::Paused)?;
        order.due_cents = due(&config.tariff, &order)?;
        order.deadline = now.saturating_add(i64::from(config.limits.order_window_s));
        order.paused_s = config.paused_total_s;
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        authorise(authority, &mut config, &buyer, now, order.energy_wh, order.due_cents)?;
        (buyer.open_orders < config.limits.open_orders_max).or_refuse(EnergyError::TooManyOpen)?;
        buyer.take_order_id(head.order_id).or_refuse(EnergyError::IdUsed)?;
        buyer.open_orders += 1;
        order.buyer_id = buyer.id;
        config.bump
    };

    let id = head.order_id.to_le_bytes();
    let buyer_key = buyer_account.address();
    order.bump = create::bump(order_account, &[seeds::ORDER, buyer_key.as_ref(), &id], program_id)?;
    create::derived(
        &NewAccount {
            payer,
            account: order_account,
            lamports: create::rent(Order::LEN)?,
            space: Order::LEN,
            owner: program_id,
        },
        &[
            Seed::from(seeds::ORDER),
            Seed::from(buyer_key.as_ref()),
            Seed::from(&id),
            Seed::from(&[order.bump]),
        ],
    )?;
    account::init(order_account, &order)?;
    let mut event = Event::new(EventKind::OrderPlaced, now);
    event.household_id = order.buyer_id;
    event.number = order.id;
    event.energy_wh = order.energy_wh;
    event.cents = order.due_cents;
    event.subject = order.buyer;
    Authority { program_id, config: config_account, bump: config_bump }.emit(&event)
}

/// Reserves every fill in its offer and writes it into the order.
#[inline(always)]
fn hold(
    program_id: &Address,
    offers: &mut [AccountView],
    fill_data: &[u8],
    now: i64,
    order: &mut Order,
) -> Result<(), ProgramError> {
    for (i, (offer_account, fill)) in
        offers.iter_mut().zip(fill_data.chunks_exact(size_of::<FillData>())).enumerate()
    {
        let fill: FillData = bytemuck::pod_read_unaligned(fill);
        let key = *offer_account.address().as_array();
        (!order.fills[..i].iter().any(|earlier| earlier.offer == key))
            .or_refuse(EnergyError::InvalidFills)?;
        (fill.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
        let mut offer = account::write::<Offer>(offer_account, program_id)?;
        (offer.seller != order.buyer).or_refuse(EnergyError::OwnOffer)?;
        (offer.state == OfferState::Open as u8).or_refuse(EnergyError::OfferClosing)?;
        (now < offer.expires_at).or_refuse(EnergyError::OfferExpired)?;
        (offer.price == fill.price).or_refuse(EnergyError::PriceChanged)?;
        let energy_wh = u64::from(fill.energy_wh);
        (offer.free_wh() >= energy_wh).or_refuse(EnergyError::OfferTooSmall)?;
        offer.reserved_wh += energy_wh;
        order.energy_wh += energy_wh;
        order.fills[i] = OrderFill { offer: key, energy_wh: fill.energy_wh, price: fill.price };
    }
    Ok(())
}

/// What the buyer owes, never above retail.
#[inline(always)]
fn due(tariff: &Tariff, order: &Order) -> Result<u64, ProgramError> {
    (order.fee <= tariff.grid_fee && order.tax <= tariff.tax).or_refuse(EnergyError::FeeOutOfBounds)?;
    let fills = order.fills().iter().map(|fill| (fill.price, fill.energy_wh));
    money::due_cents(fills, order.fee, order.tax, tariff.retail).or_refuse(EnergyError::PriceOutOfBounds)
}
