//! Everybody does everything, in any order: a state machine whose actors are all hostile,
//! against a plain model of what may happen.
//!
//! Promises: every instruction of the program is in it, right and wrong, alone and with
//! others in one transaction; after every step the chain says what the model foresaw, of
//! a refusal also why, and E1 to E4, S1, custody and rent hold by the accounts alone; from
//! time to time everything that is open is given back on a copy of the world. A case that
//! goes wrong is told as a short story with the seed that leads to it.
//!
//! Stands on the embedded chain of this crate. No clock, no randomness but the seed's.

mod actors;
mod base;
mod campaign;
mod case;
mod chain;
mod compare;
mod deed;
mod ledger;
mod model;
mod place;
mod refund;
mod resolve;
mod rulebook;
mod step;
mod story;
mod twist;

pub use campaign::{Counterexample, run};
pub use case::Counts;
