//! Our way to the chain: what we ask of it in our own words, and the client
//! that does it over Solana's JSON-RPC.
//!
//! Promises: one piece of work has one outcome, whatever is sent how often
//! ([`EnergyChain::submit`] may be called again with the same key after any
//! crash); signed bytes are stored before they are sent; an outcome is landed,
//! refused or unknown, never a boolean. Knows nothing of which node answers.

pub mod energy;
pub mod error;
pub mod work;

pub use energy::{ChainSnapshot, EnergyChain, HouseholdOnChain};
pub use error::ChainError;
pub use work::{AttestRow, Outcome, Work};
