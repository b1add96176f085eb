use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::InitialiseData;
use jirani_energy_interface::state::{Config, Record};
use jirani_energy_interface::{DECIMALS, EnergyError, TOKEN_NAME, TOKEN_SYMBOL, programs, seeds};
use pinocchio::AccountView;
use pinocchio::cpi::invoke_signed;
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio_token_2022::instructions::{InitializeMint2, metadata_pointer, pausable, permissioned_burn};

use super::configure::{attestors_are_valid, replace};
use crate::call::{self, Authority, Call};
use crate::create::NewAccount;
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 8] = accounts::rules(accounts::INITIALISE);

/// Base mint padded to an account, the account type, and per extension four bytes and
/// its value: Pausable 33, PermissionedBurn 32, MetadataPointer 64.
const MINT_LEN: usize = 165 + 1 + (4 + 33) + (4 + 32) + (4 + 64);
/// What Token-2022 adds for the metadata: two keys, name, symbol, empty URI, no
/// further fields.
const METADATA_LEN: usize = 4 + 64 + (4 + TOKEN_NAME.len()) + (4 + TOKEN_SYMBOL.len()) + 4 + 4;
/// `sha256("spl_token_metadata_interface:initialize_account")[..8]`
const INITIALIZE_METADATA: [u8; 8] = [210, 225, 30, 162, 88, 184, 77, 141];

/// Creates Config and the mint; Config has all of the mint's authorities. Only the
/// program's upgrade authority may, so nobody can be first with other keys.
#[inline(never)]
pub fn initialise(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let data = call.data::<InitialiseData>()?;
    call.check(accounts, &RULES)?;
    let [upgrade_authority, payer, program_data, config_account, mint, _, _, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    check_upgrade_authority(call, program_data, upgrade_authority)?;
    check(data)?;
    let new = NewAccount::new(payer, config_account, Config::LEN, program_id);
    let bump = call.create(&new, &[seeds::CONFIG])?;
    // Token-2022 makes the mint longer for its metadata; the rent is paid at once.
    let new = NewAccount {
        paid_space: MINT_LEN + METADATA_LEN,
        ..NewAccount::new(payer, mint, MINT_LEN, &programs::TOKEN_2022)
    };
    let mint_bump = call.create(&new, &[seeds::MINT])?;
    {
        let mut config = account::fresh::<Config>(config_account, program_id)?;
        config.bump = bump;
        config.mint_bump = mint_bump;
        config.mint = *mint.address().as_array();
        config.admin = data.admin;
        config.pause_key = data.pause_key;
        config.tariff = data.tariff;
        config.limits = data.limits;
        config.oracles = data.oracles;
        config.oracles.version = 1;
        for (place, key) in config.attestors.iter_mut().zip(&data.attestors) {
            replace(place, key, &[]);
        }
        replace(&mut config.custodian, &data.custodian, &[]);
        config.caps = data.caps;
    }
    let authority = Authority { program_id, config: config_account, bump };
    initialise_mint(&authority, mint)?;
    let mut event = Event::new(EventKind::Initialised, time::now()?);
    event.subject = data.admin;
    authority.emit(&event)
}

/// Requires the initial values to make sense.
#[inline(always)]
fn check(data: &InitialiseData) -> Check {
    data.tariff.is_valid().or_refuse(EnergyError::InvalidTariff)?;
    data.limits.is_valid().or_refuse(EnergyError::InvalidLimits)?;
    data.oracles.is_valid().or_refuse(EnergyError::InvalidOracles)?;
    data.caps.is_valid().or_refuse(EnergyError::InvalidCaps)?;
    attestors_are_valid(&data.attestors)?;
    (!call::nobody(&data.admin) && !call::nobody(&data.pause_key)).or_refuse(EnergyError::InvalidKey)
}

/// Requires the signer to be the one who may replace the program.
fn check_upgrade_authority(call: &Call, program_data: &AccountView, authority: &AccountView) -> Check {
    call.bump(program_data, &[call.program_id.as_ref()], &programs::LOADER)?;
    program_data.owned_by(&programs::LOADER).or_refuse(EnergyError::WrongOwner)?;
    let data = program_data.try_borrow()?;
    // Tag 3 (u32), slot (u64), 1 for "some", the authority.
    let head = data.get(..45).or_refuse(EnergyError::WrongType)?;
    (head[..4] == [3, 0, 0, 0]).or_refuse(EnergyError::WrongType)?;
    (head[12] == 1 && head[13..] == authority.address().as_array()[..])
        .or_refuse(EnergyError::NotUpgradeAuthority)
}

#[inline(never)]
fn initialise_mint(authority: &Authority, mint: &AccountView) -> Check {
    let config = authority.config;
    let token_program = &programs::TOKEN_2022;
    pausable::Initialize { mint, authority: config.address(), token_program }.invoke()?;
    permissioned_burn::Initialize { mint, authority: config.address(), token_program }.invoke()?;
    metadata_pointer::Initialize {
        mint,
        authority: Some(config.address()),
        metadata_address: Some(mint.address()),
        token_program,
    }
    .invoke()?;
    InitializeMint2::new(mint, DECIMALS, config.address(), None).invoke()?;
    initialise_metadata(authority, mint)
}

#[inline(never)]
fn initialise_metadata(authority: &Authority, mint: &AccountView) -> Check {
    let config = authority.config;
    const NAME: usize = TOKEN_NAME.len();
    const SYMBOL: usize = TOKEN_SYMBOL.len();
    let mut data = [0; 8 + 4 + NAME + 4 + SYMBOL + 4];
    data[..8].copy_from_slice(&INITIALIZE_METADATA);
    data[8..12].copy_from_slice(&(NAME as u32).to_le_bytes());
    data[12..12 + NAME].copy_from_slice(TOKEN_NAME.as_bytes());
    data[12 + NAME..16 + NAME].copy_from_slice(&(SYMBOL as u32).to_le_bytes());
    data[16 + NAME..16 + NAME + SYMBOL].copy_from_slice(TOKEN_SYMBOL.as_bytes());
    let metas = [
        InstructionAccount::writable(mint.address()),
        InstructionAccount::readonly(config.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::readonly_signer(config.address()),
    ];
    let instruction = InstructionView { program_id: &programs::TOKEN_2022, accounts: &metas, data: &data };
    Ok(authority.sign(|signers| invoke_signed(&instruction, &[mint, config, mint, config], signers))?)
}
