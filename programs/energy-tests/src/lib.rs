//! A small world around the energy program's ELF: an embedded chain with mainnet's
//! features, deterministic keys, a clock that moves only by hand, and the audit that
//! must hold after every story.
//!
//! Promises: the same story costs the same compute units every time; every test runs
//! the ELF named by `JIRANI_PROGRAM_ELF`, else the committed one. Panics are its way
//! to fail a test.
#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails by panicking")]

mod acts;
mod attack;
mod audit;
pub mod costs;
pub mod fuzz;
mod world;

pub use attack::{Attack, refusals};
pub use audit::audit;
pub use world::{Keys, Landed, Refusal, START, TARIFF, World, elf_path, key};
