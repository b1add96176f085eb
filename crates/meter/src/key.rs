//! Keys: whose signature counts, and by which rule.
//!
//! The one rule, here and in the gateway's batches: the key is the one encoding of a
//! point of the curve that is not of small order; `s` is canonical; and the *cofactored* equation
//! `[8]sB = [8]R + [8]kA` holds. Only the cofactored equation gives one answer
//! for a signature checked alone and in a batch: a crafted signature with a
//! torsion part passes or fails a cofactorless batch by chance.

use crate::MeterName;
use crate::error::WireError;
use core::fmt;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

/// A signature algorithm, as COSE numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (-8).
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (-7), which secure elements speak. Read, but not verified yet.
    Es256,
}

impl Algorithm {
    /// COSE's number.
    pub const fn number(self) -> i8 {
        match self {
            Self::EdDsa => -8,
            Self::Es256 => -7,
        }
    }

    /// The protected header `{1: alg}`.
    pub(crate) const fn protected(self) -> &'static [u8; 3] {
        match self {
            Self::EdDsa => &[0xa1, 0x01, 0x27],
            Self::Es256 => &[0xa1, 0x01, 0x26],
        }
    }

    pub(crate) fn from_protected(bytes: &[u8]) -> Result<Self, WireError> {
        match bytes {
            [0xa1, 0x01, 0x27] => Ok(Self::EdDsa),
            [0xa1, 0x01, 0x26] => Ok(Self::Es256),
            // Any other algorithm that fits one byte: -1 is 0x20, -24 is 0x37.
            [0xa1, 0x01, other @ 0x20..=0x37] => {
                Err(WireError::UnsupportedAlgorithm(-1 - i8::try_from(other - 0x20).unwrap_or(0)))
            }
            _ => Err(WireError::Malformed("the protected header must be {1: alg} and nothing else")),
        }
    }
}

/// What signs: a key in flash, in a secure element, or in a simulated meter.
pub trait Signer {
    /// Which algorithm it speaks.
    fn algorithm(&self) -> Algorithm;
    /// Its public key, as it is hashed into the meter's name.
    fn public_key(&self) -> [u8; 32];
    /// Signs `message` whole.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], WireError>;
}

/// An Ed25519 key in memory.
#[derive(Clone)]
pub struct Ed25519Signer(SigningKey);

impl Ed25519Signer {
    /// From the 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The name of the meter that holds this key.
    pub fn name(&self) -> MeterName {
        name_of(&self.public_key())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Signer(..)")
    }
}

impl Signer for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], WireError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

/// The first 16 bytes of SHA-256 of a public key.
pub fn name_of(public_key: &[u8; 32]) -> MeterName {
    let digest = Sha256::digest(public_key);
    let mut name = MeterName::default();
    name.copy_from_slice(&digest[..16]);
    name
}

/// An Ed25519 public key that can prove something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Refuses what is no point of the curve, points of small order, and any but the one
    /// encoding of a point (RFC 8032, 5.1.2): a name is the hash of a key's bytes, so a
    /// second encoding would be a second name of one key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WireError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| WireError::WeakKey)?;
        let is_canonical = key.to_edwards().compress().as_bytes() == bytes;
        if key.is_weak() || !is_canonical { Err(WireError::WeakKey) } else { Ok(Self(key)) }
    }

    /// The name of the meter that holds the key.
    pub fn name(&self) -> MeterName {
        name_of(self.0.as_bytes())
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// For batches of `ed25519-dalek`: what passes there passes here.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0
    }

    /// Checks one signature by the rule at the top of this module.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), WireError> {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&signature[..32]);
        s.copy_from_slice(&signature[32..]);
        let bad = WireError::BadSignature;
        let s: Scalar = Option::from(Scalar::from_canonical_bytes(s)).ok_or(bad)?;
        let point = CompressedEdwardsY(r).decompress().ok_or(bad)?;
        let digest = Sha512::new().chain_update(r).chain_update(self.0.as_bytes()).chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
        let minus_a = -self.0.to_edwards();
        let difference = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &minus_a, &s) - point;
        if difference.mul_by_cofactor().is_identity() { Ok(()) } else { Err(bad) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in self.0.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}
