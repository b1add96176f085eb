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
//! signatures), `transaction` (bytes), `sender` (store, and what its end means),
//! `delivery` (send, watch, resend, until the bytes' fate is certain) and, when it
//! was refused, `effect` (was it done before after all?) and `retry` (does the refusal
//! last?). An attestation of much energy is signed by a [`witness`] too.

pub mod admin;
mod base58;
mod blockhash;
mod client;
pub mod cluster;
mod delivery;
mod effect;
pub mod energy;
pub mod error;
pub mod fees;
pub mod index;
mod initialise;
pub mod interruption;
pub mod keyring;
pub mod keys;
mod node;
mod node_url;
pub mod payer;
mod plan;
mod purse;
pub mod readiness;
mod refusal;
mod retry;
mod sender;
mod snapshot;
mod socket;
mod tend;
mod transaction;
mod units;
pub mod witness;
mod word;
pub mod work;

pub use client::{ChainConfig, RpcEnergyChain};
pub use energy::{ChainSnapshot, EnergyChain, HouseholdOnChain, OfferOnChain, OrderOnChain, TariffOutcome};
pub use error::ChainError;
pub use fees::FeeBounds;
pub use jirani_energy_interface::event::RowStatus;
pub use keys::{ChainKeys, KeyError};
pub use node_url::NodeUrl;
pub use payer::{PayerLevel, PayerState};
pub use readiness::{ChainState, Readiness};
pub use sender::Finished;
pub use solana_address::Address;
pub use work::{AttestRow, Outcome, Retry, RowOutcome, Work, reported_rows};
