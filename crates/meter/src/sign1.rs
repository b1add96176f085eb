//! COSE_Sign1 as it is used here: tag 18, one algorithm in the protected header,
//! an empty unprotected header, an attached payload, 64 bytes of signature.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{Algorithm, PublicKey, Signer};
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

const COSE_SIGN1: Tag = Tag::new(18);
/// Tag, array, protected header, unprotected header, head of the signature.
const AROUND_MAX: usize = 1 + 1 + 4 + 1 + 2 + 2 + 64;
/// Most bytes of a reading's payload.
pub const PAYLOAD_MAX: usize = crate::READING_MAX - AROUND_MAX;
/// Most bytes of any payload: what fits the longest command.
const ANY_PAYLOAD_MAX: usize = crate::COMMAND_MAX - AROUND_MAX;
/// Most bytes that are signed: the Sig_structure around a payload.
pub const SIGNED_MAX: usize = ANY_PAYLOAD_MAX + 48;

/// A COSE_Sign1 that was read; nothing is verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign1<'a> {
    /// Who can verify it.
    pub algorithm: Algorithm,
    /// The signed payload.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; 64],
    /// All of it, exactly as it arrived.
    pub bytes: &'a [u8],
}

impl<'a> Sign1<'a> {
    /// Reads one from the front of `bytes`; the rest is returned. Refuses
    /// whatever is not in its one encoding.
    pub fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), WireError> {
        let mut decoder = Decoder::new(bytes);
        if decoder.tag()? != COSE_SIGN1 {
            return Err(WireError::Malformed("a COSE_Sign1 begins with tag 18"));
        }
        if decoder.array()? != Some(4) {
            return Err(WireError::Malformed("a COSE_Sign1 has four parts"));
        }
        let algorithm = Algorithm::from_protected(decoder.bytes()?)?;
        if decoder.map()? != Some(0) {
            return Err(WireError::Malformed("the unprotected header must be empty"));
        }
        let payload = decoder.bytes()?;
        if payload.len() > ANY_PAYLOAD_MAX {
            return Err(WireError::TooLarge { what: "the payload", limit: ANY_PAYLOAD_MAX });
        }
        let signature = decoder.bytes()?;
        let signature = signature.try_into().map_err(|_| WireError::Malformed("a signature has 64 bytes"))?;
        let (bytes, rest) = bytes.split_at(decoder.position());
        let read = Self { algorithm, payload, signature, bytes };
        let canonical: Buffer<{ crate::COMMAND_MAX }> = encode(algorithm, payload, signature)?;
        if canonical.as_slice() == bytes { Ok((read, rest)) } else { Err(WireError::NotCanonical) }
    }

    /// Reads exactly one.
    pub fn read_all(bytes: &'a [u8]) -> Result<Self, WireError> {
        match Self::read(bytes)? {
            (read, []) => Ok(read),
            _ => Err(WireError::Malformed("there are bytes after the signature")),
        }
    }

    /// The bytes the signature is over: RFC 9052's Sig_structure.
    pub fn signed_bytes(&self, context: &[u8]) -> Result<Buffer<SIGNED_MAX>, WireError> {
        signed_bytes(self.algorithm, self.payload, context)
    }

    /// Verifies by the one rule of [`crate::key`].
    pub fn verify(&self, key: &PublicKey, context: &[u8]) -> Result<(), WireError> {
        match self.algorithm {
            Algorithm::EdDsa => key.verify(self.signed_bytes(context)?.as_slice(), self.signature),
            Algorithm::Es256 => Err(WireError::UnsupportedAlgorithm(self.algorithm.number())),
        }
    }
}

/// A decoder behind the head of an array of `fields`, the first of which is the version.
pub(crate) fn begin<'a>(
    payload: &'a [u8],
    fields: u64,
    malformed: &'static str,
) -> Result<Decoder<'a>, WireError> {
    let mut decoder = Decoder::new(payload);
    if decoder.array()? != Some(fields) {
        return Err(WireError::Malformed(malformed));
    }
    let version = decoder.u8()?;
    if version != crate::VERSION {
        return Err(WireError::UnknownVersion(version));
    }
    Ok(decoder)
}

/// Reads what was signed for a context by `key`: at most `limit` bytes of `what`.
pub(crate) fn open<T>(
    bytes: &[u8],
    (what, limit): (&'static str, usize),
    (key, context): (&PublicKey, &[u8]),
    decode: impl FnOnce(&[u8]) -> Result<T, WireError>,
) -> Result<T, WireError> {
    if bytes.len() > limit {
        return Err(WireError::TooLarge { what, limit });
    }
    let signed = Sign1::read_all(bytes)?;
    let read = decode(signed.payload)?;
    signed.verify(key, context)?;
    Ok(read)
}

/// Signs a payload for a context.
pub(crate) fn seal<const N: usize>(
    payload: &[u8],
    context: &[u8],
    signer: &(impl Signer + ?Sized),
) -> Result<Buffer<N>, WireError> {
    let signature = signer.sign(signed_bytes(signer.algorithm(), payload, context)?.as_slice())?;
    encode(signer.algorithm(), payload, &signature)
}

pub(crate) fn encode<const N: usize>(
    algorithm: Algorithm,
    payload: &[u8],
    signature: &[u8; 64],
) -> Result<Buffer<N>, WireError> {
    let mut encoder = Encoder::new(Buffer::new());
    written(
        encoder
            .tag(COSE_SIGN1)
            .and_then(|e| e.array(4))
            .and_then(|e| e.bytes(algorithm.protected()))
            .and_then(|e| e.map(0))
            .and_then(|e| e.bytes(payload))
            .and_then(|e| e.bytes(signature))
            .map(|_| ()),
    )?;
    Ok(encoder.into_writer())
}

pub(crate) fn signed_bytes(
    algorithm: Algorithm,
    payload: &[u8],
    context: &[u8],
) -> Result<Buffer<SIGNED_MAX>, WireError> {
    let mut encoder = Encoder::new(Buffer::new());
    written(
        encoder
            .array(4)
            .and_then(|e| e.str("Signature1"))
            .and_then(|e| e.bytes(algorithm.protected()))
            .and_then(|e| e.bytes(context))
            .and_then(|e| e.bytes(payload))
            .map(|_| ()),
    )?;
    Ok(encoder.into_writer())
}
