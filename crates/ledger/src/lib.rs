//! The KES ledger's rules: accounts, transfers, holds, refusals.
//!
//! Promises: every transfer debits and credits the same positive amount (M1);
//! no account marked so is ever overdrawn (M3); a transfer id is applied at most
//! once; history only grows. Pure: the store applies these rules in the commit
//! that keeps the rows.

pub mod account;
pub mod transfer;

pub use account::Account;
pub use transfer::{Kind, Posting, Reason, Refusal, Transfer, TransferId};
