//! The export bundle: what a regulator needs beside the chain, in one signed file.
//!
//! Promises: the same data gives the same bytes; every line's hash covers all lines
//! before it, and the operator's key signs the last one, so that nothing can be changed,
//! dropped, added or moved; no name, no phone number and no receipt is in it, and
//! nothing a receipt could be guessed from. The format is written down in
//! `docs/export.md`; a change of it is a new version.

mod gather;
mod reader;
mod record;
mod writer;

pub use gather::{Deployment, Gathered, gather};
pub use reader::{Bundle, Seal};
pub use record::{OrderLine, ReceiptLine, SpanLine, TransferLine, account};
pub use writer::BundleWriter;

use sha2::{Digest as _, Sha256};

/// Version of the format.
pub const VERSION: u32 = 1;
/// What the signature covers before hash and count.
const SIGNED: &[u8] = b"jirani/export/1\0";

/// Hash of a line: SHA-256 over the previous line's hash and this line's JSON.
fn line_hash(previous: &[u8; 32], json: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(json).finalize().into()
}

/// The bytes that are signed.
fn signed_bytes(head: &[u8; 32], lines: u64) -> Vec<u8> {
    [SIGNED, head, &lines.to_be_bytes()].concat()
}
