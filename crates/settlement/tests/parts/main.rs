//! Settlement on real parts, in the same process: SQLite, a Solana chain with the real
//! program behind JSON-RPC, and the M-Pesa emulator behind HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod books;
#[path = "../door/mod.rs"]
mod door;
mod float;
mod tariffs;
mod trades;
mod village;
