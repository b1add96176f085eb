//! From signed readings to attestations on chain.
//!
//! [`Gateway`] is an ordinary MQTT client: it takes readings, verifies them in
//! batches, keeps them in one durable commit, and only then acknowledges them,
//! to the broker and, signed, to the meter. [`Slots`] takes every household's
//! registers at a slot's end and attests them.
//!
//! Promises: a reading acknowledged to a meter is on disk and counted once (R1);
//! what is not accepted is kept with the reason and never minted; whether a
//! signature holds never depends on what it was checked together with; a slot is
//! stored before it is sent, and a restart sends the same again.
//! Stands between meters, the store and the chain; knows no broker in particular.

mod boundary;
mod counters;
mod error;
mod evidence;
mod gateway;
mod intake;
mod known;
mod link;
mod notice;
mod plan;
mod proof;
mod refusal;
mod refused;
mod relay;
mod residual;
mod rules;
mod sender;
mod slots;
mod verify;
pub mod witness;

pub use boundary::{Attestable, at_boundary};
pub use counters::{Counters, Totals};
pub use error::{GatewayError, SlotsError};
pub use evidence::merkle_root;
pub use gateway::{Gateway, GatewayConfig};
pub use notice::Notice;
pub use plan::{SlotPlan, chunk_key, plan_slot};
pub use proof::{Claim, Part, PathStep, ProofError, ProvenReading, Shown, SlotProof};
pub use refusal::Refusal;
pub use residual::{LossRegisters, add_residual};
pub use rules::{Latest, Rating, judge};
pub use slots::{Slots, SlotsConfig};
pub use verify::{Check, verify_all};
