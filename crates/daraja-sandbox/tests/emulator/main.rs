//! The emulator over HTTP: with our client, and as any client speaks to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod alone;
mod apis;
mod client;
mod faults;
mod limits;
mod restart;
mod scripted;
mod support;
