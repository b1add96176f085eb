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
mod time;
mod token;

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::instruction::Tag;
use pinocchio::{AccountView, Address, ProgramResult};

use account::Refuse;
use call::Call;

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entrypoint {
    use pinocchio::{no_allocator, nostd_panic_handler, program_entrypoint};

    // An attestation of 28 rows by eight oracles has 69 accounts, but no transaction
    // holds more than 64.
    program_entrypoint!(super::process_instruction, 64);
    no_allocator!();
    nostd_panic_handler!();
}

/// Finds the instruction by its first byte and runs it.
///
/// # Errors
/// `ProgramError::Custom` with an [`EnergyError`], or what the runtime, the system
/// program or the token program answered.
pub fn process_instruction(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let tag = data.first().copied().and_then(Tag::from_byte).or_refuse(EnergyError::UnknownInstruction)?;
    let call = Call { program_id, accounts, data };
    match tag {
        Tag::Attest => process::attest(call),
        Tag::Settle => process::settle(call),
        Tag::Event => event::accept(&call),
        Tag::PlaceOrder => process::place_order(call),
        Tag::Release => process::release(call),
        Tag::PostOffer => process::post_offer(call),
        Tag::CancelOffer => process::cancel_offer(call),
        Tag::Enrol => process::enrol(call),
        Tag::Pause => process::pause(call),
        Tag::Configure => process::configure(call),
        Tag::Initialise => process::initialise(call),
    }
}
