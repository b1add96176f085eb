use bytemuck::Zeroable;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::PostOfferData;
use jirani_energy_interface::state::{Config, Household, Offer, OfferState, Record};
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_interface::{EnergyError, programs, seeds};
use pinocchio::ProgramResult;
use pinocchio::cpi::Seed;

use super::authorise;
use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::create::{self, NewAccount};
use crate::time;
use crate::token::{self, Operation};

/// Moves eKWh from vault to escrow, for sale at a price within the tariff's bounds.
///
/// Accounts: 0 authority (s); 1 payer (s, w); 2 Config (w); 3 seller's Household (w);
/// 4 vault (w); 5 Offer (w); 6 escrow (w); 7 mint; 8 system program; 9 Token-2022;
/// 10 this program.
#[inline(never)]
pub fn post_offer(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let data: PostOfferData = account::data(data)?;
    let [
        poster,
        payer,
        config_account,
        seller_account,
        vault,
        offer,
        escrow,
        mint,
        system,
        token_program,
        this,
        ..,
    ] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([poster, payer])?;
    account::writables([payer, vault, offer, escrow])?;
    account::program(system, &programs::SYSTEM)?;
    account::program(token_program, &programs::TOKEN_2022)?;
    account::program(this, program_id)?;
    (data.energy_wh > 0).or_refuse(EnergyError::ZeroEnergy)?;
    let now = time::now()?;

    let (config_bump, seller_id) = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        (config.paused == 0).or_refuse(EnergyError::Paused)?;
        account::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        let mut seller = account::write::<Household>(seller_account, program_id)?;
        authorise(poster, &mut config, &seller, now, data.energy_wh, 0)?;
        account::address(vault, &seller.vault)?;
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
        (config.bump, seller.id)
    };

    let id = data.offer_id.to_le_bytes();
    let seller_key = seller_account.address();
    let bump = create::bump(offer, &[seeds::OFFER, seller_key.as_ref(), &id], program_id)?;
    let escrow_bump = create::bump(escrow, &[seeds::ESCROW, offer.address().as_ref()], program_id)?;
    create::derived(
        &NewAccount {
            payer,
            account: offer,
            lamports: create::rent(Offer::LEN)?,
            space: Offer::LEN,
            owner: program_id,
        },
        &[Seed::from(seeds::OFFER), Seed::from(seller_key.as_ref()), Seed::from(&id), Seed::from(&[bump])],
    )?;
    create::derived(
        &NewAccount {
            payer,
            account: escrow,
            lamports: create::rent(TOKEN_ACCOUNT_LEN)?,
            space: TOKEN_ACCOUNT_LEN,
            owner: &programs::TOKEN_2022,
        },
        &[Seed::from(seeds::ESCROW), Seed::from(offer.address().as_ref()), Seed::from(&[escrow_bump])],
    )?;
    token::open_account(escrow, mint, config_account)?;
    let moved = Operation::Transfer { from: *vault, to: *escrow, wh: data.energy_wh };
    let authority = Authority { program_id, config: config_account, bump: config_bump };
    token::run(&authority, mint, &[moved])?;

    let record = Offer {
        discriminator: Offer::DISCRIMINATOR,
        version: Offer::VERSION,
        bump,
        escrow_bump,
        price: data.price,
        state: OfferState::Open as u8,
        seller_id,
        id: data.offer_id,
        seller: *seller_key.as_array(),
        escrow: *escrow.address().as_array(),
        rent_payer: *payer.address().as_array(),
        energy_wh: data.energy_wh,
        created_at: now,
        expires_at: data.expires_at,
        ..Offer::zeroed()
    };
    account::init(offer, &record)?;
    let mut event = Event::new(EventKind::OfferPosted, now);
    event.household_id = seller_id;
    event.number = data.offer_id;
    event.energy_wh = data.energy_wh;
    event.cents = u64::from(data.price);
    event.subject = record.seller;
    authority.emit(&event)
}
