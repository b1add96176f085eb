//! Everything random, from one number.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

/// 32 bytes that depend on nothing but the arguments.
pub fn derive(seed: u64, domain: &str, index: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"jirani/village/");
    hash.update(domain.as_bytes());
    hash.update([0]);
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    hash.finalize().into()
}

/// A generator of its own for one purpose and one thing.
pub fn rng(seed: u64, domain: &str, index: u64) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(derive(seed, domain, index))
}

/// Noise that can be asked for in any order: the same arguments give the same
/// number (the finaliser of SplitMix64, applied to each in turn).
pub fn noise(seed: u64, domain: u64, a: u64, b: u64) -> u64 {
    [domain, a, b].into_iter().fold(seed, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
