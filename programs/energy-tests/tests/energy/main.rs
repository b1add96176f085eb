//! Stories about the energy program, told to its ELF.
#![expect(clippy::expect_used, clippy::panic, reason = "stories fail by panicking")]

mod admin;
mod attacks;
mod attest;
mod enrol;
mod model;
mod offers;
mod orders;
mod pause;
mod settle;
mod story;
