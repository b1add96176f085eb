//! From a plan to signed bytes, in transaction format v1: 64 addresses and 4,096
//! bytes, which a full attestation needs.

use crate::blockhash::Recent;
use crate::error::ChainError;
use crate::plan::Plan;
use crate::units::UNITS_MAX;
use sha2::{Digest, Sha256};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_message::v1::{MAX_TRANSACTION_SIZE, Message, TransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;

/// Accounts and programs that a transaction may load, in bytes: Token-2022 and
/// our program together stay under 1 MiB. Unset would be zero.
const LOADED_MIN: u32 = 2 << 20;
/// Bits of the salt that hide in the compute limit; the other 20 hide in the limit of
/// loaded bytes.
const SALT_UNITS: u32 = 12;

/// A signed transaction.
pub struct Signed {
    /// Its first signature, which names it.
    pub signature: Signature,
    /// Wire bytes.
    pub bytes: Vec<u8>,
    /// Last block height at which it may land.
    pub last_valid: u64,
}

/// What one signing of a plan differs in from another.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Compute limit, above zero.
    pub units: u32,
    /// Paid for priority.
    pub fee_lamports: u64,
    /// Makes equal instructions of different pieces of work two transactions: its bits
    /// hide in the two limits, which are generous.
    pub salt: u32,
    /// Blockhash.
    pub recent: Recent,
}

/// The salt of a piece of work; `nonce` gives another one when two pieces met.
pub fn salt(key: &str, nonce: u32) -> u32 {
    let hash = Sha256::new().chain_update(key).chain_update([0]).chain_update(nonce.to_le_bytes()).finalize();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// A plan as the message that is to be signed.
pub fn compile(plan: &Plan, name: &str, terms: Terms) -> Result<VersionedMessage, ChainError> {
    let in_units = terms.salt & ((1 << SALT_UNITS) - 1);
    let units = terms.units.clamp(1, UNITS_MAX - (1 << SALT_UNITS)) + in_units;
    let mut config = TransactionConfig::empty()
        .with_compute_unit_limit(units)
        .with_loaded_accounts_data_size_limit(LOADED_MIN + (terms.salt >> SALT_UNITS));
    if terms.fee_lamports > 0 {
        config = config.with_priority_fee(terms.fee_lamports);
    }
    let message =
        Message::try_compile_with_config(&plan.payer.pubkey(), &plan.instructions, terms.recent.hash, config)
            .map_err(|error| {
                ChainError::InvalidWork(format!("{name} does not fit a transaction ({error})"))
            })?;
    Ok(VersionedMessage::V1(message))
}

/// Who pays for signed bytes; `None` for what is no transaction.
pub fn fee_payer(bytes: &[u8]) -> Option<Address> {
    let transaction: VersionedTransaction = wincode::deserialize(bytes).ok()?;
    transaction.message.static_account_keys().first().copied()
}

/// Signs a message with our keys; `others` bring signatures of their own.
pub fn seal(
    message: VersionedMessage,
    ours: &[&Keypair],
    others: &[(Address, Signature)],
    name: &str,
    recent: Recent,
) -> Result<Signed, ChainError> {
    let invalid = |why: String| ChainError::InvalidWork(format!("{name} {why}"));
    let bytes = message.serialize();
    let needed = usize::from(message.header().num_required_signatures);
    let signatures = message
        .static_account_keys()
        .iter()
        .take(needed)
        .map(|address| {
            let own = ours.iter().find(|key| key.pubkey() == *address).map(|key| key.sign_message(&bytes));
            own.or_else(|| others.iter().find(|(other, _)| other == address).map(|(_, signature)| *signature))
                .ok_or_else(|| invalid(format!("needs the signature of {address}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let signature = *signatures.first().ok_or_else(|| invalid("has no signature".to_owned()))?;
    let transaction = VersionedTransaction { signatures, message };
    let bytes =
        wincode::serialize(&transaction).map_err(|error| invalid(format!("cannot be written ({error})")))?;
    if bytes.len() > MAX_TRANSACTION_SIZE {
        return Err(invalid(format!("has {} bytes, above {MAX_TRANSACTION_SIZE}", bytes.len())));
    }
    Ok(Signed { signature, bytes, last_valid: recent.last_valid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_hash::Hash;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn signed(key: &str, nonce: u32, units: u32) -> Signed {
        let payer = Arc::new(Keypair::new_from_array([1; 32]));
        let plan = Plan { instructions: Vec::new(), payer: payer.clone(), signers: Vec::new(), units };
        let recent = Recent { hash: Hash::new_from_array([2; 32]), last_valid: 9 };
        let terms = Terms { units, fee_lamports: 0, salt: salt(key, nonce), recent };
        let message = compile(&plan, key, terms).unwrap();
        seal(message, &[&payer], &[], key, recent).unwrap()
    }

    #[test]
    fn equal_instructions_of_different_work_are_different_transactions() {
        let signatures: HashSet<Signature> =
            (0..2_000).map(|n| signed(&format!("attest/{n}"), 0, 100_000).signature).collect();
        assert_eq!(signatures.len(), 2_000);
        assert_eq!(signed("a", 0, 1).bytes, signed("a", 0, 1).bytes, "and the same is the same");
        assert_ne!(signed("a", 0, 1).signature, signed("a", 1, 1).signature, "a nonce parts two that met");
    }

    #[test]
    fn limits_are_set_and_within_the_chains() {
        for units in [0, 1, UNITS_MAX, u32::MAX] {
            for nonce in 0..50 {
                let bytes = signed("k", nonce, units).bytes;
                let transaction: VersionedTransaction = wincode::deserialize(&bytes).unwrap();
                let VersionedMessage::V1(message) = transaction.message else { panic!("not v1") };
                let limit = message.config.compute_unit_limit.unwrap();
                assert!((1..=UNITS_MAX).contains(&limit), "{limit}");
                assert!(message.config.loaded_accounts_data_size_limit.unwrap() >= LOADED_MIN);
            }
        }
    }

    #[test]
    fn a_signature_that_nobody_gives_is_asked_for() {
        let stranger = Arc::new(Keypair::new_from_array([9; 32]));
        let payer = Keypair::new_from_array([1; 32]);
        let recent = Recent { hash: Hash::new_from_array([2; 32]), last_valid: 9 };
        let terms = Terms { units: 1, fee_lamports: 7, salt: 0, recent };
        let plan = Plan { instructions: Vec::new(), payer: stranger.clone(), signers: Vec::new(), units: 1 };
        let message = compile(&plan, "k", terms).unwrap();
        assert!(matches!(
            seal(message.clone(), &[&payer], &[], "k", recent),
            Err(ChainError::InvalidWork(_))
        ));
        let given = [(stranger.pubkey(), Signature::from([3; 64]))];
        assert_eq!(seal(message, &[&payer], &given, "k", recent).unwrap().signature, given[0].1);
    }
}
