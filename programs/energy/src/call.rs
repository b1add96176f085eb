//! What an instruction was called with, and the authority it acts under. A call on
//! this machine passes five registers, the place of the result among them, so what
//! belongs together travels together.

use jirani_energy_interface::seeds;
use pinocchio::cpi::{Seed, Signer, invoke_signed};
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::{AccountView, Address, ProgramResult};

/// An instruction as it came in.
pub struct Call<'a> {
    /// This program.
    pub program_id: &'a Address,
    /// Its accounts, in the instruction's order.
    pub accounts: &'a mut [AccountView],
    /// Its data, the tag included.
    pub data: &'a [u8],
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
    pub fn emit_bytes(&self, data: &[u8]) -> ProgramResult {
        let metas = [InstructionAccount::readonly_signer(self.config.address())];
        let instruction = InstructionView { program_id: self.program_id, accounts: &metas, data };
        self.sign(|signers| invoke_signed(&instruction, &[self.config], signers))
    }

    /// Writes an event without rows.
    #[inline(always)]
    pub fn emit(&self, event: &jirani_energy_interface::event::Event) -> ProgramResult {
        self.emit_bytes(bytemuck::bytes_of(event))
    }
}
