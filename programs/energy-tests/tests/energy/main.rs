//! Stories about the energy program, told to its ELF.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "stories fail by panicking")]

mod adjust;
mod admin;
mod attacks;
mod attest;
mod authority;
mod checklist;
mod closing;
mod enrol;
mod griefing;
mod hard_stop;
mod hostile_accounts;
mod hostile_programs;
mod markers;
mod meter;
mod moving;
mod offers;
mod orders;
mod pause;
mod sequences;
mod settle;
mod story;
mod succession;
mod wallet;
