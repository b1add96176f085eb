//! What settles an order, and where its use is marked.

use crate::Key;

/// The kind of a proof. One kind never stands for another: it is part of the
/// marker's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ProofKind {
    /// HMAC-SHA256 of an M-Pesa receipt.
    Receipt = 1,
    /// Hash of a posted ledger transfer from the buyer's balance.
    Transfer = 2,
}

impl ProofKind {
    /// The kind of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Receipt),
            2 => Some(Self::Transfer),
            _ => None,
        }
    }
}

/// A proof: its kind and its 32-byte hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proof {
    /// Receipt or ledger transfer.
    pub kind: ProofKind,
    /// The hash. Never all zero.
    pub hash: Key,
}

/// Length of a marker's seed: the longest the chain allows.
pub const MARKER_SEED_LEN: usize = 32;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Proof {
    /// An M-Pesa receipt's proof.
    pub const fn receipt(hash: Key) -> Self {
        Self { kind: ProofKind::Receipt, hash }
    }

    /// A ledger transfer's proof.
    pub const fn transfer(hash: Key) -> Self {
        Self { kind: ProofKind::Transfer, hash }
    }

    /// The seed of the marker's address: a letter for the kind (`R`, `T`) and the
    /// first 186 bits of the hash in URL-safe base 64.
    pub fn marker_seed(&self) -> [u8; MARKER_SEED_LEN] {
        let mut seed = [0; MARKER_SEED_LEN];
        seed[0] = match self.kind {
            ProofKind::Receipt => b'R',
            ProofKind::Transfer => b'T',
        };
        let mut bits: u32 = 0;
        let mut have = 0;
        let mut next = 0;
        for letter in &mut seed[1..] {
            if have < 6 {
                bits = (bits << 8) | u32::from(self.hash[next]);
                next += 1;
                have += 8;
            }
            have -= 6;
            *letter = ALPHABET[((bits >> have) & 63) as usize];
        }
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_separates_equal_hashes() {
        let hash = [7; 32];
        assert_ne!(Proof::receipt(hash).marker_seed(), Proof::transfer(hash).marker_seed());
    }

    #[test]
    fn the_seed_is_url_safe_base64_of_the_hash() {
        let mut hash = [0; 32];
        hash[0] = 0b1111_1100;
        hash[23] = 0b0100_0000;
        let seed = Proof::receipt(hash).marker_seed();
        assert_eq!(&seed, b"R_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAB");
        hash[23] |= 0b0011_1111;
        assert_eq!(Proof::receipt(hash).marker_seed(), seed, "bits past 186 do not count");
    }
}
