//! A firmware's image as its maker vouches for it: version, length and SHA-256, signed
//! by the release key in a context of its own.
//!
//! A meter pins the release key beside the gateway's, or takes the gateway's for both.
//! The signature stands apart from the fields, so that a command carries both whole;
//! [`SignedRelease::to_bytes`] is the same as one COSE_Sign1, for a file beside the image.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{Algorithm, PublicKey, Signer};
use crate::reading::fixed;
use crate::sign1::{Sign1, begin, encode, signed_bytes};
use crate::{RELEASE_CONTEXT, RELEASE_MAX, VERSION};
use minicbor::Encoder;

const FIELDS: u64 = 4;
const PAYLOAD_MAX: usize = 48;
/// Most bytes of an image: no meter has more flash.
pub const IMAGE_MAX: u32 = 4 << 20;

/// One image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// 1, 2, 3, ...: a meter takes only what is later than what it runs.
    pub version: u32,
    /// Bytes of the image, 1 to [`IMAGE_MAX`].
    pub size: u32,
    /// SHA-256 of those bytes.
    pub sha256: [u8; 32],
}

/// An image and its maker's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedRelease {
    /// Which image.
    pub release: Release,
    /// Ed25519 over RFC 9052's Sig_structure of the fields, in [`RELEASE_CONTEXT`].
    pub signature: [u8; 64],
}

impl Release {
    /// Signs with the release key.
    pub fn sign(self, signer: &(impl Signer + ?Sized)) -> Result<SignedRelease, WireError> {
        let payload = self.encode()?;
        let bytes = signed_bytes(signer.algorithm(), payload.as_slice(), RELEASE_CONTEXT)?;
        Ok(SignedRelease { release: self, signature: signer.sign(bytes.as_slice())? })
    }

    pub(crate) fn check(&self) -> Result<(), WireError> {
        if self.version == 0 {
            return Err(WireError::Malformed("firmware is numbered from 1"));
        }
        if self.size == 0 || self.size > IMAGE_MAX {
            return Err(WireError::Malformed("an image has 1 byte to 4 MiB"));
        }
        Ok(())
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        self.check()?;
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.u32(self.version))
                .and_then(|e| e.u32(self.size))
                .and_then(|e| e.bytes(&self.sha256))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }
}

impl SignedRelease {
    /// Whether the maker signed exactly this.
    pub fn verify(&self, maker: &PublicKey) -> Result<(), WireError> {
        let payload = self.release.encode()?;
        let bytes = signed_bytes(Algorithm::EdDsa, payload.as_slice(), RELEASE_CONTEXT)?;
        maker.verify(bytes.as_slice(), &self.signature)
    }

    /// As one COSE_Sign1.
    pub fn to_bytes(&self) -> Result<Buffer<RELEASE_MAX>, WireError> {
        encode(Algorithm::EdDsa, self.release.encode()?.as_slice(), &self.signature)
    }

    /// Reads what [`SignedRelease::to_bytes`] wrote; nothing is verified yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > RELEASE_MAX {
            return Err(WireError::TooLarge { what: "a release", limit: RELEASE_MAX });
        }
        let signed = Sign1::read_all(bytes)?;
        if signed.algorithm != Algorithm::EdDsa {
            return Err(WireError::UnsupportedAlgorithm(signed.algorithm.number()));
        }
        let mut decoder = begin(signed.payload, FIELDS, "a release has four fields")?;
        let release =
            Release { version: decoder.u32()?, size: decoder.u32()?, sha256: fixed(decoder.bytes()?)? };
        if release.encode()?.as_slice() == signed.payload {
            Ok(Self { release, signature: *signed.signature })
        } else {
            Err(WireError::NotCanonical)
        }
    }
}
