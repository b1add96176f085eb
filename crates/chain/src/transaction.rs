//! From a plan to signed bytes, in transaction format v1: 64 addresses and 4,096
//! bytes, which a full attestation needs.

use crate::blockhash::Recent;
use crate::error::ChainError;
use crate::keys::ChainKeys;
use crate::plan::Plan;
use sha2::{Digest, Sha256};
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_message::v1::{MAX_TRANSACTION_SIZE, Message, TransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;

/// The chain's limit per transaction.
const UNITS_MAX: u32 = 1_400_000;
/// Accounts and programs that a transaction may load, in bytes: Token-2022 and
/// our program together stay under 1 MiB.
const LOADED_MIN: u32 = 2 << 20;

/// A signed transaction.
pub struct Signed {
    /// Its first signature, which names it.
    pub signature: Signature,
    /// Wire bytes.
    pub bytes: Vec<u8>,
    /// Last block height at which it may land.
    pub last_valid: u64,
}

/// Signs a plan. `key` makes equal instructions of different pieces of work two
/// transactions: 32 bits of its hash hide in the two limits, which are generous.
pub fn sign(
    plan: &Plan,
    keys: &ChainKeys,
    key: &str,
    priority_fee_lamports: u64,
    recent: Recent,
) -> Result<Signed, ChainError> {
    let hash = Sha256::digest(key);
    let salt = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let units = plan.units.min(UNITS_MAX - 4_096) + (salt & 0xfff);
    let mut config = TransactionConfig::empty()
        .with_compute_unit_limit(units)
        .with_loaded_accounts_data_size_limit(LOADED_MIN + (salt >> 12));
    if priority_fee_lamports > 0 {
        config = config.with_priority_fee(priority_fee_lamports);
    }
    let message =
        Message::try_compile_with_config(&keys.payer.pubkey(), &plan.instructions, recent.hash, config)
            .map_err(|error| {
                ChainError::InvalidWork(format!("{key} does not fit a transaction ({error})"))
            })?;
    let mut signers: Vec<&Keypair> = vec![&keys.payer];
    for signer in &plan.signers {
        // One key may have two roles; it signs once.
        if signers.iter().all(|known| known.pubkey() != signer.pubkey()) {
            signers.push(signer);
        }
    }
    let transaction = VersionedTransaction::try_new(VersionedMessage::V1(message), signers.as_slice())
        .map_err(|error| ChainError::InvalidWork(format!("{key} cannot be signed ({error})")))?;
    let signature = transaction
        .signatures
        .first()
        .copied()
        .ok_or_else(|| ChainError::InvalidWork(format!("{key} has no signature")))?;
    let bytes = wincode::serialize(&transaction)
        .map_err(|error| ChainError::InvalidWork(format!("{key} cannot be written ({error})")))?;
    if bytes.len() > MAX_TRANSACTION_SIZE {
        return Err(ChainError::InvalidWork(format!(
            "{key} has {} bytes, above {MAX_TRANSACTION_SIZE}",
            bytes.len()
        )));
    }
    Ok(Signed { signature, bytes, last_valid: recent.last_valid })
}
