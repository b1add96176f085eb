//! The client against a small server that answers as a script says, with the
//! shapes on record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test ends where it fails, and reads best with plain values"
)]

mod money;
mod questions;
mod script;
mod tokens;
