//! New accounts. Somebody may have sent lamports to an address before we create
//! it: that must cost nobody anything but the sender.

use core::mem::MaybeUninit;
use core::slice::from_raw_parts;

use jirani_energy_interface::proof::MARKER_SEED_LEN;
use jirani_energy_interface::{EnergyError, programs};
use pinocchio::cpi::{Seed, Signer, invoke, invoke_signed};
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::sysvars::Sysvar;
use pinocchio::sysvars::rent::Rent;
use pinocchio::{AccountView, Address};

use crate::call::{Authority, Call};
use crate::refusal::{Check, Refuse};

const TRANSFER: u32 = 2;
const CREATE_WITH_SEED: u32 = 3;
const ALLOCATE_WITH_SEED: u32 = 9;
const CREATE_ALLOW_PREFUND: u32 = 13;

/// The most parts of an address's seeds, the bump among them.
const SEEDS_MAX: usize = 4;

/// Lamports that an account of `len` bytes must hold.
fn rent(len: usize) -> Check<u64> {
    Ok(Rent::get()?.try_minimum_balance(len)?)
}

/// Whether nothing lives at the address yet.
pub fn absent(account: &AccountView) -> bool {
    account.owned_by(&programs::SYSTEM) && account.is_data_empty()
}

/// An account to create.
pub struct NewAccount<'a> {
    /// Pays its rent.
    pub payer: &'a AccountView,
    /// Its address.
    pub account: &'a AccountView,
    /// Bytes of its data.
    pub space: usize,
    /// Bytes that its rent is paid for; lamports it has already count.
    pub paid_space: usize,
    /// The program it will belong to.
    pub owner: &'a Address,
}

impl<'a> NewAccount<'a> {
    /// An account that never grows.
    #[inline(always)]
    pub fn new(payer: &'a AccountView, account: &'a AccountView, space: usize, owner: &'a Address) -> Self {
        Self { payer, account, space, paid_space: space, owner }
    }
}

impl Call<'_> {
    /// Requires the account's address to be the canonical one of `seeds` for a program;
    /// gives its bump.
    #[inline(never)]
    pub fn bump(&self, account: &AccountView, seeds: &[&[u8]], program: &Address) -> Check<u8> {
        let (address, bump) =
            Address::try_find_program_address(seeds, program).or_refuse(EnergyError::WrongAddress)?;
        self.address(account, address.as_array())?;
        Ok(bump)
    }

    /// Creates an account at the canonical address of `seeds`; gives its bump.
    #[inline(never)]
    pub fn create(&self, new: &NewAccount, seeds: &[&[u8]]) -> Check<u8> {
        let NewAccount { payer, account, space, paid_space, owner } = *new;
        let bump = self.bump(account, seeds, self.program_id)?;
        if !absent(account) {
            return Err(self.refuse(EnergyError::AlreadyExists, account));
        }
        let mut data = [0; 4 + 8 + 8 + 32];
        data[..4].copy_from_slice(&CREATE_ALLOW_PREFUND.to_le_bytes());
        let lamports = rent(paid_space)?.saturating_sub(account.lamports());
        data[4..12].copy_from_slice(&lamports.to_le_bytes());
        data[12..20].copy_from_slice(&(space as u64).to_le_bytes());
        data[20..].copy_from_slice(owner.as_ref());
        let metas = [
            InstructionAccount::writable_signer(account.address()),
            InstructionAccount::writable_signer(payer.address()),
        ];
        let bump_seed = [bump];
        let mut parts = [const { MaybeUninit::<Seed>::uninit() }; SEEDS_MAX];
        (seeds.len() < SEEDS_MAX).or_refuse(EnergyError::WrongAddress)?;
        for (part, seed) in parts.iter_mut().zip(seeds) {
            part.write(Seed::from(*seed));
        }
        parts[seeds.len()].write(Seed::from(&bump_seed));
        // SAFETY: the first `seeds.len() + 1` elements were written above.
        let parts = unsafe { from_raw_parts(parts.as_ptr().cast::<Seed>(), seeds.len() + 1) };
        invoke_signed(
            &InstructionView { program_id: &programs::SYSTEM, accounts: &metas, data: &data },
            &[account, payer],
            &[Signer::from(parts)],
        )?;
        Ok(bump)
    }
}

/// Creates an account at `create_with_seed(base, seed, owner)`, whose address the
/// system program checks; the base is Config.
#[inline(never)]
pub fn seeded(new: &NewAccount, authority: &Authority, seed: &[u8; MARKER_SEED_LEN]) -> Check {
    let NewAccount { payer, account, space, paid_space, owner } = *new;
    let base = authority.config;
    let lamports = rent(paid_space)?;
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
        return Ok(authority.sign(|signers| invoke_signed(&instruction, &[payer, account, base], signers))?);
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
    Ok(authority.sign(|signers| invoke_signed(&instruction, &[account, base], signers))?)
}
