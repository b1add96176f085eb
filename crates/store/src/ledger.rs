//! Reading the ledger.

pub use jirani_ledger::{AccountBalance, Balances};

use jirani_ledger::Transfer;

/// A journal row: a transfer, its place, and the chain of hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// 1, 2, 3, ... without gaps.
    pub sequence: u64,
    /// The transfer.
    pub transfer: Transfer,
    /// SHA-256 over the previous row's hash and this row's canonical bytes.
    pub hash: [u8; 32],
}
