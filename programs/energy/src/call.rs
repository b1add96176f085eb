//! What an instruction was called with, and the checks that every one begins with. A
//! call on this machine passes five registers, the place of the result among them, so
//! what belongs together travels together; what many need stands out of line.

use bytemuck::Pod;
use jirani_energy_interface::accounts::Kind;
use jirani_energy_interface::event::Event;
use jirani_energy_interface::state::{Config, Evidence, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{EnergyError, Key, programs, seeds};
use pinocchio::cpi::{Seed, Signer, invoke_signed};
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::{AccountView, Address};

use crate::refusal::{Check, Refusal, Refuse};

/// Bytes of the records, in the order of their kinds and discriminators.
const RECORDS: [usize; 6] = [Config::LEN, Household::LEN, Offer::LEN, Order::LEN, Marker::LEN, Evidence::LEN];
const _: () = assert!(Kind::Config as u8 == 4 && Kind::Evidence as u8 == 9);
const _: () =
    assert!(Config::DISCRIMINATOR == 1 && Household::DISCRIMINATOR == 2 && Offer::DISCRIMINATOR == 3);
const _: () =
    assert!(Order::DISCRIMINATOR == 4 && Marker::DISCRIMINATOR == 5 && Evidence::DISCRIMINATOR == 6);

/// An instruction as it came in.
pub struct Call<'a> {
    /// This program.
    pub program_id: &'a Address,
    /// Its data, the tag included.
    data: &'a [u8],
    /// Where its accounts begin, to name the one that broke a rule.
    first: usize,
}

impl<'a> Call<'a> {
    /// The call of these accounts with that data.
    #[inline(always)]
    pub fn new(program_id: &'a Address, accounts: &[AccountView], data: &'a [u8]) -> Self {
        Self { program_id, data, first: accounts.as_ptr() as usize }
    }

    /// The data as exactly one value.
    #[inline(always)]
    pub fn data<T: Pod>(&self) -> Check<&'a T> {
        bytemuck::try_from_bytes(self.data).ok().or_refuse(EnergyError::InvalidData)
    }

    /// The data as one value and what follows it.
    #[inline(always)]
    pub fn data_and_rest<T: Pod>(&self) -> Check<(&'a T, &'a [u8])> {
        let (head, rest) = self.data.split_at_checked(size_of::<T>()).or_refuse(EnergyError::InvalidData)?;
        Ok((bytemuck::try_from_bytes(head).ok().or_refuse(EnergyError::InvalidData)?, rest))
    }

    /// Checks the accounts against their rules
    /// ([`jirani_energy_interface::accounts::AccountSpec::rule`]).
    #[inline(never)]
    pub fn check(&self, accounts: &[AccountView], rules: &[u8]) -> Check {
        for (index, rule) in rules.iter().enumerate() {
            let error = match accounts.get(index) {
                Some(account) => self.check_one(account, *rule),
                None => Some(EnergyError::AccountsMissing),
            };
            if let Some(error) = error {
                return Err(Refusal::at(error, index));
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn check_one(&self, account: &AccountView, rule: u8) -> Option<EnergyError> {
        if rule & 1 != 0 && !account.is_signer() {
            return Some(EnergyError::MissingSigner);
        }
        if rule & 2 != 0 && !account.is_writable() {
            return Some(EnergyError::NotWritable);
        }
        let kind = rule >> 2;
        if kind == Kind::Any as u8 {
            return None;
        }
        if kind <= Kind::ThisProgram as u8 {
            let wanted = match kind {
                1 => &programs::SYSTEM,
                2 => &programs::TOKEN_2022,
                _ => self.program_id,
            };
            return if is(account, wanted.as_array()) { None } else { Some(EnergyError::WrongProgram) };
        }
        let owner = if kind == Kind::Token as u8 { &programs::TOKEN_2022 } else { self.program_id };
        if !account.owned_by(owner) {
            return Some(EnergyError::WrongOwner);
        }
        let Some(length) = RECORDS.get(usize::from(kind) - usize::from(Kind::Config as u8)) else {
            return None;
        };
        let Ok(data) = account.try_borrow() else { return Some(EnergyError::AccountTwice) };
        if data.len() == *length && data[0] == kind - 3 && data[1] == 1 {
            None
        } else {
            Some(EnergyError::WrongType)
        }
    }

    /// Requires the account to have that address.
    #[inline(never)]
    pub fn address(&self, account: &AccountView, key: &Key) -> Check {
        if is(account, key) { Ok(()) } else { Err(self.refuse(EnergyError::WrongAddress, account)) }
    }

    /// A refusal that names the account.
    #[inline(always)]
    pub fn refuse(&self, error: EnergyError, account: &AccountView) -> Refusal {
        let place = core::ptr::from_ref(account) as usize;
        Refusal::at(error, place.wrapping_sub(self.first) / size_of::<AccountView>())
    }
}

/// Whether two addresses are the same.
#[inline(never)]
pub fn same(a: &Key, b: &Key) -> bool {
    a == b
}

/// Whether the account has that address.
#[inline(always)]
pub fn is(account: &AccountView, key: &Key) -> bool {
    same(account.address().as_array(), key)
}

/// Whether a key stands for nobody.
#[inline(always)]
pub fn nobody(key: &Key) -> bool {
    same(key, programs::SYSTEM.as_array())
}

/// Config as signer of calls to other programs.
pub struct Authority<'a> {
    /// This program.
    pub program_id: &'a Address,
    /// Config; its record was checked.
    pub config: &'a AccountView,
    /// Bump of its address.
    pub bump: u8,
}

impl Authority<'_> {
    /// Runs `action` with Config's signature.
    #[inline(always)]
    pub fn sign<T>(&self, action: impl FnOnce(&[Signer]) -> T) -> T {
        let bump = [self.bump];
        let seeds = [Seed::from(seeds::CONFIG), Seed::from(&bump)];
        action(&[Signer::from(&seeds)])
    }

    /// Calls this program with an event's bytes: only Config's signature makes one.
    #[inline(never)]
    pub fn emit_bytes(&self, data: &[u8]) -> Check {
        let metas = [InstructionAccount::readonly_signer(self.config.address())];
        let instruction = InstructionView { program_id: self.program_id, accounts: &metas, data };
        self.sign(|signers| invoke_signed(&instruction, &[self.config], signers))?;
        Ok(())
    }

    /// Writes an event without rows.
    #[inline(always)]
    pub fn emit(&self, event: &Event) -> Check {
        self.emit_bytes(bytemuck::bytes_of(event))
    }
}

/// Writes an event of an instruction that calls no other program.
#[inline(never)]
pub fn emit(call: &Call, config: &AccountView, bump: u8, event: &Event) -> Check {
    Authority { program_id: call.program_id, config, bump }.emit(event)
}
