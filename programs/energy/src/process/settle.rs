use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::SettleData;
use jirani_energy_interface::state::{Config, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{EnergyError, FILLS_MAX, Proof, ProofKind, programs};
use pinocchio::error::ProgramError;
use pinocchio::{AccountView, Address, ProgramResult};

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::create::{self, NewAccount};
use crate::time;
use crate::token::{self, Operation};

/// Accounts of one fill: Offer and escrow.
const FILL_ACCOUNTS: usize = 2;

/// Settles an order with its proof: tokens leave escrow for the buyer, whose
/// shortfall is burned first; the proof is marked used; the order is gone.
///
/// Accounts: 0 attestor (s); 1 payer (s, w); 2 Config (w); 3 Order (w); 4 buyer's
/// Household (w); 5 vault (w); 6 mint (w); 7 Marker (w); 8 who paid the order's rent
/// (w); 9 system program; 10 Token-2022; 11 this program; then per fill Offer (w),
/// escrow (w).
#[inline(never)]
pub fn settle(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let data: SettleData = account::data(data)?;
    let [
        attestor,
        payer,
        config_account,
        order_account,
        buyer_account,
        vault,
        mint,
        marker,
        rent_receiver,
        system,
        token_program,
        this,
        fills @ ..,
    ] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([attestor, payer])?;
    account::program(this, program_id)?;
    account::writables([payer, order_account, vault, mint, marker, rent_receiver])?;
    account::program(system, &programs::SYSTEM)?;
    account::program(token_program, &programs::TOKEN_2022)?;
    let kind = ProofKind::from_byte(data.proof_kind).or_refuse(EnergyError::InvalidProof)?;
    (data.proof != [0; 32]).or_refuse(EnergyError::InvalidProof)?;
    let now = time::now()?;

    let mut event = Event::new(EventKind::Settled, now);
    event.detail = data.proof_kind;
    event.subject = data.proof;
    let mut operations = [Operation::Burn { from: *vault, wh: 0 }; FILLS_MAX + 1];
    let mut used = 0;
    let (config_bump, record) = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        (config.paused == 0).or_refuse(EnergyError::Paused)?;
        account::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let order = account::read::<Order>(order_account, program_id)?;
        account::address(buyer_account, &order.buyer)?;
        account::address(rent_receiver, &order.rent_payer)?;
        check_window(&config, &order, kind, data.paid_at, now)?;
        let place = config
            .attestors
            .iter_mut()
            .find(|place| account::is(attestor, &place.key))
            .or_refuse(EnergyError::NotAttestor)?;
        place.spend(now, order.energy_wh, order.due_cents).or_refuse(EnergyError::DailyCap)?;

        let filled = order.fills();
        (fills.len() == filled.len() * FILL_ACCOUNTS).or_refuse(EnergyError::FillMismatch)?;
        for (fill, pair) in filled.iter().zip(fills.chunks_exact_mut(FILL_ACCOUNTS)) {
            let [offer_account, escrow] = pair else { return false.or_refuse(EnergyError::FillMismatch) };
            account::is(offer_account, &fill.offer).or_refuse(EnergyError::FillMismatch)?;
            account::writables([escrow])?;
            let mut offer = account::write::<Offer>(offer_account, program_id)?;
            account::address(escrow, &offer.escrow)?;
            let wh = u64::from(fill.energy_wh);
            offer.reserved_wh = offer.reserved_wh.checked_sub(wh).or_refuse(EnergyError::Overflow)?;
            offer.sold_wh = offer.sold_wh.checked_add(wh).or_refuse(EnergyError::Overflow)?;
            operations[used] = Operation::Transfer { from: *escrow, to: *vault, wh };
            used += 1;
        }
        let mut buyer = account::write::<Household>(buyer_account, program_id)?;
        account::address(vault, &buyer.vault)?;
        buyer.open_orders = buyer.open_orders.saturating_sub(1);
        if buyer.shortfall_wh > 0 {
            let at_hand =
                token::balance(vault)?.checked_add(order.energy_wh).or_refuse(EnergyError::Overflow)?;
            let burned = buyer.shortfall_wh.min(at_hand);
            buyer.burned_wh = buyer.burned_wh.checked_add(burned).or_refuse(EnergyError::Overflow)?;
            buyer.shortfall_wh -= burned;
            operations[used] = Operation::Burn { from: *vault, wh: burned };
            used += 1;
            event.burned_wh = burned;
        }
        event.household_id = order.buyer_id;
        event.number = order.id;
        event.energy_wh = order.energy_wh;
        event.cents = order.due_cents;
        let record = Marker {
            discriminator: Marker::DISCRIMINATOR,
            version: Marker::VERSION,
            kind: data.proof_kind,
            reserved0: 0,
            buyer_id: order.buyer_id,
            order_id: order.id,
            paid_at: data.paid_at,
            settled_at: now,
            closable_at: now.saturating_add(i64::from(config.limits.marker_retention_s)),
            paused_s: config.paused_total_s,
            rent_payer: *payer.address().as_array(),
            proof: data.proof,
        };
        (config.bump, record)
    };
    let authority = Authority { program_id, config: config_account, bump: config_bump };
    mark(&authority, payer, marker, &record)?;
    token::run(&authority, mint, &operations[..used])?;
    account::close(order_account, rent_receiver)?;
    authority.emit(&event)
}

/// Requires the order to be payable still, and the money to have moved while it was.
/// A transfer from balance is posted before its order is placed, in the order's
/// grace at most.
#[inline(always)]
fn check_window(
    config: &Config,
    order: &Order,
    kind: ProofKind,
    paid_at: i64,
    now: i64,
) -> Result<(), ProgramError> {
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

/// Creates the proof's marker, once for ever.
#[inline(never)]
fn mark(
    authority: &Authority,
    payer: &AccountView,
    marker: &mut AccountView,
    record: &Marker,
) -> ProgramResult {
    let kind = ProofKind::from_byte(record.kind).or_refuse(EnergyError::InvalidProof)?;
    let seed = Proof { kind, hash: record.proof }.marker_seed();
    let text = core::str::from_utf8(&seed).ok().or_refuse(EnergyError::InvalidProof)?;
    let address = Address::create_with_seed(authority.config.address(), text, authority.program_id)
        .ok()
        .or_refuse(EnergyError::InvalidProof)?;
    (marker.address() == &address).or_refuse(EnergyError::WrongAddress)?;
    create::absent(marker).ok().or_refuse(EnergyError::ProofUsed)?;
    let new = NewAccount {
        payer,
        account: marker,
        lamports: create::rent(Marker::LEN)?,
        space: Marker::LEN,
        owner: authority.program_id,
    };
    create::seeded(&new, authority, &seed)?;
    account::init(marker, record)
}
