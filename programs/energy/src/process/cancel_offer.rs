use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PlainData;
use jirani_energy_interface::state::{Config, Household, Offer, OfferState};
use pinocchio::AccountView;

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 10] = accounts::rules(accounts::CANCEL_OFFER);

/// Returns what no order holds; the seller's shortfall is burned first. Closes the
/// offer when nothing is left of it. Works while paused.
#[inline(never)]
pub fn cancel_offer(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    call.data::<PlainData>()?;
    call.check(accounts, &RULES)?;
    let [caller, config_account, offer_account, escrow, seller_account, vault, mint, rent_payer, _, _, ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let mut event = Event::new(EventKind::OfferReturned, now);
    let mut operations = token::Operations::<3>::new();
    let (bump, finished) = {
        let config = account::read::<Config>(config_account, program_id)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut offer = account::write::<Offer>(offer_account, program_id)?;
        call.address(seller_account, &offer.seller)?;
        call.address(escrow, &offer.escrow)?;
        call.address(rent_payer, &offer.rent_payer)?;
        let mut seller = account::write::<Household>(seller_account, program_id)?;
        call.address(vault, &seller.vault)?;
        let anyone = offer.state == OfferState::Closing as u8
            || now >= offer.expires_at
            || offer.owed_wh() == 0
            || seller.shortfall_wh > 0;
        (anyone || super::acts_for(caller, &config, &seller)).or_refuse(EnergyError::OfferNotReturnable)?;

        // Tokens that a stranger sent to the escrow are the seller's too.
        let back = token::balance(escrow)?.checked_sub(offer.reserved_wh).or_refuse(EnergyError::Overflow)?;
        offer.returned_wh =
            offer.returned_wh.checked_add(offer.free_wh()).or_refuse(EnergyError::Overflow)?;
        offer.state = OfferState::Closing as u8;
        let burned = token::burn_shortfall(&mut seller, vault, back)?;
        operations.push(Operation::Transfer { from: *escrow, to: *vault, wh: back })?;
        operations.push(Operation::Burn { from: *vault, wh: burned })?;
        let finished = offer.owed_wh() == 0;
        if finished {
            seller.open_offers = seller.open_offers.saturating_sub(1);
        }
        event.household_id = seller.id;
        event.detail = u8::from(finished);
        event.number = offer.id;
        event.energy_wh = back;
        event.burned_wh = burned;
        event.subject = offer.seller;
        (config.bump, finished)
    };
    if finished {
        // Not to who paid it: what another program credits to an account that became a
        // program itself is never seen here, and would be lost when we credit it too.
        operations.push(Operation::Close { account: *escrow, to: *offer_account })?;
    }
    let authority = Authority { program_id, config: config_account, bump };
    token::run(&authority, mint, operations.as_slice())?;
    if finished {
        account::close(offer_account, rent_payer)?;
    }
    authority.emit(&event)
}
