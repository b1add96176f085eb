//! A hostile program: it calls another with the accounts it was given, claims a
//! signature for one of them, and can really sign for one address of its own,
//! derived from the same seed as the energy program's Config.
//!
//! Accounts: the program to call, then that call's accounts with the rights they have
//! here. Data: the bump of its own address; the place of the account that it claims
//! signs (255 for none); then the call's data.
//!
//! `elf/forwarder.so` is built like the energy program's ELF; see the README there.
#![no_std]

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    use core::mem::MaybeUninit;
    use core::slice::from_raw_parts;

    use pinocchio::cpi::{CpiAccount, Seed, Signer, invoke_signed_unchecked};
    use pinocchio::error::ProgramError;
    use pinocchio::instruction::{InstructionAccount, InstructionView};
    use pinocchio::{
        AccountView, Address, ProgramResult, no_allocator, nostd_panic_handler, program_entrypoint,
    };

    /// The most accounts of a forwarded call.
    const ACCOUNTS_MAX: usize = 20;

    program_entrypoint!(forward, 24);
    no_allocator!();
    nostd_panic_handler!();

    fn forward(_: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
        let [callee, rest @ ..] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
        let [bump, claimed, data @ ..] = data else { return Err(ProgramError::InvalidInstructionData) };
        if rest.len() > ACCOUNTS_MAX {
            return Err(ProgramError::InvalidArgument);
        }
        let mut metas = [const { MaybeUninit::<InstructionAccount>::uninit() }; ACCOUNTS_MAX];
        let mut infos = [const { MaybeUninit::<CpiAccount>::uninit() }; ACCOUNTS_MAX];
        for (index, account) in rest.iter().enumerate() {
            let signs = account.is_signer() || index == usize::from(*claimed);
            metas[index].write(InstructionAccount::new(account.address(), account.is_writable(), signs));
            CpiAccount::init_from_account_view(account, &mut infos[index]);
        }
        // SAFETY: the first `rest.len()` elements of both were written above.
        let (metas, infos) = unsafe {
            (
                from_raw_parts(metas.as_ptr().cast(), rest.len()),
                from_raw_parts(infos.as_ptr().cast(), rest.len()),
            )
        };
        let instruction = InstructionView { program_id: callee.address(), accounts: metas, data };
        let bump = [*bump];
        let seeds = [Seed::from(b"config"), Seed::from(&bump)];
        // SAFETY: no account's data is borrowed here.
        unsafe { invoke_signed_unchecked(&instruction, infos, &[Signer::from(&seeds)]) };
        Ok(())
    }
}
