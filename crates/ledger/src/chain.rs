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
    // A memo beyond 4 GiB cannot be stored; its length would be cut here, its bytes not.
    #[expect(clippy::cast_possible_truncation, reason = "memos are short texts of our own")]
    bytes.extend((transfer.memo.len() as u32).to_be_bytes());
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
