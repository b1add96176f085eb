//! Signatures in batches, by the one rule of [`jirani_meter::key`].
//!
//! A batch that passes proves every signature in it (but for a chance of 2^-128);
//! one that fails proves nothing, so each is checked alone. The batch equation
//! has no cofactor and may fail for a crafted signature that the cofactored
//! rule accepts, but that only sends the batch the slow way: the answer for each
//! signature is the rule's, whatever it arrived together with.

use ed25519_dalek::{Signature, VerifyingKey};
use jirani_meter::PublicKey;

/// Signatures per batch. More are not much faster, and one bad signature makes
/// this many be checked alone.
const BATCH: usize = 128;

/// One signature to check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Whose.
    pub key: PublicKey,
    /// Over what.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: [u8; 64],
}

/// Checks all; one answer each, in order.
pub fn verify_all(checks: &[Check]) -> Vec<bool> {
    checks.chunks(BATCH).flat_map(verify_batch).collect()
}

fn verify_batch(checks: &[Check]) -> Vec<bool> {
    if checks.len() > 1 {
        let messages: Vec<&[u8]> = checks.iter().map(|check| &check.message[..]).collect();
        let signatures: Vec<Signature> =
            checks.iter().map(|check| Signature::from_bytes(&check.signature)).collect();
        let keys: Vec<VerifyingKey> = checks.iter().map(|check| *check.key.verifying_key()).collect();
        if ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok() {
            return vec![true; checks.len()];
        }
    }
    checks.iter().map(|check| check.key.verify(&check.message, &check.signature).is_ok()).collect()
}
