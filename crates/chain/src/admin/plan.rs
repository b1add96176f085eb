//! What one transaction of the operator will do.

use jirani_energy_interface::accounts;
use jirani_energy_interface::instruction::Tag;
use solana_address::Address;
use solana_instruction::Instruction;

/// One transaction to be, and what it means.
#[derive(Clone, Debug)]
pub struct AdminPlan {
    /// The command, `rotate-oracle`.
    pub name: &'static str,
    /// What it changes, a line each.
    pub changes: Vec<String>,
    /// Instructions, in order.
    pub instructions: Vec<Instruction>,
}

/// What planning found.
#[derive(Clone, Debug)]
pub enum Planned {
    /// Everything is as wanted; why.
    Nothing(String),
    /// This is to be sent.
    Do(AdminPlan),
}

impl Planned {
    /// One instruction.
    pub(super) fn one(name: &'static str, changes: Vec<String>, instruction: Instruction) -> Self {
        Self::Do(AdminPlan { name, changes, instructions: vec![instruction] })
    }
}

/// Why a command cannot be carried out. Nothing was sent, unless the text says so.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A value breaks a rule of the program.
    #[error("chain.invalid: {0}")]
    Invalid(String),
    /// What the command is about is not on the chain, or not in the state for it.
    #[error("chain.not_possible: {0}")]
    NotPossible(String),
    /// The program, or the chain, said no; nothing changed.
    #[error("{code}: {message}")]
    Refused {
        /// Stable code, `energy.not_admin`.
        code: String,
        /// A sentence.
        message: String,
    },
    /// A signature is missing.
    #[error(
        "chain.key_missing: this needs the signature of the {role} {address}; name its file by --key {role}=FILE or in chain.keys"
    )]
    KeyMissing {
        /// As the program calls the signer.
        role: String,
        /// Whose.
        address: Address,
    },
    /// The transaction's fate is certain: it will never land.
    #[error(
        "chain.expired: {signature} did not land and never will; nothing was changed, run the command again"
    )]
    Expired {
        /// Its name.
        signature: String,
    },
    /// The transaction was sent and nothing is known of it yet.
    #[error(
        "chain.unknown: {signature} was sent, and the node stopped answering ({why}); look at it by its signature before running the command again"
    )]
    Unknown {
        /// Its name.
        signature: String,
        /// What the node last said.
        why: String,
    },
    /// The file of an unsigned transaction cannot be used.
    #[error("chain.offline: {0}")]
    Offline(String),
    /// Nothing could be asked of the chain.
    #[error(transparent)]
    Chain(#[from] crate::ChainError),
}

/// Who must sign, each with the name that the program gives it.
pub(super) fn signers(instructions: &[Instruction]) -> Vec<(String, Address)> {
    let mut signers: Vec<(String, Address)> = Vec::new();
    for instruction in instructions {
        let specs =
            instruction.data.first().and_then(|tag| Tag::from_byte(*tag)).map_or(&[][..], accounts::of);
        for (index, meta) in instruction.accounts.iter().enumerate().filter(|(_, meta)| meta.is_signer) {
            if signers.iter().any(|(_, known)| *known == meta.pubkey) {
                continue;
            }
            // What repeats and signs are oracles.
            let name = specs.get(index).map_or("oracle", |spec| spec.name);
            signers.push((name.to_owned(), meta.pubkey));
        }
    }
    signers
}

/// A key as it stands in an account.
pub(super) fn address(key: &[u8; 32]) -> Address {
    Address::new_from_array(*key)
}

/// `none` for zeroes.
pub(super) fn shown(key: &[u8; 32]) -> String {
    if *key == [0; 32] { "none".to_owned() } else { address(key).to_string() }
}

/// A cap as people read it.
pub(super) fn shown_cap(cap: u64, unit: &str) -> String {
    if cap == u64::MAX { "no limit".to_owned() } else { format!("{cap} {unit}") }
}
