//! How a meter fetches an image that was announced to it: it asks for one piece after
//! the other on `v1/<meter>/want` and hears each on `v1/<meter>/fw`.
//!
//! Nothing here is signed: whoever carries or makes up pieces can keep a meter from a new
//! firmware, which whoever holds the broker can anyway, and nothing else. What a meter
//! fetched counts only when all of it, read back from flash, has the hash that the
//! firmware's maker signed ([`crate::release`]).

use crate::VERSION;
use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::reading::fixed;
use crate::sign1::begin;
use minicbor::Encoder;

const FIELDS: u64 = 4;
/// Most bytes of an image in one piece.
pub const PIECE_BYTES: usize = 1_024;
/// Most bytes of a question.
pub const WANT_MAX: usize = 24;
/// Most bytes of a piece with what stands around it.
pub const PIECE_MAX: usize = PIECE_BYTES + 24;

/// What an image is called while it is fetched: the first 8 bytes of its SHA-256.
pub type ImageName = [u8; 8];

/// The question for one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Of which image.
    pub image: ImageName,
    /// From which byte on.
    pub offset: u32,
    /// How many bytes, 1 to [`PIECE_BYTES`].
    pub length: u16,
}

/// One piece of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Of which image.
    pub image: ImageName,
    /// Where it belongs.
    pub offset: u32,
    /// 1 to [`PIECE_BYTES`] bytes.
    pub bytes: &'a [u8],
}

impl Want {
    /// As it goes out.
    pub fn encode(&self) -> Result<Buffer<WANT_MAX>, WireError> {
        if self.length == 0 || usize::from(self.length) > PIECE_BYTES {
            return Err(WireError::Malformed("a piece has 1 to 1,024 bytes"));
        }
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.image))
                .and_then(|e| e.u32(self.offset))
                .and_then(|e| e.u16(self.length))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }

    /// Reads what [`Want::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > WANT_MAX {
            return Err(WireError::TooLarge { what: "a question for firmware", limit: WANT_MAX });
        }
        let mut decoder = begin(bytes, FIELDS, "a question for firmware has four fields")?;
        let want = Self { image: fixed(decoder.bytes()?)?, offset: decoder.u32()?, length: decoder.u16()? };
        if want.encode()?.as_slice() == bytes { Ok(want) } else { Err(WireError::NotCanonical) }
    }
}

impl<'a> Piece<'a> {
    /// As it goes out.
    pub fn encode(&self) -> Result<Buffer<PIECE_MAX>, WireError> {
        if self.bytes.is_empty() || self.bytes.len() > PIECE_BYTES {
            return Err(WireError::Malformed("a piece has 1 to 1,024 bytes"));
        }
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.image))
                .and_then(|e| e.u32(self.offset))
                .and_then(|e| e.bytes(self.bytes))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }

    /// Reads what [`Piece::encode`] wrote, and nothing else.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        if bytes.len() > PIECE_MAX {
            return Err(WireError::TooLarge { what: "a piece of firmware", limit: PIECE_MAX });
        }
        let mut decoder = begin(bytes, FIELDS, "a piece of firmware has four fields")?;
        let piece = Self { image: fixed(decoder.bytes()?)?, offset: decoder.u32()?, bytes: decoder.bytes()? };
        if piece.encode()?.as_slice() == bytes { Ok(piece) } else { Err(WireError::NotCanonical) }
    }
}
