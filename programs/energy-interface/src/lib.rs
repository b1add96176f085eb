//! What the energy program and everyone who talks to it must agree on: account
//! layouts, instruction bytes, seeds, events, error codes, and the arithmetic of
//! an order's due.
//!
//! Promises: every layout is `repr(C)` without padding, its size is checked when
//! it compiles, and it starts with a discriminator and a version byte; numbers
//! are little-endian; an error code and its text never change their meaning.
//! `no_std`: the program itself is built on it. The `client` module (addresses,
//! instruction builders) exists only off the chain.
#![no_std]

#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
extern crate alloc;

pub mod accounts;
#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
pub mod client;
pub mod error;
pub mod event;
pub mod id_window;
pub mod instruction;
pub mod money;
pub mod proof;
pub mod state;
pub mod token;

#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
pub use client::EnergyProgram;
pub use error::EnergyError;
pub use proof::{Proof, ProofKind};

use solana_address::Address;

/// A public key or program-derived address, as it stands in an account.
pub type Key = [u8; 32];

/// Where the program lives on an embedded chain: `JiraniEnergy111…`. Nobody has
/// a key for it, so a public cluster gives the program another address; nothing
/// in the program depends on this one.
pub const LOCAL_PROGRAM_ID: Address = Address::new_from_array([
    4, 138, 50, 255, 83, 219, 11, 93, 42, 130, 101, 255, 35, 189, 72, 220, 95, 134, 216, 168, 170, 41, 162,
    45, 42, 195, 249, 249, 0, 0, 0, 0,
]);

/// Tokens per kWh, as a power of ten: one atom is one Wh.
pub const DECIMALS: u8 = 3;
/// Name in the mint's metadata.
pub const TOKEN_NAME: &str = "eKWh";
/// Symbol in the mint's metadata.
pub const TOKEN_SYMBOL: &str = "EKWH";

/// The most rows of one attestation: two accounts each, under 64 account locks.
pub const ATTEST_ROWS_MAX: usize = 28;
/// Accounts of an attestation before its oracles and rows.
pub const ATTEST_FIXED_ACCOUNTS: usize = 5;
/// Accounts of one attested row: Household and vault.
pub const ATTEST_ROW_ACCOUNTS: usize = 2;
/// Account locks a transaction may hold.
pub const ACCOUNT_LOCKS_MAX: usize = 64;
/// The most fills of one order.
pub const FILLS_MAX: usize = 4;

/// Rows that fit one transaction with that many oracles, none of them the payer.
/// Locks: the payer, each oracle, the fixed accounts (the program itself is one
/// of them), two per row.
pub const fn attest_rows_that_fit(oracles: usize) -> usize {
    let free = ACCOUNT_LOCKS_MAX - 1 - oracles - ATTEST_FIXED_ACCOUNTS;
    let rows = free / ATTEST_ROW_ACCOUNTS;
    if rows < ATTEST_ROWS_MAX { rows } else { ATTEST_ROWS_MAX }
}

const _: () = assert!(attest_rows_that_fit(1) == 28 && attest_rows_that_fit(3) >= 26);

/// First parts of the seeds of program-derived addresses. What follows is named
/// at each.
pub mod seeds {
    /// `["config"]`
    pub const CONFIG: &[u8] = b"config";
    /// `["mint"]`
    pub const MINT: &[u8] = b"mint";
    /// `["household", household id as u32]`
    pub const HOUSEHOLD: &[u8] = b"household";
    /// `["vault", Household address]`
    pub const VAULT: &[u8] = b"vault";
    /// `["offer", seller's Household address, offer id as u64]`
    pub const OFFER: &[u8] = b"offer";
    /// `["escrow", Offer address]`
    pub const ESCROW: &[u8] = b"escrow";
    /// `["order", buyer's Household address, order id as u64]`
    pub const ORDER: &[u8] = b"order";
    /// `["evidence", feeder as u16]`
    pub const EVIDENCE: &[u8] = b"evidence";
}

/// Other programs' addresses.
pub mod programs {
    use solana_address::Address;

    /// The system program.
    pub const SYSTEM: Address = Address::new_from_array([0; 32]);
    /// Token-2022: `TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb`.
    pub const TOKEN_2022: Address = Address::new_from_array([
        6, 221, 246, 225, 238, 117, 143, 222, 24, 66, 93, 188, 228, 108, 205, 218, 182, 26, 252, 77, 131,
        185, 13, 39, 254, 189, 249, 40, 216, 161, 139, 252,
    ]);
    /// The upgradeable loader: `BPFLoaderUpgradeab1e11111111111111111111111`.
    pub const LOADER: Address = Address::new_from_array([
        2, 168, 246, 145, 78, 136, 161, 176, 226, 16, 21, 62, 247, 99, 174, 43, 0, 194, 185, 61, 22, 193, 36,
        210, 192, 83, 122, 16, 4, 128, 0, 0,
    ]);
}
