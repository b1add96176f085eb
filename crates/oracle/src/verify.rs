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

/// A failing batch of this many is not worth another division.
const ALONE: usize = 8;

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

/// Signatures that are worth a thread of their own.
const SHARE: usize = 4 * BATCH;

/// Checks all; one answer each, in order. Many are shared among the cores: call it where
/// a thread may block.
pub fn verify_all(checks: &[Check]) -> Vec<bool> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shares = cores.min(checks.len() / SHARE).max(1);
    // Whole batches, so that nothing depends on the number of cores.
    let share = checks.len().div_ceil(shares).next_multiple_of(BATCH).max(BATCH);
    let (first, rest) = checks.split_at(share.min(checks.len()));
    std::thread::scope(|scope| {
        let others: Vec<_> =
            rest.chunks(share).map(|share| (share, scope.spawn(move || verify_share(share)))).collect();
        let mut holds = verify_share(first);
        for (share, other) in others {
            // A thread that ends without an answer proves nothing.
            holds.extend(other.join().unwrap_or_else(|_| vec![false; share.len()]));
        }
        holds
    })
}

fn verify_share(checks: &[Check]) -> Vec<bool> {
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
        // Few bad ones among many, or one sender's many, are cornered by halves: nobody
        // slows the others by more than that.
        if checks.len() > ALONE {
            let (first, second) = checks.split_at(checks.len() / 2);
            return [verify_batch(first), verify_batch(second)].concat();
        }
    }
    checks.iter().map(|check| check.key.verify(&check.message, &check.signature).is_ok()).collect()
}
