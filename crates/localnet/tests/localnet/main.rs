//! The local chain through its public doors: HTTP, WebSocket, and clients that
//! know nothing of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod errors;
mod faults;
mod finality;
mod history;
mod real_clients;
mod restart;
mod subscriptions;
mod support;
mod transactions;
