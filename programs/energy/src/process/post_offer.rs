use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PostOfferData;
use jirani_energy_interface::state::{Config, Household, Offer, OfferState, Record};
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_interface::{EnergyError, programs, seeds};
use pinocchio::AccountView;

use super::{Movement, authorise};
use crate::call::{self, Authority, Call};
use crate::create::NewAccount;
use crate::refusal::{Check, Refuse};
use crate::token::{self, Operation};
use crate::{account, time};

const RULES: [u8; 11] = accounts::rules(accounts::POST_OFFER);

/// Moves energy from vault to escrow, for sale at the seller's net price until it
/// expires. A household that owes energy may not.
#[inline(never)]
pub fn post_offer(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let data = call.data::<PostOfferData>()?;
    call.check(accounts, &RULES)?;
    let [poster, payer, config_account, seller_account, vault, offer_account, escrow, mint, _, _, _, ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    (data.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
    let now = time::now()?;
    let mut event = Event::new(EventKind::OfferPosted, now);
    let config_bump = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        super::running(&config)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut seller = account::write::<Household>(seller_account, program_id)?;
        authorise(poster, &mut config, &seller, &Movement { now, wh: data.energy_wh, cents: 0 })?;
        call.address(vault, &seller.vault)?;
        (seller.shortfall_wh == 0).or_refuse(EnergyError::ShortfallOpen)?;
        (token::balance(vault)? >= data.energy_wh).or_refuse(EnergyError::VaultTooSmall)?;
        let price_max = config.tariff.price_max().or_refuse(EnergyError::InvalidTariff)?;
        (config.tariff.buy_back..=price_max)
            .contains(&data.price)
            .or_refuse(EnergyError::PriceOutOfBounds)?;
        let latest = now.saturating_add(i64::from(config.limits.offer_life_max_s));
        (data.expires_at > now && data.expires_at <= latest).or_refuse(EnergyError::InvalidExpiry)?;
        (seller.open_offers < config.limits.open_offers_max).or_refuse(EnergyError::TooManyOpen)?;
        seller.take_offer_id(data.offer_id).or_refuse(EnergyError::IdUsed)?;
        seller.open_offers += 1;
        event.household_id = seller.id;
        config.bump
    };
    event.number = data.offer_id;
    event.energy_wh = data.energy_wh;
    event.cents = u64::from(data.price);
    event.subject = *seller_account.address().as_array();

    let id = data.offer_id.to_le_bytes();
    let new = NewAccount::new(payer, offer_account, Offer::LEN, program_id);
    let bump = call.create(&new, &[seeds::OFFER, &event.subject, &id])?;
    let new = NewAccount::new(payer, escrow, TOKEN_ACCOUNT_LEN, &programs::TOKEN_2022);
    let escrow_bump = call.create(&new, &[seeds::ESCROW, offer_account.address().as_ref()])?;
    token::open_account(escrow, mint, config_account)?;
    let moved = Operation::Transfer { from: *vault, to: *escrow, wh: data.energy_wh };
    let authority = Authority { program_id, config: config_account, bump: config_bump };
    token::run(&authority, mint, &[moved])?;

    {
        let mut offer = account::fresh::<Offer>(offer_account, program_id)?;
        offer.bump = bump;
        offer.escrow_bump = escrow_bump;
        offer.price = data.price;
        offer.state = OfferState::Open as u8;
        offer.seller_id = event.household_id;
        offer.id = data.offer_id;
        offer.seller = event.subject;
        offer.escrow = *escrow.address().as_array();
        offer.rent_payer = *payer.address().as_array();
        offer.energy_wh = data.energy_wh;
        offer.created_at = now;
        offer.expires_at = data.expires_at;
    }
    authority.emit(&event)
}
