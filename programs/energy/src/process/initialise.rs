use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::InitialiseData;
use jirani_energy_interface::state::{CappedKey, Config, OracleSet, Record};
use jirani_energy_interface::{DECIMALS, EnergyError, TOKEN_NAME, TOKEN_SYMBOL, programs, seeds};
use pinocchio::cpi::{Seed, invoke_signed};
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::{AccountView, Address, ProgramResult};
use pinocchio_token_2022::instructions::{InitializeMint2, metadata_pointer, pausable, permissioned_burn};

use super::configure::attestors_are_valid;
use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::create::{self, NewAccount};
use crate::time;

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
///
/// Accounts: 0 upgrade authority (s); 1 payer (s, w); 2 ProgramData; 3 Config (w);
/// 4 mint (w); 5 system program; 6 Token-2022; 7 this program.
#[inline(never)]
pub fn initialise(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let [upgrade_authority, payer, program_data, config_account, mint, system, token_program, this, ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([upgrade_authority, payer])?;
    account::writables([payer, config_account, mint])?;
    account::program(system, &programs::SYSTEM)?;
    account::program(token_program, &programs::TOKEN_2022)?;
    account::program(this, program_id)?;
    check_upgrade_authority(program_id, program_data, upgrade_authority)?;
    let bump = create::bump(config_account, &[seeds::CONFIG], program_id)?;
    let mint_bump = create::bump(mint, &[seeds::MINT], program_id)?;
    create::absent(config_account)?;
    create::absent(mint)?;

    create::derived(
        &NewAccount {
            payer,
            account: config_account,
            lamports: create::rent(Config::LEN)?,
            space: Config::LEN,
            owner: program_id,
        },
        &[Seed::from(seeds::CONFIG), Seed::from(&[bump])],
    )?;
    let admin = write_config(data, mint, config_account)?;
    {
        let mut config = account::write::<Config>(config_account, program_id)?;
        config.bump = bump;
        config.mint_bump = mint_bump;
    }
    // Token-2022 makes the mint longer for its metadata; the rent is paid at once.
    create::derived(
        &NewAccount {
            payer,
            account: mint,
            lamports: create::rent(MINT_LEN + METADATA_LEN)?,
            space: MINT_LEN,
            owner: &programs::TOKEN_2022,
        },
        &[Seed::from(seeds::MINT), Seed::from(&[mint_bump])],
    )?;
    let authority = Authority { program_id, config: config_account, bump };
    initialise_mint(&authority, mint)?;
    let mut event = Event::new(EventKind::Initialised, time::now()?);
    event.subject = admin;
    authority.emit(&event)
}

/// Requires the signer to be the one who may replace the program.
fn check_upgrade_authority(
    program_id: &Address,
    program_data: &AccountView,
    authority: &AccountView,
) -> ProgramResult {
    create::bump(program_data, &[program_id.as_ref()], &programs::LOADER)?;
    program_data.owned_by(&programs::LOADER).or_refuse(EnergyError::WrongOwner)?;
    let data = program_data.try_borrow()?;
    // Tag 3 (u32), slot (u64), 1 for "some", the authority.
    let head = data.get(..45).or_refuse(EnergyError::WrongType)?;
    (head[..4] == [3, 0, 0, 0]).or_refuse(EnergyError::WrongType)?;
    (head[12] == 1 && head[13..] == authority.address().as_ref()[..])
        .or_refuse(EnergyError::NotUpgradeAuthority)
}

/// Checks the initial values and writes them into Config, which was created of zeroes;
/// gives the admin.
#[inline(never)]
fn write_config(
    data: &[u8],
    mint: &AccountView,
    account: &mut AccountView,
) -> Result<jirani_energy_interface::Key, pinocchio::error::ProgramError> {
    let data: InitialiseData = account::data(data)?;
    data.tariff.is_valid().or_refuse(EnergyError::InvalidTariff)?;
    data.limits.is_valid().or_refuse(EnergyError::InvalidLimits)?;
    data.oracles.is_valid().or_refuse(EnergyError::InvalidOracles)?;
    attestors_are_valid(&data.attestors)?;
    (data.admin != [0; 32] && data.pause_key != [0; 32]).or_refuse(EnergyError::InvalidKey)?;
    let mut bytes = account.try_borrow_mut()?;
    let config: &mut Config =
        bytemuck::try_from_bytes_mut(&mut bytes).ok().or_refuse(EnergyError::WrongType)?;
    config.discriminator = Config::DISCRIMINATOR;
    config.version = Config::VERSION;
    config.mint = *mint.address().as_array();
    config.admin = data.admin;
    config.pause_key = data.pause_key;
    config.tariff = data.tariff;
    config.limits = data.limits;
    config.oracles = OracleSet { version: 1, ..data.oracles };
    for (place, key) in config.attestors.iter_mut().zip(&data.attestors) {
        *place = CappedKey::new(key.key, key.cap_wh, key.cap_cents);
    }
    config.custodian = CappedKey::new(data.custodian.key, data.custodian.cap_wh, data.custodian.cap_cents);
    Ok(data.admin)
}

#[inline(never)]
fn initialise_mint(authority: &Authority, mint: &AccountView) -> ProgramResult {
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
fn initialise_metadata(authority: &Authority, mint: &AccountView) -> ProgramResult {
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
    authority.sign(|signers| invoke_signed(&instruction, &[mint, config, mint, config], signers))
}
