//! The energy program: what was metered becomes tokens, tokens are traded against
//! proofs of payment, and what nobody owes is never minted.
//!
//! Promises, whoever signs what: supply is what was minted less what was burned
//! (E1); a household's gross minted and burned energy follow its attested
//! registers (E2); no register falls, counts twice or outruns its rating (E3); a
//! proof settles one order, an order settles once (S1). A refused instruction
//! changes nothing and says which rule it broke
//! (`jirani_energy_interface::EnergyError`).
//!
//! Stands on the interface crate for every layout and on pinocchio for the
//! runtime. No allocation, no floats, no 128-bit arithmetic, no unchecked casts
//! of balances.
#![no_std]

mod account;
mod call;
mod create;
mod event;
mod process;
mod refusal;
mod time;
mod token;

use jirani_energy_interface::EnergyError;
use pinocchio::{AccountView, Address, ProgramResult};

use call::Call;
use refusal::Refuse;

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    use core::mem::MaybeUninit;
    use core::slice::from_raw_parts_mut;

    use pinocchio::entrypoint::{InstructionContext, MaybeAccount};
    use pinocchio::error::ProgramError;
    use pinocchio::{AccountView, ProgramResult, lazy_program_entrypoint, no_allocator, nostd_panic_handler};

    /// A transaction locks no more accounts than this.
    const ACCOUNTS_MAX: usize = 64;

    lazy_program_entrypoint!(enter);
    no_allocator!();
    nostd_panic_handler!();

    /// Gathers the accounts, an account in two places twice, and runs the instruction.
    fn enter(mut context: InstructionContext) -> ProgramResult {
        let mut accounts = [const { MaybeUninit::<AccountView>::uninit() }; ACCOUNTS_MAX];
        let mut count = 0;
        while context.remaining() > 0 && count < ACCOUNTS_MAX {
            let account = match context.next_account()? {
                MaybeAccount::Account(account) => account,
                MaybeAccount::Duplicated(first) => {
                    let first =
                        accounts[..count].get(usize::from(first)).ok_or(ProgramError::InvalidArgument)?;
                    // SAFETY: the first `count` accounts were written.
                    unsafe { first.assume_init_read() }
                }
            };
            accounts[count].write(account);
            count += 1;
        }
        if context.remaining() > 0 {
            return Err(ProgramError::InvalidArgument);
        }
        // SAFETY: the first `count` accounts were written.
        let accounts = unsafe { from_raw_parts_mut(accounts.as_mut_ptr().cast(), count) };
        super::process_instruction(context.program_id(), accounts, context.instruction_data())
    }
}

/// The tags as patterns.
mod tag {
    use jirani_energy_interface::instruction::Tag;

    pub const ATTEST: u8 = Tag::Attest as u8;
    pub const SETTLE: u8 = Tag::Settle as u8;
    pub const EVENT: u8 = Tag::Event as u8;
    pub const PLACE_ORDER: u8 = Tag::PlaceOrder as u8;
    pub const RELEASE: u8 = Tag::Release as u8;
    pub const POST_OFFER: u8 = Tag::PostOffer as u8;
    pub const CANCEL_OFFER: u8 = Tag::CancelOffer as u8;
    pub const CLOSE_MARKERS: u8 = Tag::CloseMarkers as u8;
    pub const ENROL: u8 = Tag::Enrol as u8;
    pub const REPLACE_METER: u8 = Tag::ReplaceMeter as u8;
    pub const CHANGE_AUTHORITY: u8 = Tag::ChangeAuthority as u8;
    pub const CLOSE_HOUSEHOLD: u8 = Tag::CloseHousehold as u8;
    pub const ADJUST: u8 = Tag::Adjust as u8;
    pub const MOVE: u8 = Tag::Move as u8;
    pub const WITHDRAW: u8 = Tag::Withdraw as u8;
    pub const DEPOSIT: u8 = Tag::Deposit as u8;
    pub const PAUSE: u8 = Tag::Pause as u8;
    pub const HARD_STOP: u8 = Tag::HardStop as u8;
    pub const CONFIGURE: u8 = Tag::Configure as u8;
    pub const ACCEPT_ADMIN: u8 = Tag::AcceptAdmin as u8;
    pub const INITIALISE: u8 = Tag::Initialise as u8;
}

/// Finds the instruction by its first byte and runs it.
///
/// # Errors
/// `ProgramError::Custom` with an [`EnergyError`] and the account that broke the rule
/// (`jirani_energy_interface::error::account_index`).
#[inline(always)]
pub fn process_instruction(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let call = &Call::new(program_id, accounts, data);
    match data.first().copied().unwrap_or(u8::MAX) {
        tag::ATTEST => process::attest(call, accounts),
        tag::SETTLE => process::settle(call, accounts),
        tag::EVENT => event::accept(call, accounts),
        tag::PLACE_ORDER => process::place_order(call, accounts),
        tag::RELEASE => process::release(call, accounts),
        tag::POST_OFFER => process::post_offer(call, accounts),
        tag::CANCEL_OFFER => process::cancel_offer(call, accounts),
        tag::CLOSE_MARKERS => process::close_markers(call, accounts),
        tag::ENROL => process::enrol(call, accounts),
        tag::REPLACE_METER => process::replace_meter(call, accounts),
        tag::CHANGE_AUTHORITY => process::change_authority(call, accounts),
        tag::CLOSE_HOUSEHOLD => process::close_household(call, accounts),
        tag::ADJUST => process::adjust(call, accounts),
        tag::MOVE => process::move_energy(call, accounts),
        tag::WITHDRAW => process::withdraw(call, accounts),
        tag::DEPOSIT => process::deposit(call, accounts),
        tag::PAUSE => process::pause(call, accounts),
        tag::HARD_STOP => process::hard_stop(call, accounts),
        tag::CONFIGURE => process::configure(call, accounts),
        tag::ACCEPT_ADMIN => process::accept_admin(call, accounts),
        tag::INITIALISE => process::initialise(call, accounts),
        _ => false.or_refuse(EnergyError::UnknownInstruction),
    }?;
    Ok(())
}
