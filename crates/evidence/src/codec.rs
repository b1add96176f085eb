//! The bytes of a segment. Numbers are little endian.
//!
//! | part | bytes |
//! |---|---|
//! | header | `jirseg1\n`, number (8), position of the first record (8), hash at the end of the segment before (32; zeroes before the first), hash of all that: `H(0x00 ‖ header)` (32) |
//! | record | length (4), the bytes, hash: `H(0x01 ‖ hash before ‖ length ‖ bytes)` (32) |
//! | footer of a sealed segment | zero (4), number of records (8), when it was sealed, Unix microseconds (8), hash: `H(0x02 ‖ hash before ‖ the 20 bytes before)` (32) |

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// What a segment begins with.
pub(crate) const MAGIC: &[u8; 8] = b"jirseg1\n";
/// Bytes of a header.
pub const HEADER_BYTES: usize = 88;
/// Bytes of a footer.
pub const FOOTER_BYTES: usize = 52;
/// Bytes of a record beside its content.
pub const RECORD_OVERHEAD: usize = 36;
/// Most bytes of a record's content.
pub const RECORD_MAX: usize = 4_096;

/// What a segment says of itself first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1, 2, 3, ...
    pub number: u64,
    /// Place of its first record in the order of all, from 1.
    pub first: u64,
    /// Hash at the end of the segment before it.
    pub before: Hash,
}

impl Header {
    /// The bytes, and the hash that the first record is chained to.
    pub fn encode(&self) -> ([u8; HEADER_BYTES], Hash) {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.before);
        let hash = hash_of(0, &[&bytes[..56]]);
        bytes[56..].copy_from_slice(&hash);
        (bytes, hash)
    }

    /// Reads one; `None` when it is none, or was changed.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<(Self, Hash)> {
        let header = Self {
            number: number(&bytes[8..16])?,
            first: number(&bytes[16..24])?,
            before: bytes[24..56].try_into().ok()?,
        };
        let (again, hash) = header.encode();
        (again == *bytes).then_some((header, hash))
    }
}

/// What a sealed segment ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// How many records it has.
    pub records: u64,
    /// When it was sealed, Unix microseconds.
    pub at_us: i64,
}

impl Seal {
    /// The bytes after the last record, and the hash that the next segment names.
    pub fn encode(&self, before: &Hash) -> ([u8; FOOTER_BYTES], Hash) {
        let mut bytes = [0; FOOTER_BYTES];
        bytes[4..12].copy_from_slice(&self.records.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.at_us.to_le_bytes());
        let hash = hash_of(2, &[before, &bytes[..20]]);
        bytes[20..].copy_from_slice(&hash);
        (bytes, hash)
    }

    /// Reads one that comes after `before`; `None` when it is none, or was changed.
    pub fn decode(bytes: &[u8; FOOTER_BYTES], before: &Hash) -> Option<(Self, Hash)> {
        let at_us = i64::from_le_bytes(bytes[12..20].try_into().ok()?);
        let seal = Self { records: number(&bytes[4..12])?, at_us };
        let (again, hash) = seal.encode(before);
        (again == *bytes).then_some((seal, hash))
    }
}

/// The hash after a record.
pub(crate) fn chained(before: &Hash, content: &[u8]) -> Hash {
    // A record is at most 4096 bytes.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    hash_of(1, &[before, &length.to_le_bytes(), content])
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn hash_of(domain: u8, parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new_with_prefix([domain]);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
