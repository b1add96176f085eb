//! New accounts. Somebody may have sent lamports to an address before we create
//! it: that must cost nobody anything but the sender.

use jirani_energy_interface::proof::MARKER_SEED_LEN;
use jirani_energy_interface::{EnergyError, programs};
use pinocchio::cpi::{Seed, Signer, invoke, invoke_signed};
use pinocchio::error::ProgramError;
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::sysvars::Sysvar;
use pinocchio::sysvars::rent::Rent;
use pinocchio::{AccountView, Address, ProgramResult};

use crate::account::Refuse;
use crate::call::Authority;

const TRANSFER: u32 = 2;
const CREATE_WITH_SEED: u32 = 3;
const ALLOCATE_WITH_SEED: u32 = 9;
const CREATE_ALLOW_PREFUND: u32 = 13;

/// Lamports that an account of `len` bytes must hold. Inlined, so that the length is
/// a constant and the product provably fits: there is no wide multiplication here.
#[inline(always)]
pub fn rent(len: usize) -> Result<u64, ProgramError> {
    Rent::get()?.try_minimum_balance(len)
}

/// Requires that nothing lives at the address yet.
#[inline(always)]
pub fn absent(account: &AccountView) -> Result<(), ProgramError> {
    (account.owned_by(&programs::SYSTEM) && account.is_data_empty()).or_refuse(EnergyError::AlreadyExists)
}

/// Requires the account's address to be the canonical one of `seeds`; gives its bump.
#[inline(never)]
pub fn bump(account: &AccountView, seeds: &[&[u8]], program_id: &Address) -> Result<u8, ProgramError> {
    let (address, bump) =
        Address::try_find_program_address(seeds, program_id).or_refuse(EnergyError::WrongAddress)?;
    (account.address() == &address).or_refuse(EnergyError::WrongAddress)?;
    Ok(bump)
}

/// An account to create.
pub struct NewAccount<'a> {
    /// Pays its rent.
    pub payer: &'a AccountView,
    /// Its address.
    pub account: &'a AccountView,
    /// What it must hold afterwards; lamports it has already count.
    pub lamports: u64,
    /// Bytes of its data.
    pub space: usize,
    /// The program it will belong to.
    pub owner: &'a Address,
}

/// Creates an account at an address derived from this program: `seeds` with the
/// bump last.
#[inline(never)]
pub fn derived(new: &NewAccount, seeds: &[Seed]) -> ProgramResult {
    let NewAccount { payer, account, lamports, space, owner } = *new;
    absent(account)?;
    let mut data = [0; 4 + 8 + 8 + 32];
    data[..4].copy_from_slice(&CREATE_ALLOW_PREFUND.to_le_bytes());
    data[4..12].copy_from_slice(&lamports.saturating_sub(account.lamports()).to_le_bytes());
    data[12..20].copy_from_slice(&(space as u64).to_le_bytes());
    data[20..].copy_from_slice(owner.as_ref());
    let metas = [
        InstructionAccount::writable_signer(account.address()),
        InstructionAccount::writable_signer(payer.address()),
    ];
    invoke_signed(
        &InstructionView { program_id: &programs::SYSTEM, accounts: &metas, data: &data },
        &[account, payer],
        &[Signer::from(seeds)],
    )
}

/// Creates an account at `create_with_seed(base, seed, owner)`, whose address the
/// system program checks; the base is Config.
#[inline(never)]
pub fn seeded(new: &NewAccount, authority: &Authority, seed: &[u8; MARKER_SEED_LEN]) -> ProgramResult {
    let NewAccount { payer, account, lamports, space, owner } = *new;
    let base = authority.config;
    let space = (space as u64).to_le_bytes();
    let mut data = [0; 4 + 32 + 8 + MARKER_SEED_LEN + 8 + 8 + 32];
    data[4..36].copy_from_slice(base.address().as_ref());
    data[36..44].copy_from_slice(&(MARKER_SEED_LEN as u64).to_le_bytes());
    data[44..76].copy_from_slice(seed);
    if account.lamports() == 0 {
        data[..4].copy_from_slice(&CREATE_WITH_SEED.to_le_bytes());
        data[76..84].copy_from_slice(&lamports.to_le_bytes());
        data[84..92].copy_from_slice(&space);
        data[92..].copy_from_slice(owner.as_ref());
        let metas = [
            InstructionAccount::writable_signer(payer.address()),
            InstructionAccount::writable(account.address()),
            InstructionAccount::readonly_signer(base.address()),
        ];
        let instruction = InstructionView { program_id: &programs::SYSTEM, accounts: &metas, data: &data };
        return authority.sign(|signers| invoke_signed(&instruction, &[payer, account, base], signers));
    }
    if account.lamports() < lamports {
        let mut transfer = [0; 12];
        transfer[..4].copy_from_slice(&TRANSFER.to_le_bytes());
        transfer[4..].copy_from_slice(&(lamports - account.lamports()).to_le_bytes());
        let metas = [
            InstructionAccount::writable_signer(payer.address()),
            InstructionAccount::writable(account.address()),
        ];
        invoke(
            &InstructionView { program_id: &programs::SYSTEM, accounts: &metas, data: &transfer },
            &[payer, account],
        )?;
    }
    data[..4].copy_from_slice(&ALLOCATE_WITH_SEED.to_le_bytes());
    data[76..84].copy_from_slice(&space);
    data[84..116].copy_from_slice(owner.as_ref());
    let metas = [
        InstructionAccount::writable(account.address()),
        InstructionAccount::readonly_signer(base.address()),
    ];
    let instruction = InstructionView { program_id: &programs::SYSTEM, accounts: &metas, data: &data[..116] };
    authority.sign(|signers| invoke_signed(&instruction, &[account, base], signers))
}
