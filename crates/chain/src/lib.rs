//! Our way to the chain: what we ask of it in our own words, and the client
//! that does it over Solana's JSON-RPC.
//!
//! Promises: one piece of work has one outcome, whatever is sent how often
//! ([`EnergyChain::submit`] may be called again with the same key after any
//! crash); signed bytes are stored before they are sent; an outcome is landed,
//! refused or unknown, never a boolean. Knows nothing of which node answers.
//!
//! [`RpcEnergyChain`] signs, sends and watches; [`keys`] keeps the keys, one per
//! role. A piece of work goes through `plan` (which instructions, whose
//! signatures), `transaction` (bytes), `sender` (store, send, watch, resend) and,
//! when it was refused, `effect` (was it done before after all?).

mod blockhash;
mod client;
mod effect;
pub mod energy;
pub mod error;
pub mod index;
mod initialise;
pub mod keys;
mod node;
mod plan;
mod refusal;
mod sender;
mod snapshot;
mod transaction;
pub mod work;

pub use client::{ChainConfig, RpcEnergyChain};
pub use energy::{ChainSnapshot, EnergyChain, HouseholdOnChain, OfferOnChain, OrderOnChain};
pub use error::ChainError;
pub use keys::{ChainKeys, KeyError};
pub use solana_address::Address;
pub use work::{AttestRow, Outcome, Work};
