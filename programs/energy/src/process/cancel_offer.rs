use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::CancelOfferData;
use jirani_energy_interface::state::{Config, Household, Offer, OfferState};
use jirani_energy_interface::{EnergyError, programs};
use pinocchio::ProgramResult;

use super::acts_for;
use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::time;
use crate::token::{self, Operation};

/// Returns what no order holds; the seller's shortfall is burned first. Closes the
/// offer when nothing is left of it. Works while paused.
///
/// Accounts: 0 caller (s); 1 Config; 2 Offer (w); 3 escrow (w); 4 seller's Household
/// (w); 5 vault (w); 6 mint (w); 7 who paid the rent (w); 8 Token-2022; 9 this program.
#[inline(never)]
pub fn cancel_offer(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    account::data::<CancelOfferData>(data)?;
    let [
        caller,
        config_account,
        offer_account,
        escrow,
        seller_account,
        vault,
        mint,
        rent_receiver,
        token_program,
        this,
        ..,
    ] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([caller])?;
    account::writables([escrow, vault, mint, rent_receiver])?;
    account::program(token_program, &programs::TOKEN_2022)?;
    account::program(this, program_id)?;
    let now = time::now()?;

    let mut event = Event::new(EventKind::OfferReturned, now);
    let mut operations = [Operation::Close { account: *escrow, to: *rent_receiver }; 3];
    let mut used = 0;
    let (config_bump, finished) = {
        let config = account::read::<Config>(config_account, program_id)?;
        account::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut offer = account::write::<Offer>(offer_account, program_id)?;
        account::address(seller_account, &offer.seller)?;
        account::address(escrow, &offer.escrow)?;
        account::address(rent_receiver, &offer.rent_payer)?;
        let mut seller = account::write::<Household>(seller_account, program_id)?;
        account::address(vault, &seller.vault)?;
        let anyone = offer.state == OfferState::Closing as u8
            || now >= offer.expires_at
            || offer.owed_wh() == 0
            || seller.shortfall_wh > 0;
        (anyone || acts_for(caller, &config, &seller)).or_refuse(EnergyError::OfferNotReturnable)?;

        // Tokens that a stranger sent to the escrow are the seller's too.
        let back = token::balance(escrow)?.checked_sub(offer.reserved_wh).or_refuse(EnergyError::Overflow)?;
        offer.returned_wh =
            offer.returned_wh.checked_add(offer.free_wh()).or_refuse(EnergyError::Overflow)?;
        offer.state = OfferState::Closing as u8;
        if back > 0 {
            operations[used] = Operation::Transfer { from: *escrow, to: *vault, wh: back };
            used += 1;
        }
        let at_hand = token::balance(vault)?.checked_add(back).or_refuse(EnergyError::Overflow)?;
        let burned = seller.shortfall_wh.min(at_hand);
        if burned > 0 {
            seller.burned_wh = seller.burned_wh.checked_add(burned).or_refuse(EnergyError::Overflow)?;
            seller.shortfall_wh -= burned;
            operations[used] = Operation::Burn { from: *vault, wh: burned };
            used += 1;
        }
        let finished = offer.owed_wh() == 0;
        if finished {
            seller.open_offers = seller.open_offers.saturating_sub(1);
            operations[used] = Operation::Close { account: *escrow, to: *rent_receiver };
            used += 1;
        }
        event.household_id = seller.id;
        event.detail = u8::from(finished);
        event.number = offer.id;
        event.energy_wh = back;
        event.burned_wh = burned;
        event.subject = offer.seller;
        (config.bump, finished)
    };
    let authority = Authority { program_id, config: config_account, bump: config_bump };
    token::run(&authority, mint, &operations[..used])?;
    if finished {
        account::close(offer_account, rent_receiver)?;
    }
    authority.emit(&event)
}
