//! The chain of hashes over the journal: whoever alters, drops or reorders a row
//! breaks every hash from there on.

use crate::transfer::Transfer;
use sha2::{Digest, Sha256};

/// Format of [`canonical_bytes`], their first byte. A new format gets a new
/// number; rows keep the one they were hashed with.
pub const FORMAT: u8 = 1;

/// What the first row is chained to.
pub const GENESIS: [u8; 32] = [0; 32];

/// The bytes of a journal row that its hash covers: format (1), sequence (8), id
/// (16), debit (8), credit (8), amount (8), reason (2), kind (1), hold (16,
/// zeroes when none), time (8), length of the memo (4), memo. Numbers are
/// big-endian; accounts, reasons and kinds by their codes.
pub fn canonical_bytes(sequence: u64, transfer: &Transfer) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(80 + transfer.memo.len());
    bytes.push(FORMAT);
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(transfer.id.0);
    bytes.extend(transfer.debit.code().to_be_bytes());
    bytes.extend(transfer.credit.code().to_be_bytes());
    bytes.extend(transfer.amount.0.to_be_bytes());
    bytes.extend(transfer.reason.code().to_be_bytes());
    bytes.push(transfer.kind.code());
    bytes.extend(transfer.kind.hold().map_or([0; 16], |hold| hold.0));
    bytes.extend(transfer.at.0.to_be_bytes());
    // Memos have at most 256 bytes: the rules let no longer one in.
    bytes.extend(u32::try_from(transfer.memo.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(transfer.memo.as_bytes());
    bytes
}

/// Hash of a row: SHA-256 over the previous row's hash and this row's bytes.
pub fn hash(previous: &[u8; 32], sequence: u64, transfer: &Transfer) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(canonical_bytes(sequence, transfer)).finalize().into()
}

/// The first row that does not fit the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A row is missing, or out of place.
    #[error("ledger.chain_gap: journal row {expected} is missing (found {found})")]
    Gap {
        /// Sequence that should come.
        expected: u64,
        /// Sequence that came.
        found: u64,
    },
    /// A row's content does not match its hash.
    #[error("ledger.chain_broken: journal row {sequence} was altered")]
    Altered {
        /// The row.
        sequence: u64,
    },
}

/// Walks the chain row by row, in pieces of any size.
#[derive(Clone, Copy, Debug)]
pub struct Verifier {
    sequence: u64,
    hash: [u8; 32],
}

impl Verifier {
    /// Starts before the first row.
    pub const fn new() -> Self {
        Self { sequence: 0, hash: GENESIS }
    }

    /// Last row that fitted, and its hash.
    pub const fn head(&self) -> (u64, [u8; 32]) {
        (self.sequence, self.hash)
    }

    /// Checks the next row.
    pub fn check(&mut self, sequence: u64, transfer: &Transfer, stored: &[u8; 32]) -> Result<(), Broken> {
        let expected = self.sequence + 1;
        if sequence != expected {
            return Err(Broken::Gap { expected, found: sequence });
        }
        if hash(&self.hash, sequence, transfer) != *stored {
            return Err(Broken::Altered { sequence });
        }
        self.sequence = sequence;
        self.hash = *stored;
        Ok(())
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

/// What was done to the row that [`Broken::Altered`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// The row's content: the next row is still chained to the row's stored hash.
    Content,
    /// The row's hash alone: the next row is chained to the hash that its content makes.
    Hash,
    /// More than that, or there is no next row to tell by: content and hash, or
    /// everything from this row on.
    History,
}

/// Tells what was done to an altered row. `previous` is the hash of the last row that
/// fitted, `next` the stored row after the altered one.
pub fn alteration(
    previous: &[u8; 32],
    (sequence, transfer, stored): (u64, &Transfer, &[u8; 32]),
    next: Option<(&Transfer, &[u8; 32])>,
) -> Alteration {
    let Some((next, next_stored)) = next else { return Alteration::History };
    let chained_to = |hash_of_row: &[u8; 32]| hash(hash_of_row, sequence + 1, next) == *next_stored;
    if chained_to(stored) {
        Alteration::Content
    } else if chained_to(&hash(previous, sequence, transfer)) {
        Alteration::Hash
    } else {
        Alteration::History
    }
}
