//! Is somebody there who holds the meter's key? The gateway asks with bytes that nobody
//! could foresee; the meter signs them together with its public key.
//!
//! A meter answers only what its pinned gateway signed, so it is nobody else's signing
//! machine, and an answer proves the key to whoever knows which bytes were asked.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{PublicKey, Signer, name_of};
use crate::reading::fixed;
use crate::sign1::{Sign1, begin, open, seal};
use crate::{ANSWER_CONTEXT, ANSWER_MAX, CHALLENGE_CONTEXT, CHALLENGE_MAX, MeterName, VERSION};
use minicbor::Encoder;

const CHALLENGE_FIELDS: u64 = 3;
const ANSWER_FIELDS: u64 = 4;
const PAYLOAD_MAX: usize = 96;

/// The gateway's question, on `v1/<meter>/cmd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Who is asked.
    pub meter: MeterName,
    /// Random bytes, never used twice.
    pub nonce: [u8; 32],
}

/// The meter's answer, on `v1/<meter>/claim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeAnswer {
    /// Who answers: the name that follows from the key.
    pub meter: MeterName,
    /// The bytes that were asked.
    pub nonce: [u8; 32],
    /// The meter's key.
    pub public_key: [u8; 32],
}

impl Challenge {
    /// Signs with the gateway's key.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Buffer<CHALLENGE_MAX>, WireError> {
        seal(self.encode()?.as_slice(), CHALLENGE_CONTEXT, signer)
    }

    /// Reads and verifies.
    pub fn open(bytes: &[u8], gateway: &PublicKey) -> Result<Self, WireError> {
        open(bytes, ("a challenge", CHALLENGE_MAX), (gateway, CHALLENGE_CONTEXT), Self::decode)
    }

    fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut decoder = begin(payload, CHALLENGE_FIELDS, "a challenge has three fields")?;
        let challenge = Self { meter: fixed(decoder.bytes()?)?, nonce: fixed(decoder.bytes()?)? };
        if challenge.encode()?.as_slice() == payload { Ok(challenge) } else { Err(WireError::NotCanonical) }
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(CHALLENGE_FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.meter))
                .and_then(|e| e.bytes(&self.nonce))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }
}

impl ChallengeAnswer {
    /// Signs with the meter's key, whose name and public half it carries.
    pub fn sign(nonce: [u8; 32], signer: &(impl Signer + ?Sized)) -> Result<Buffer<ANSWER_MAX>, WireError> {
        let public_key = signer.public_key();
        let answer = Self { meter: name_of(&public_key), nonce, public_key };
        seal(answer.encode()?.as_slice(), ANSWER_CONTEXT, signer)
    }

    /// Reads, and verifies with the key that it carries, which must be the name's. Who
    /// asked compares `meter` and `nonce`.
    pub fn open(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > ANSWER_MAX {
            return Err(WireError::TooLarge { what: "an answer", limit: ANSWER_MAX });
        }
        let signed = Sign1::read_all(bytes)?;
        let answer = Self::decode(signed.payload)?;
        let key = PublicKey::from_bytes(&answer.public_key)?;
        if key.name() != answer.meter {
            return Err(WireError::Malformed("the key in an answer is not the one of the meter's name"));
        }
        signed.verify(&key, ANSWER_CONTEXT)?;
        Ok(answer)
    }

    fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut decoder = begin(payload, ANSWER_FIELDS, "an answer has four fields")?;
        let answer = Self {
            meter: fixed(decoder.bytes()?)?,
            nonce: fixed(decoder.bytes()?)?,
            public_key: fixed(decoder.bytes()?)?,
        };
        if answer.encode()?.as_slice() == payload { Ok(answer) } else { Err(WireError::NotCanonical) }
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(ANSWER_FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.meter))
                .and_then(|e| e.bytes(&self.nonce))
                .and_then(|e| e.bytes(&self.public_key))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }
}
