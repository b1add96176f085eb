//! The first block: the runtime with mainnet's features, its standard programs,
//! ours, and the faucet.

use crate::{GenesisProgram, LocalnetConfig, LocalnetError};
use litesvm::LiteSVM;
use sha2::{Digest, Sha256};
use solana_account::Account;
use solana_address::Address;
use solana_clock::Clock;
use solana_hash::Hash;
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_sdk_ids::{bpf_loader_upgradeable, system_program};

/// A billion SOL: nobody on one machine runs out of it.
const FAUCET_LAMPORTS: u64 = 1_000_000_000_000_000_000;

/// A runtime that checks neither signatures (done before it is asked, off its
/// thread) nor blockhashes and repetitions (it knows only one blockhash).
pub fn runtime(config: &LocalnetConfig, faucet: Address) -> Result<LiteSVM, LocalnetError> {
    let mut svm =
        LiteSVM::default().with_mainnet_features().with_builtins().with_sysvars().with_transaction_history(0);
    // Programs become visible at the slot they are loaded in: the first.
    svm.set_sysvar(&Clock::default());
    let mut svm = svm.with_feature_accounts().with_default_programs();
    for program in &config.programs {
        install(&mut svm, program)
            .map_err(|reason| LocalnetError::Program { address: program.address, reason })?;
    }
    let account = Account { lamports: FAUCET_LAMPORTS, owner: system_program::ID, ..Account::default() };
    svm.set_account(faucet, account)
        .map_err(|error| LocalnetError::Program { address: faucet, reason: error.to_string() })?;
    Ok(svm)
}

/// Names the chain: the same for the same genesis, whatever the programs' builds.
pub fn hash(config: &LocalnetConfig, faucet: Address) -> Hash {
    let mut hasher = Sha256::new_with_prefix(b"jirani localnet genesis");
    hasher.update(faucet);
    for program in &config.programs {
        hasher.update(program.address);
        hasher.update(program.upgrade_authority);
    }
    Hash::new_from_array(hasher.finalize().into())
}

fn install(svm: &mut LiteSVM, program: &GenesisProgram) -> Result<(), String> {
    svm.add_program(program.address, &program.elf).map_err(|error| error.to_string())?;
    // Installed without an authority: name ours in the ProgramData's header.
    let (address, _) =
        Address::find_program_address(&[program.address.as_ref()], &bpf_loader_upgradeable::ID);
    let mut account = svm.get_account(&address).ok_or("no ProgramData")?;
    let header = wincode::serialize(&UpgradeableLoaderState::ProgramData {
        slot: 0,
        upgrade_authority_address: Some(program.upgrade_authority),
    })
    .map_err(|error| error.to_string())?;
    account.data.get_mut(..header.len()).ok_or("short ProgramData")?.copy_from_slice(&header);
    svm.set_account(address, account).map_err(|error| error.to_string())
}
