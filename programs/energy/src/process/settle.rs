use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::SettleData;
use jirani_energy_interface::state::{Config, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{EnergyError, FILLS_MAX, Proof, ProofKind};
use pinocchio::{AccountView, Address};

use crate::call::{self, Authority, Call};
use crate::create::{self, NewAccount};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 12] = accounts::rules(accounts::SETTLE);
/// Accounts of one fill: Offer and escrow.
const FILL_ACCOUNTS: usize = 2;

/// Settles an order with its proof: tokens leave escrow for the buyer, whose
/// shortfall is burned first; the proof is marked used; the order is gone.
#[inline(never)]
pub fn settle(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let data = call.data::<SettleData>()?;
    let kind = ProofKind::from_byte(data.proof_kind).or_refuse(EnergyError::InvalidProof)?;
    (!call::nobody(&data.proof)).or_refuse(EnergyError::InvalidProof)?;
    call.check(accounts, &RULES)?;
    let [
        attestor,
        payer,
        config_account,
        order_account,
        buyer_account,
        vault,
        mint,
        marker,
        rent_payer,
        _,
        _,
        _,
        fills @ ..,
    ] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;

    let mut event = Event::new(EventKind::Settled, now);
    event.detail = data.proof_kind;
    event.subject = data.proof;
    let mut operations = token::Operations::<{ FILLS_MAX + 1 }>::new();
    let (bump, order_id, closable_at, paused_s) = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        super::running(&config)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let order = account::read::<Order>(order_account, program_id)?;
        call.address(buyer_account, &order.buyer)?;
        call.address(rent_payer, &order.rent_payer)?;
        check_window(&config, &order, kind, data.paid_at, now)?;
        let place = config
            .attestors
            .iter_mut()
            .find(|place| call::is(attestor, &place.key))
            .or_refuse(EnergyError::NotAttestor)?;
        place.spend(now, order.energy_wh, order.due_cents).or_refuse(EnergyError::DailyCap)?;

        let filled = order.fills();
        (fills.len() == filled.len() * FILL_ACCOUNTS).or_refuse(EnergyError::FillMismatch)?;
        for (fill, pair) in filled.iter().zip(fills.chunks_exact_mut(FILL_ACCOUNTS)) {
            let [offer_account, escrow] = pair else { return false.or_refuse(EnergyError::FillMismatch) };
            call::is(offer_account, &fill.offer).or_refuse(EnergyError::FillMismatch)?;
            escrow.is_writable().or_refuse(EnergyError::NotWritable)?;
            let mut offer = account::write::<Offer>(offer_account, program_id)?;
            call.address(escrow, &offer.escrow)?;
            let wh = u64::from(fill.energy_wh);
            offer.reserved_wh = offer.reserved_wh.checked_sub(wh).or_refuse(EnergyError::Overflow)?;
            offer.sold_wh = offer.sold_wh.checked_add(wh).or_refuse(EnergyError::Overflow)?;
            operations.push(Operation::Transfer { from: *escrow, to: *vault, wh })?;
        }
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        call.address(vault, &buyer.vault)?;
        super::give_back(&mut buyer, &order);
        event.burned_wh = token::burn_shortfall(&mut buyer, vault, order.energy_wh)?;
        operations.push(Operation::Burn { from: *vault, wh: event.burned_wh })?;
        event.household_id = order.buyer_id;
        event.number = order.id;
        event.energy_wh = order.energy_wh;
        event.cents = order.due_cents;
        let closable_at = now.saturating_add(i64::from(config.limits.marker_retention_s));
        (config.bump, order.id, closable_at, config.paused_total_s)
    };
    let authority = Authority { program_id, config: config_account, bump };
    mark(call, &authority, payer, marker, Proof { kind, hash: data.proof })?;
    {
        let mut marker = account::fresh::<Marker>(marker, program_id)?;
        marker.kind = data.proof_kind;
        marker.buyer_id = event.household_id;
        marker.order_id = order_id;
        marker.paid_at = data.paid_at;
        marker.settled_at = now;
        marker.closable_at = closable_at;
        marker.paused_s = paused_s;
        marker.rent_payer = *payer.address().as_array();
        marker.proof = data.proof;
    }
    token::run(&authority, mint, operations.as_slice())?;
    account::close(order_account, rent_payer)?;
    authority.emit(&event)
}

/// Requires the order to be payable still, and the money to have moved while it was.
/// A transfer from balance is posted before its order is placed, in the order's
/// grace at most.
#[inline(always)]
fn check_window(config: &Config, order: &Order, kind: ProofKind, paid_at: i64, now: i64) -> Check {
    let grace = i64::from(config.limits.order_grace_s);
    let last = order.effective_deadline(config.paused_total_s).saturating_add(grace);
    (now <= last).or_refuse(EnergyError::OrderWindowOver)?;
    let first = match kind {
        ProofKind::Receipt => order.created_at,
        ProofKind::Transfer => order.created_at.saturating_sub(grace),
    };
    let latest = last.min(now.saturating_add(i64::from(config.limits.clock_skew_s)));
    (first..=latest).contains(&paid_at).or_refuse(EnergyError::PaidAtOutsideWindow)
}

/// Creates the account of the proof's marker, once for ever.
#[inline(always)]
fn mark(
    call: &Call,
    authority: &Authority,
    payer: &AccountView,
    marker: &AccountView,
    proof: Proof,
) -> Check {
    let seed = proof.marker_seed();
    // SAFETY: the seed is made of ASCII letters, digits, `-` and `_`.
    let text = unsafe { core::str::from_utf8_unchecked(&seed) };
    let address = Address::create_with_seed(authority.config.address(), text, authority.program_id)
        .ok()
        .or_refuse(EnergyError::InvalidProof)?;
    call.address(marker, address.as_array())?;
    create::absent(marker).or_refuse(EnergyError::ProofUsed)?;
    create::seeded(&NewAccount::new(payer, marker, Marker::LEN, authority.program_id), authority, &seed)
}
