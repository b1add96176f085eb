//! The KES ledger's rules: accounts, transfers, holds, refusals.
//!
//! Promises: every transfer debits and credits the same positive amount (M1);
//! no account marked so is ever overdrawn (M3); a transfer id is applied at most
//! once; a hold ends at most once; a group of transfers is applied whole or not at
//! all; history only grows, and a chain of hashes shows
//! if it did not. Pure: the store applies these rules in the commit that keeps the
//! rows.

pub mod account;
pub mod auditor;
pub mod balance;
pub mod book;
pub mod chain;
pub mod invariants;
pub mod reason;
pub mod refusal;
pub mod rules;
pub mod templates;
pub mod transfer;

pub use account::Account;
pub use auditor::Auditor;
pub use balance::{AccountBalance, Balances};
pub use book::Book;
pub use reason::Reason;
pub use refusal::{GroupRefusal, Posting, Refusal};
pub use rules::{Decision, Facts, decide};
pub use transfer::{Kind, Transfer, TransferId};
