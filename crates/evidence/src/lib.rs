//! Segments of evidence: append-only files of the exact bytes that meters signed, chained by
//! hashes from the first byte of the first file on.
//!
//! Promises: whatever byte of whatever file is changed, taken away or added, [`verify`]
//! names the file and the place; who has kept the head's hash knows that nothing before it
//! was ever written anew; a file that was being written when the power went is cut back to
//! its last whole record, and nothing else ever is. The same records under the same numbers
//! give the same bytes, so that a lost file can be made again from the database.
//! Stands beside the store, which is where a reading becomes durable first: nobody waits
//! for these files. `docs/evidence.md` describes every byte.

mod codec;
mod error;
mod folder;
mod segment;
mod writer;

pub use codec::{FOOTER_BYTES, HEADER_BYTES, Hash, Header, RECORD_MAX, RECORD_OVERHEAD, Seal};
pub use error::EvidenceError;
pub use folder::{Folder, Verified, verify};
pub use segment::{Record, Segment, SegmentReader};
pub use writer::{Limits, Writer};
