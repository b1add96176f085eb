//! What is wrong with a segment, and where.

use std::path::PathBuf;

/// Files of evidence that do not hold, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The system refuses.
    #[error("evidence.unavailable: {}: {source}", .path.display())]
    Unavailable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Bytes are not what was written.
    #[error("evidence.changed: {}: {what}, at byte {offset}", .path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A file of the chain is not there.
    #[error("evidence.missing: {} is not there, and later ones are", .path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// More than a record may have.
    #[error("evidence.too_large: a record of {0} bytes; a record has 1 to 4096")]
    TooLarge(usize),
}
