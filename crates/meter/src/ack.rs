//! The gateway's word that readings are durable.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{PublicKey, Signer};
use crate::reading::fixed;
use crate::sign1::{begin, open, seal};
use crate::{ACK_CONTEXT, ACK_MAX, MeterName, VERSION};
use minicbor::Encoder;

const FIELDS: u64 = 5;
const PAYLOAD_MAX: usize = 48;

/// Every reading of `meter` in `epoch` with `first_seq <= seq <= seq` is on disk.
///
/// The range's beginning is there because a message may be lost on its way: a
/// gateway that has 11 to 20 must not free 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Whose readings.
    pub meter: MeterName,
    /// Generation of the registers.
    pub epoch: u32,
    /// First reading that is durable.
    pub first_seq: u64,
    /// Last reading that is durable.
    pub seq: u64,
}

impl Ack {
    /// Signs with the gateway's key.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Buffer<ACK_MAX>, WireError> {
        seal(self.encode()?.as_slice(), ACK_CONTEXT, signer)
    }

    /// Reads and verifies.
    pub fn open(bytes: &[u8], gateway: &PublicKey) -> Result<Self, WireError> {
        open(bytes, ("an acknowledgement", ACK_MAX), (gateway, ACK_CONTEXT), Self::decode)
    }

    fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut decoder = begin(payload, FIELDS, "an acknowledgement has five fields")?;
        let ack = Self {
            meter: fixed(decoder.bytes()?)?,
            epoch: decoder.u32()?,
            first_seq: decoder.u64()?,
            seq: decoder.u64()?,
        };
        if ack.encode()?.as_slice() == payload { Ok(ack) } else { Err(WireError::NotCanonical) }
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        if self.first_seq == 0 || self.first_seq > self.seq {
            return Err(WireError::Malformed(
                "an acknowledgement goes from a seq to the same or a later one",
            ));
        }
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.meter))
                .and_then(|e| e.u32(self.epoch))
                .and_then(|e| e.u64(self.first_seq))
                .and_then(|e| e.u64(self.seq))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }
}
